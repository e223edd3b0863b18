"""Draws what `kerasgan compare` measured: `make ablation`.

    python docs/make_ablation.py FOLDER PICTURE

FOLDER is the comparison's --output. Each point is one training; left and down are better.
"""

import json
from pathlib import Path

import click
import matplotlib.pyplot as plt
import numpy as np

from kerasgan.store.record import read_record

LOOKS = {"lpips": "LPIPS", "kernel_distance": "kernel distance"}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.argument("picture", type=click.Path(path_type=Path))
def main(folder, picture):
    trials = {}
    for path in sorted(folder.glob("*/values.json")):
        weight = read_record(path.parent / "config.json")[0].adversary.weight
        for level, values in json.loads(path.read_text())["values"].items():
            means = {key: np.mean(own) for key, own in values.items()}
            trials.setdefault(level, {}).setdefault(weight, []).append(means)
    rows = len(trials)
    figure, panels = plt.subplots(
        rows, len(LOOKS), figsize=(9, 3.6 * rows), layout="constrained", squeeze=False
    )
    for row, (level, weights) in zip(panels, trials.items(), strict=True):
        for axes, (name, title) in zip(row, LOOKS.items(), strict=True):
            for marker, (weight, own) in zip("osD^vP", sorted(weights.items()), strict=False):
                x, y = ([trial[key] for trial in own] for key in ("mse", name))
                axes.plot(x, y, marker, label=f"λ = {weight:g}", markersize=6)
            axes.set(xlabel=f"MSE (distortion), amount {level}", ylabel=f"{title} (perception)")
            axes.locator_params(axis="x", nbins=5)
            axes.spines[["top", "right"]].set_visible(False)
    panels[0, 0].legend(frameon=False)
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    main()
