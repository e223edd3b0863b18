"""How a model restores impulses that are not pure black and white: Markdown on stdout.

    python benchmarks/impulses.py MODEL FOLDER [--limit 10] [--show FOLDER]
    python benchmarks/impulses.py MODEL --drawn 4

Grey pictures of FOLDER with impulses as files hold them: salt and pepper, then Pillow's JPEG or
bicubic resizing; values of any brightness; hot and dead pixels. Mean PSNR in dB, of outputs rounded
to 8 bits, beside the filters that people use. The model restores everything, as by `denoise
--force`.

With --drawn, pages, screens and drawings that benchmarks/inspection.py makes up, clean, with these
impulses or with grain: what `inspect` takes for impulses is restored, and its gain is told, by
whether much of the picture is black or white by itself.
"""

from pathlib import Path

import click
import inspection
import numpy as np
import pages
from PIL import Image

from kerasgan.measure.baselines import BASELINES
from kerasgan.measure.metrics import psnr
from kerasgan.restore.inspection import inspect
from kerasgan.restore.restorer import load_restorer

SHARES = (0.05, 0.1, 0.2, 0.4)
FILTERS = ("median 3×3", "median 5×5", "adaptive median")
DRAWN_SHARES, SIGMAS = (0.05, 0.2), (10, 15, 25, 40)


def salted(clean, random, share):
    return inspection.salt_and_pepper(clean, random, share, one_color=False)


def compressed(quality):
    def corrupt(clean, random, share):
        noisy = salted(clean, random, share)
        return clean, inspection.by_pillow(
            noisy, lambda image: inspection.through_jpeg(image, quality)
        )

    return corrupt


def resized(factor):
    def corrupt(clean, random, share):
        size = [round(factor * side) for side in clean.shape[1::-1]]
        return tuple(
            inspection.by_pillow(picture, lambda image: image.resize(size, Image.BICUBIC))
            for picture in (clean, salted(clean, random, share))
        )

    return corrupt


def replaced(draw):
    def corrupt(clean, random, share):
        hit = random.random(clean.shape) < share
        return clean, np.where(hit, draw(random, clean.shape), clean).astype(np.uint8)

    return corrupt


def hot_or_dead(random, shape):
    return np.where(
        random.random(shape) < 0.5, random.integers(200, 255, shape), random.integers(1, 30, shape)
    )


KINDS = {
    **{f"JPEG of quality {quality}": compressed(quality) for quality in (60, 80, 95)},
    **{f"resized × {factor:g}": resized(factor) for factor in (0.5, 0.75, 1.5, 2.0)},
    "any value": replaced(lambda random, shape: random.integers(0, 256, shape)),
    "hot and dead": replaced(hot_or_dead),
}


def grain(clean, random, sigma):
    return clean, inspection.to_bytes(clean + random.normal(0, sigma, clean.shape))


def on_drawings(restore, count):
    """Gains in dB, by whether a picture is drawn and what it has."""
    cases = [("impulses", corrupt, share) for corrupt in KINDS.values() for share in DRAWN_SHARES]
    cases += [("grain", grain, sigma) for sigma in SIGMAS]
    cases += [("nothing", lambda clean, random, share: (clean, clean), 0.0)]
    gains = {}
    for index in range(count):
        for draw in pages.DRAWN:
            random = np.random.default_rng((2, index))
            original = draw(random, tuple(int(side) for side in random.integers(200, 400, 2)))
            for what, corrupt, level in cases:
                clean, noisy = corrupt(original, random, level)
                if (found := inspect(noisy)).kind == "impulses":
                    before, after = (
                        pages.capped_psnr(clean, seen) for seen in (noisy, restore(noisy))
                    )
                    gains.setdefault((found.is_drawn, what), []).append(after - before)
    print("| black and white by itself | what it has | pictures | mean gain | harm in | worst |")
    print("| --- | --- | --- | --- | --- | --- |")
    for (is_drawn, what), found in sorted(gains.items()):
        told = f"{np.mean(found):+.1f} | {sum(gain < 0 for gain in found)} | {min(found):+.1f}"
        print(f"| {'yes' if is_drawn else 'no'} | {what} | {len(found)} | {told} |")


def on_photographs(model, folder, limit, show):
    """Mean PSNR of the model and of filters, by kind and share."""
    methods = {"noisy": lambda noisy: noisy, **{name: BASELINES[name] for name in FILTERS}}
    methods[model.name] = load_restorer(model)
    figures = {}
    for index, file in enumerate(sorted(folder.iterdir())[:limit]):
        original = np.asarray(Image.open(file).convert("L"))[..., np.newaxis]
        for kind, corrupt in KINDS.items():
            for share in SHARES:
                clean, noisy = corrupt(original, np.random.default_rng((4, index)), share)
                seen = [clean, noisy]
                for name, method in methods.items():
                    restored = method(noisy)
                    found = figures.setdefault((kind, name), {}).setdefault(share, [])
                    found.append(psnr(clean, restored, 255))
                if show is not None:
                    seen.append(restored)
                    show.mkdir(parents=True, exist_ok=True)
                    strip = np.concatenate(seen, 1)[..., 0]
                    Image.fromarray(strip).save(show / f"{index:03} {kind} {share:g}.png")
    print("| impulses | method | " + " | ".join(f"{share:.0%}" for share in SHARES) + " |")
    print("| --- | --- |" + " --- |" * len(SHARES))
    for (kind, name), by_share in figures.items():
        cells = (f"{np.mean(by_share[share]):.2f}" for share in SHARES)
        print(f"| {kind} | {name} | " + " | ".join(cells) + " |")


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument(
    "folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@click.option("--drawn", type=click.IntRange(1), help="Pictures of each kind that is drawn.")
@click.option("--limit", type=click.IntRange(1), help="Pictures to use; all unless given.")
@click.option("--show", type=click.Path(path_type=Path), help="Where pictures are written.")
def main(model, folder, drawn, limit, show):
    if (folder is None) == (drawn is None):
        raise click.UsageError("name a folder of pictures, or --drawn")
    if drawn:
        on_drawings(load_restorer(model), drawn)
    else:
        on_photographs(model, folder, limit, show)


if __name__ == "__main__":
    main()
