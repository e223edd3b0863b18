"""Fits what tells kinds of noise apart to the first half of inspection.py's cases.

    python benchmarks/fit_looks.py [PHOTOS...] [--cases 12000] [--output FILE]

Measuring the cases takes a quarter of an hour; the fit, a minute.
"""

import json
from pathlib import Path

import click
import inspection
import numpy as np

from kerasgan.restore.impulses import find_impulses, sample
from kerasgan.restore.looks import FARTHEST, LOOKS, measure, vector

OUTPUT = Path(__file__).parents[1] / "kerasgan" / "restore" / "looks.json"
# What is clean and taken for noise is harmed, so it counts for more.
CLEAN_WEIGHT = 2.0
DIGITS = 4


def measured(folders, count):
    """What the network sees of each case, and which look is right."""
    seen, right = [], []
    for _, _, pixels, kind, _, _ in inspection.cases(folders, count, half=0):
        planes = sample(pixels)
        seen.append(vector(measure(planes), find_impulses(pixels)))
        right.append(LOOKS.index(kind))
    return np.array(seen), np.array(right)


def fitted(seen, right, hidden, decay, epochs):
    """Parameters of the network, by their names."""
    import keras

    keras.utils.set_random_seed(0)
    mean, deviation = seen.mean(axis=0), seen.std(axis=0)
    network = keras.Sequential(
        [keras.layers.Dense(hidden, activation="relu"), keras.layers.Dense(len(LOOKS))]
    )
    steps = epochs * -(-len(seen) // 64)
    network.compile(
        keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(5e-3, steps), decay),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    inputs = np.clip((seen - mean) / deviation, -FARTHEST, FARTHEST)
    weights = np.where(right == LOOKS.index("clean"), CLEAN_WEIGHT, 1.0)
    history = network.fit(inputs, right, 64, epochs, verbose=0, sample_weight=weights)
    click.echo(f"right in {history.history['accuracy'][-1]:.1%} of {len(seen)} cases")
    names = ("hidden", "hidden_bias", "output", "output_bias")
    parameters = dict(zip(names, network.get_weights(), strict=True))
    return {"mean": mean, "deviation": deviation, **parameters}


def rounded(values):
    return json.loads(
        json.dumps(values.tolist()), parse_float=lambda x: float(f"{float(x):.{DIGITS}g}")
    )


@click.command()
@click.argument("photos", type=click.Path(path_type=Path), nargs=-1)
@click.option("--cases", "count", default=12000, show_default=True)
@click.option("--hidden", default=48, show_default=True)
@click.option("--decay", default=0.03, show_default=True)
@click.option("--epochs", default=80, show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=OUTPUT)
def main(photos, count, hidden, decay, epochs, output):
    parameters = fitted(*measured(photos, count), hidden, decay, epochs)
    lines = (f' "{name}": {json.dumps(rounded(values))}' for name, values in parameters.items())
    output.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
