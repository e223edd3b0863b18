"""Trains variants of `selective` on equally many pictures, and measures each on held-out faces.

    python benchmarks/model_search.py fer2013.csv adam muon --pictures 48000

Prints, for each variant, PSNR in dB at five amounts and the time it took. What is measured on is
cut from the training split: the split that results are reported on decides nothing.
docs/model-search.md is the log.
"""

import time

import click

from kerasgan.presets import PRESETS
from kerasgan.startup import start_tensorflow

AMOUNTS = (0.15, 0.3, 0.5, 0.7, 0.9)
HELD_OUT, MEASURED = 1500, 300
ADAM = {
    "g_optimizer__algorithm": "adam",
    "g_optimizer__learning_rate": 2e-3,
}
VARIANTS = {
    "muon": {},
    "adam": ADAM,
    "muon, batch 16": {"batch_size": 16, "g_optimizer__learning_rate": 5e-3},
    "muon, batch 64": {"batch_size": 64, "g_optimizer__learning_rate": 1e-2},
    "adam, batch 16": {**ADAM, "batch_size": 16},
    "mse": {"reconstruction": "mse"},
    "charbonnier": {"reconstruction": "charbonnier"},
    "rmse": {"reconstruction": "rmse"},
    "psnr": {"reconstruction": "psnr"},
    "all pixels": {"suspects_only": False},
    "no flips": {"data__flip": False},
    "dense noise": {"noise__exponent": 0.4},
    "constant rate": {"g_optimizer__schedule": "constant"},
    "relu6": {"generator__activation": "relu6"},
    "average": {"g_optimizer__ema_momentum": 0.999},
    "adversarial 1e-4": {"adversary__weight": 1e-4},
    "adversarial 1e-2": {"adversary__weight": 1e-2},
    "one level": {"generator__filters": (16, 64)},
    "wide": {"generator__filters": (24, 48, 64, 96)},
    "small": {"generator__filters": (8, 16, 32, 64)},
    # Of other blocks, so many filters that they cost what `selective` does.
    "gated": {"generator__filters": (16, 28, 52, 104)},
    "nafnet": {"generator__filters": (16, 36, 72, 144)},
    "selective convolutions": {},
}
# What `build_selective` takes from benchmarks/blocks.py for a variant.
PARTS = {
    "gated": {"block": "gated_block"},
    "nafnet": {"block": "naf_block"},
    "selective convolutions": {"fill": "selective_fill"},
}


def split(data):
    """The faces to train on, and those to measure on, none of the latter among the former."""
    from kerasgan import load_images

    faces = load_images(data).train
    return (
        faces.first(len(faces) - HELD_OUT),
        faces.select(range(len(faces) - MEASURED, len(faces))),
    )


def build(variant, config, steps):
    """Builds the GAN of a variant."""
    import blocks

    from kerasgan import DenoisingGAN
    from kerasgan.model.generators import build_selective

    parts = {name: getattr(blocks, other) for name, other in PARTS.get(variant, {}).items()}
    own = config.generator
    generator = build_selective(own.filters, activation=own.activation, **parts)
    return DenoisingGAN.from_run_config(config, steps, generator=generator)


def train_and_measure(
    gan, train, held_out, *, steps, batch_size, noise=PRESETS["selective"].noise, **options
):
    """Trains a GAN; returns PSNR at each of `AMOUNTS`, as text, and the seconds it took."""
    from kerasgan import evaluation_pairs, training_pairs

    pairs = training_pairs(train, noise=noise, batch_size=batch_size, **options)
    started = time.monotonic()
    gan.fit(pairs, steps_per_epoch=steps, shuffle=False, verbose=0)
    seconds = time.monotonic() - started
    results = [
        gan.evaluate(
            evaluation_pairs(held_out, noise=noise.at(amount)), verbose=0, return_dict=True
        )
        for amount in AMOUNTS
    ]
    return " ".join(f"{result['psnr']:.2f}" for result in results), seconds


@click.command()
@click.argument("data")
@click.argument("variants", nargs=-1, type=click.Choice(list(VARIANTS)))
@click.option("--pictures", default=48_000, show_default=True, help="That training sees.")
def main(data, variants, pictures):
    start_tensorflow()
    import keras

    train, held_out = split(data)
    for variant in variants or VARIANTS:
        config = PRESETS["selective"]
        config = config.replace(**VARIANTS[variant])
        keras.utils.set_random_seed(0)
        steps = pictures // config.batch_size
        gan = build(variant, config, steps)
        psnr, seconds = train_and_measure(
            gan,
            train,
            held_out,
            steps=steps,
            batch_size=config.batch_size,
            noise=config.noise,
            flip=config.data.flip,
        )
        weights = gan.generator.count_params()
        print(f"{variant:24} {psnr}   {weights:,} weights, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
