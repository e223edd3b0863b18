"""What spreading a step over two logical processors of one machine costs, at the same global batch.

    python benchmarks/distribution.py --rounds 3

Each measurement has a process of its own, "none" and "mirrored" in turn. Prints the images per
second of each, and their ratio.
"""

import statistics
import subprocess
import sys
import time

import click

from kerasgan.startup import start_tensorflow

STRATEGIES = ("none", "mirrored")


def images_per_second(strategy_name, preset, steps):
    def find_devices():
        import tensorflow as tf

        from kerasgan.training.distribution import make_strategy

        processor = tf.config.list_physical_devices("CPU")[0]
        logical = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(processor, logical)
        return make_strategy(strategy_name)

    strategy = start_tensorflow(find_devices)
    from kerasgan import DenoisingGAN, load_images, training_pairs
    from kerasgan.presets import PRESETS

    config = PRESETS[preset]
    with strategy.scope():
        gan = DenoisingGAN.from_run_config(config)
    pairs = training_pairs(
        load_images("bundled").train,
        noise=config.noise,
        batch_size=config.batch_size,
        patch_size=config.data.patch_size,
    )
    fit = {"steps_per_epoch": steps, "shuffle": False, "verbose": 0}
    gan.fit(pairs, **fit)  # Makes the graph.
    began = time.perf_counter()
    gan.fit(pairs, **fit)
    return steps * config.batch_size / (time.perf_counter() - began)


@click.command()
@click.option("--rounds", default=3, show_default=True)
@click.option("--preset", default="selective-gan", show_default=True)
@click.option("--steps", default=40, show_default=True)
@click.option("--strategy", type=click.Choice(STRATEGIES), hidden=True, help="Measure this alone.")
def main(rounds, preset, steps, strategy):
    if strategy:
        print(images_per_second(strategy, preset, steps))
        return
    rates = {name: [] for name in STRATEGIES}
    for _ in range(rounds):
        for name, measured in rates.items():
            options = ("--strategy", name, "--preset", preset, "--steps", str(steps))
            output = subprocess.run(
                [sys.executable, __file__, *options], check=True, capture_output=True, text=True
            ).stdout
            measured.append(float(output.splitlines()[-1]))
            print(f"{name:9} {measured[-1]:8.1f} images/s", flush=True)
    pairs = zip(*rates.values(), strict=True)
    ratios = sorted(mirrored / none for none, mirrored in pairs)
    print(
        f"mirrored / none: {statistics.median(ratios):.2f} (rounds: "
        f"{', '.join(f'{ratio:.2f}' for ratio in ratios)})"
    )


if __name__ == "__main__":
    main()
