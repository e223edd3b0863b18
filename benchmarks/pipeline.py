"""Measures the data pipeline against the training step that it feeds, in one run.

    python benchmarks/pipeline.py [--preset classic] [--data SOURCE] [--seconds 10]

Prints the images per second of each, alone, and their ratio.
"""

import itertools
import time

import click

from kerasgan.presets import PRESETS
from kerasgan.startup import start_tensorflow


def images_per_second(step, batch_size, seconds):
    step()
    started = time.perf_counter()
    for count in itertools.count(1):
        step()
        elapsed = time.perf_counter() - started
        if elapsed > seconds:
            return count * batch_size / elapsed


@click.command()
@click.option("--preset", type=click.Choice(list(PRESETS)), default="classic", show_default=True)
@click.option("--data", default="bundled", show_default=True)
@click.option("--seconds", default=10.0, show_default=True, help="How long each is measured.")
def main(preset, data, seconds):
    start_tensorflow()
    import tensorflow as tf

    from kerasgan import DenoisingGAN, load_images, training_pairs

    config = PRESETS[preset]
    pairs = training_pairs(
        load_images(data).train,
        noise=config.noise,
        batch_size=config.batch_size,
        patch_size=config.data.patch_size,
    )
    batch = next(iter(pairs))
    train_step = tf.function(DenoisingGAN.from_run_config(config).train_step)
    batches = iter(pairs)
    pipeline = images_per_second(lambda: next(batches), config.batch_size, seconds)
    batches = None  # stops its threads
    step = images_per_second(lambda: train_step(batch), config.batch_size, seconds)
    print(f"pipeline alone   {pipeline:8.0f} images/s")
    print(f"{preset:9} step   {step:8.0f} images/s")
    print(f"ratio            {pipeline / step:8.1f}")


if __name__ == "__main__":
    main()
