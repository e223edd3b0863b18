"""What `kerasgan denoise` makes of pictures of every kind by itself: Markdown on stdout.

    python benchmarks/choosing.py FOLDER [FOLDER ...] [--limit 6] [--show FOLDER]

Photographs of the folders, grey or in colour, and as many pages and screens of
benchmarks/inspection.py: clean, and with noise of many kinds. Mean PSNR in dB before, after, and of
the 3×3 median, where an exact picture counts 100; how many were changed, how many were changed for
the worse, and the worst of those that had been clean.
"""

from pathlib import Path

import click
import impulses
import inspection
import numpy as np
from pages import capped_psnr
from PIL import Image

from kerasgan.images.contact_sheet import save_comparison
from kerasgan.images.pixels import to_float
from kerasgan.measure.baselines import BASELINES
from kerasgan.restore.choice import Choice
from kerasgan.restore.restorer import load_restorer

median = BASELINES["median 3×3"]


def times(gain, offset=0.0):
    return lambda pixels, random: inspection.to_bytes(gain * pixels.astype(float) + offset)


def as_it_is(pixels, random):
    return pixels


def page(pixels, random):
    return inspection.page(random, pixels.shape[1::-1])


def page_of_one_bit(pixels, random):
    return np.where(page(pixels, random) > 127, 255, 0).astype(np.uint8)


def screen(pixels, random):
    return inspection.screen(random, pixels.shape[1::-1])


def clean(pixels, random, level):
    return pixels, pixels


def salted(pixels, random, share):
    return pixels, impulses.salted(pixels, random, share)


def hot(pixels, random, share):
    hit = random.random(pixels.shape) < share
    values = random.integers(200, 245, pixels.shape)
    return pixels, np.where(hit, values, pixels).astype(np.uint8)


def poisson(pixels, random, peak):
    return pixels, inspection.to_bytes(random.poisson(pixels / 255 * peak) / peak * 255)


any_value = impulses.KINDS["any value"]
saved, smaller = impulses.compressed(90), impulses.resized(0.75)
PHOTO, PAGE, SCREEN = ("a photograph", as_it_is), ("a page", page), ("a screen", screen)
DARK = ("a dark photograph", times(0.25))

# What it shows, what is wrong with it, of which level.
CASES = [
    *((shown, "nothing", clean, 0.0) for shown in (PHOTO, DARK)),
    (("an overexposed photograph", times(1.8, 20)), "nothing", clean, 0.0),
    (("a page of 1 bit", page_of_one_bit), "nothing", clean, 0.0),
    *((shown, "nothing", clean, 0.0) for shown in (PAGE, SCREEN)),
    *(
        (shown, f"salt and pepper, {share:.0%}", salted, share)
        for shown in (PHOTO, PAGE, SCREEN)
        for share in (0.02, 0.1, 0.5, 0.9)
    ),
    (PHOTO, "salt and pepper, 10%, then JPEG of quality 90", saved, 0.1),
    (PHOTO, "salt and pepper, 10%, then resized × 0.75", smaller, 0.1),
    (PHOTO, "random values, 20%", any_value, 0.2),
    (DARK, "hot pixels of 200 to 244, 1%", hot, 0.01),
    *((PHOTO, f"Gaussian, σ {sigma}", impulses.grain, sigma) for sigma in (10, 25, 50)),
    (PHOTO, "Poisson, 30 photons for white", poisson, 30.0),
]


def photographs(folders, limit):
    for folder in folders:
        for file in sorted(folder.iterdir())[:limit]:
            pixels = np.asarray(Image.open(file))
            yield pixels if pixels.ndim == 3 else pixels[..., np.newaxis]


def show_all(folder, number, name, columns):
    colour = {
        title: [np.broadcast_to(to_float(pixels), (*pixels.shape[:2], 3))]
        for title, pixels in columns.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_comparison(folder / f"{number:03} {name.replace('/', ' ')}.png", colour, inches=3.2)


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--limit", default=6, show_default=True, help="Pictures of each folder.")
@click.option("--show", type=click.Path(path_type=Path), help="Where pictures are written.")
def main(folders, limit, show):
    choose = Choice(None, load_restorer)
    print("| picture | what is wrong | before | after | median | changed | for the worse |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    photos = list(photographs(folders, limit))
    for (shown, make), wrong, corrupt, level in CASES:
        rows = []
        for number, photo in enumerate(photos):
            random = np.random.default_rng((6, number))
            original, noisy = corrupt(make(photo, random), random, level)
            restored = choose(noisy).pixels
            rows.append([capped_psnr(original, seen) for seen in (noisy, restored, median(noisy))])
            rows[-1] += [not np.array_equal(noisy, restored), rows[-1][1] < rows[-1][0]]
            if show is not None:
                columns = {"clean": original, "before": noisy, "after": restored}
                show_all(show, number, f"{shown}, {wrong}", columns)
        before, after, filtered, *_ = np.mean(rows, axis=0)
        changed, worse = np.sum(rows, axis=0)[3:].astype(int)
        told = (
            f"{worse}" if wrong != "nothing" else f"{worse}, at worst {np.min(rows, axis=0)[1]:.1f}"
        )
        cells = (shown, wrong, f"{before:.1f}", f"{after:.1f}", f"{filtered:.1f}")
        print(f"| {' | '.join(cells)} | {changed} of {len(rows)} | {told} |", flush=True)


if __name__ == "__main__":
    main()
