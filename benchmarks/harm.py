"""Where restoring does harm to what is black and white on purpose: Markdown on stdout.

    python benchmarks/harm.py [MODEL ...] [--count 2]

Pictures of benchmarks/inspection.py with salt and pepper from 0.5 to 50%, restored whatever
`kerasgan denoise` would say. What it would say goes by a ratio: by how many values black and white
alternate in the picture itself for each that noise hit. For each range of that ratio: the mean gain
in PSNR, in dB, and in how many cases it is a loss.
"""

from pathlib import Path

import click
import inspection
import numpy as np
from pages import DRAWN

from kerasgan.restore.impulses import find_impulses
from kerasgan.restore.restorer import load_restorer
from kerasgan.store.zoo import DEFAULT_MODEL, PAGES_MODEL, find_model

SHARES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
RATIOS = (0.0, 0.6, 1.1, 2.0, 4.0, 8.0, np.inf)
SIZE = (160, 160)
# Of 8 bits squared: nothing restores better than this, so that no exact picture outweighs others.
LEAST_ERROR = 1e-3


def squared_error(clean, other):
    return max(np.mean((clean.astype(float) - other) ** 2), LEAST_ERROR)


def cases(count):
    """Clean pictures, and the same with noise."""
    for index in range(count):
        for kind, draw in enumerate(DRAWN):
            random = np.random.default_rng((5, index, kind))
            clean = draw(random, SIZE)
            for share in SHARES:
                yield clean, inspection.salt_and_pepper(clean, random, share, one_color=False)


@click.command()
@click.argument("models", nargs=-1, type=click.Path(path_type=Path))
@click.option("--count", default=2, show_default=True, help="Pictures of each kind.")
def main(models, count):
    models = models or (Path(PAGES_MODEL), Path(DEFAULT_MODEL))
    restorers = [load_restorer(find_model(model)) for model in models]
    ratios, gains = [], []
    for clean, noisy in cases(count):
        found = find_impulses(noisy)
        if not found.is_salt_and_pepper:
            continue
        before = squared_error(clean, noisy)
        errors = [squared_error(clean, restore(noisy)) for restore in restorers]
        ratios.append(found.mixed / found.share)
        gains.append(10 * np.log10(before / np.array(errors)))
    places = np.searchsorted(RATIOS, ratios, side="right")
    print("| ratio | cases | " + " | ".join(f"{m.name}: gain, harm in" for m in models) + " |")
    print("| --- | --- |" + " --- |" * len(models))
    for place, (low, high) in enumerate(zip(RATIOS, RATIOS[1:], strict=False), start=1):
        own = np.array(gains)[places == place]
        cells = [f"{m:+.1f}, {h}" for m, h in zip(own.mean(0), (own < 0).sum(0), strict=True)]
        print(f"| {low:g} to {high:g} | {len(own)} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
