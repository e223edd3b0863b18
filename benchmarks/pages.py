"""How a model restores pages, screens and drawings: Markdown on stdout.

    python benchmarks/pages.py MODEL [--count 10] [--show FOLDER]

Pictures that no training saw: those of scikit-image, and those that benchmarks/inspection.py draws,
each clean and with salt and pepper. Pages of 1 bit, which have no greys to tell letters by, are
counted apart. PSNR in dB, of outputs rounded to 8 bits; an exact one counts 100. The model restores
everything, as by `denoise --force`.
"""

from pathlib import Path

import click
import inspection
import numpy as np
from PIL import Image
from skimage import data

from kerasgan.measure.baselines import BASELINES
from kerasgan.measure.metrics import EXACT_PSNR, psnr
from kerasgan.restore.restorer import load_restorer

DRAWN = (
    inspection.page,
    inspection.screen,
    inspection.chart,
    inspection.comic,
    inspection.code,
    inspection.pattern,
)
SHARES = (0.0, 0.02, 0.1, 0.5)
FILTERS = ("median 3×3", "adaptive median")


def pictures(count):
    """Names of kinds, and a picture (H, W, C) of each again and again."""
    for name in ("page", "text"):
        yield f"scikit-image's {name}", getattr(data, name)()[..., np.newaxis]
    for index in range(count):
        for draw in DRAWN:
            random = np.random.default_rng((2, index))
            size = tuple(int(side) for side in random.integers(200, 400, 2))
            picture = draw(random, size)
            one_bit = draw is inspection.page and len(np.unique(picture)) == 2
            yield draw.__name__ + ", 1 bit" * one_bit, picture


def capped_psnr(clean, restored):
    """PSNR in dB, of 8 bits; an exact picture counts as much as a hundred."""
    return min(EXACT_PSNR, psnr(clean, restored, 255))


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--count", default=10, show_default=True, help="Pictures of each kind.")
@click.option("--show", type=click.Path(path_type=Path), help="Where pictures are written.")
def main(model, count, show):
    restore = load_restorer(model)
    methods = {"noisy": lambda noisy: noisy}
    methods |= {name: BASELINES[name] for name in FILTERS} | {model.name: restore}
    figures = {}
    for index, (kind, clean) in enumerate(pictures(count)):
        for share in SHARES:
            random = np.random.default_rng((3, index))
            noisy = inspection.salt_and_pepper(clean, random, share, one_color=False)
            seen = [clean, noisy]
            for name, method in methods.items():
                restored = method(noisy)
                figures.setdefault((kind, name), {}).setdefault(share, []).append(
                    capped_psnr(clean, restored)
                )
            if show is not None:
                seen.append(restored)
                show.mkdir(parents=True, exist_ok=True)
                strip = np.concatenate([np.broadcast_to(p, (*p.shape[:2], 3)) for p in seen], 1)
                Image.fromarray(strip).save(show / f"{index:03} {kind} {share:g}.png")
    print("| picture | method | " + " | ".join(f"{share:.0%}" for share in SHARES) + " |")
    print("| --- | --- |" + " --- |" * len(SHARES))
    for (kind, name), by_share in sorted(figures.items()):
        cells = (f"{np.mean(by_share[share]):.1f}" for share in SHARES)
        print(f"| {kind} | {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
