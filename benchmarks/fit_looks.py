"""Fits what tells kinds of noise apart to the first half of inspection.py's cases.

    python benchmarks/fit_looks.py [PHOTOS...] [--cases 20000] [--output FILE]

Measuring the cases takes most of the time, half an hour on one core; the trees, which LightGBM
grows, seconds. It is of the dependency group `benchmarks`.
"""

import itertools
import json
from pathlib import Path

import click
import inspection
import numpy as np

from kerasgan.restore.impulses import find_impulses, sample
from kerasgan.restore.looks import LEAF, LOOKS, measure, vector
from kerasgan.restore.restorer import load_restorer
from kerasgan.store.zoo import DEFAULT_MODEL, read_saved_model

OUTPUT = Path(__file__).parents[1] / "kerasgan" / "restore" / "looks.json"
# What is clean and taken for noise is harmed, so it counts for more.
CLEAN_WEIGHT = 2.0
# What salt and pepper may hide. Of so many cases, one more is such a picture.
HIDDEN, FILLED_OF = ("clean", "gaussian", "poisson", "speckle", "random values"), 10
DIGITS = 6


def filled(folders, indices):
    """Photographs from which salt and pepper was taken, with what it hid, and their looks."""
    restore = load_restorer(read_saved_model(DEFAULT_MODEL).path)
    photos = list(inspection.photographs(folders))[::2]
    for index in indices:
        random = np.random.default_rng((2, index))
        pixels, _ = inspection.exposed(photos[random.integers(len(photos))], random)
        noisy, look, *_ = inspection.damaged(pixels, random.choice(HIDDEN), random, True)
        share = random.choice(inspection.SHARES[2:9])
        yield restore(inspection.salt_and_pepper(noisy, random, share, False)), look


def measured(cases):
    """What the trees see of each case, and which look is right."""
    seen, right = [], []
    for pixels, kind in cases:
        planes = sample(pixels)
        seen.append(vector(measure(planes), find_impulses(pixels)))
        right.append(LOOKS.index(kind))
    return np.array(seen), np.array(right)


def fitted(seen, right, rounds, rate, leaves, fewest):
    """The trees: as many of each look, by turns."""
    import lightgbm

    weights = np.where(right == LOOKS.index("clean"), CLEAN_WEIGHT, 1.0)
    parameters = {
        "objective": "multiclass",
        "num_class": len(LOOKS),
        "learning_rate": rate,
        "num_leaves": leaves,
        "min_data_in_leaf": fewest,
        "seed": 0,
        "verbose": -1,
    }
    forest = lightgbm.train(parameters, lightgbm.Dataset(seen, right, weight=weights), rounds)
    is_right = forest.predict(seen).argmax(axis=1) == right
    click.echo(f"right in {is_right.mean():.1%} of {len(seen)} cases")
    return [tree["tree_structure"] for tree in forest.dump_model()["tree_info"]]


def flat(trees):
    """Nodes of trees as `looks.json` has them."""
    nodes = {"root": list(range(len(trees))), "measure": [], "value": [], "next": []}
    waiting = list(trees)
    for node in waiting:
        is_leaf = "leaf_value" in node
        nodes["measure"].append(LEAF if is_leaf else node["split_feature"])
        nodes["value"].append(rounded(node["leaf_value" if is_leaf else "threshold"]))
        nodes["next"].append(0 if is_leaf else len(waiting))
        waiting += [] if is_leaf else [node["left_child"], node["right_child"]]
    return nodes


def rounded(value):
    return float(f"{value:.{DIGITS}g}")


@click.command()
@click.argument("photos", type=click.Path(path_type=Path), nargs=-1)
@click.option("--cases", "count", default=20000, show_default=True)
@click.option("--rounds", default=40, show_default=True)
@click.option("--rate", default=0.2, show_default=True)
@click.option("--leaves", default=31, show_default=True)
@click.option("--fewest", default=60, show_default=True, help="Cases in a leaf.")
@click.option("--output", type=click.Path(path_type=Path), default=OUTPUT)
def main(photos, count, output, **options):
    cases = ((pixels, kind) for _, _, pixels, kind, _, _ in inspection.cases(photos, count, half=0))
    every = itertools.chain(cases, filled(photos, range(count // FILLED_OF)))
    nodes = flat(fitted(*measured(every), **options))
    lines = (f' "{name}": {json.dumps(values)}' for name, values in nodes.items())
    output.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
