"""Draws docs/sharpness.png: what the sharpness of a model trades, at several amounts of noise.

    kerasgan evaluate selective-fer2013-gan --data fer2013.csv --split validation --limit 400 \
      --looks --baselines none --sharpness 0:1 --amount 0.5 --amount 0.9 --json curve.json
    python docs/make_curve.py curve.json

Each point is one sharpness, of 0, 0.1, … to 1; left and down are better.
"""

import json
from pathlib import Path

import click
import matplotlib.pyplot as plt

LOOKS = {"lpips": "LPIPS (AlexNet)", "kernel_distance": "kernel distance"}


@click.command()
@click.argument("figures", type=click.Path(path_type=Path, exists=True))
def main(figures):
    scores = json.loads(figures.read_text())
    turned = [score for score in scores if score["method"].startswith("sharpness ")]
    levels = sorted({score["level"] for score in turned})
    shape = len(LOOKS), len(levels)
    figure, panels = plt.subplots(*shape, figsize=(3 * len(levels), 5), layout="constrained")
    for row, (name, title) in zip(panels, LOOKS.items(), strict=True):
        for axes, level in zip(row, levels, strict=True):
            own = [score for score in turned if score["level"] == level]
            x, y = ([score[key] for score in own] for key in ("psnr", name))
            axes.plot(x, y, "o-", color="#d55e00", markersize=4)
            for score in (own[0], own[-1]):
                end = "sharp" if score["method"] == "sharpness 1" else "faithful"
                at = score["psnr"], score[name]
                axes.annotate(end, at, (0, 6), textcoords="offset points", ha="center")
            axes.invert_xaxis()
            axes.margins(0.2)
            axes.set(xlabel="PSNR, dB", ylabel=title, title=f"{level:.0%} of noise")
            axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(Path(__file__).with_name("sharpness.png"), dpi=100)


if __name__ == "__main__":
    main()
