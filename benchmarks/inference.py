"""How fast each file of a bundle restores, beside Keras and biharmonic inpainting, in one run.

    python benchmarks/inference.py BUNDLE [--size 48x48 --size 480x640] [--runs 20]

The candidates take turns, so that a slow moment of the machine falls on all of them alike; ratios
are medians of those of single rounds. Files restore pictures larger than they take in tiles. Keras
is `predict` on a batch of one picture, as a user would call it; it sees the whole picture.
"""

import os
import time
from pathlib import Path

import click
import numpy as np

from kerasgan.cli.options import SIZE
from kerasgan.startup import start_tensorflow

AMOUNT = 0.5


def candidates(bundle, threads, picture):
    """Functions that restore the picture, by name."""
    from kerasgan.images.pixels import to_float
    from kerasgan.model.loading import load_generator
    from kerasgan.restore.files import load_files
    from kerasgan.restore.tiling import restore_in_tiles
    from kerasgan.store.bundle import Bundle

    generator = load_generator(bundle)
    values = to_float(picture)[np.newaxis]
    functions = {"keras predict": lambda: generator.predict(values, verbose=0)}
    for name, model in load_files(Bundle.read(bundle), threads=threads):
        functions[name] = lambda model=model: restore_in_tiles(model, picture)
    return functions


def measure(functions, runs):
    """Milliseconds of each function, one row per round."""
    for function in functions.values():
        function()
    rows = []
    for _ in range(runs):
        row = []
        for function in functions.values():
            started = time.perf_counter()
            function()
            row.append((time.perf_counter() - started) * 1000)
        rows.append(row)
    return np.array(rows)


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--size", "sizes", type=SIZE, multiple=True, default=[(48, 48), (480, 640)])
@click.option("--runs", default=20, show_default=True)
def main(bundle, sizes, runs):
    start_tensorflow()
    from skimage import data
    from skimage.transform import resize

    from kerasgan.images.pixels import from_float, to_float
    from kerasgan.measure.baselines import biharmonic
    from kerasgan.noise.noisy import noisy_image
    from kerasgan.noise.salt_and_pepper import SaltAndPepper

    print(f"{os.cpu_count()} cores; milliseconds (and how many times faster than biharmonic)")
    for size in sizes:
        clean = resize(to_float(data.camera()), size, anti_aliasing=True)[..., np.newaxis]
        picture = from_float(noisy_image(clean.astype(np.float32), SaltAndPepper(AMOUNT)), np.uint8)
        functions = {"biharmonic": lambda picture=picture: biharmonic(picture)}
        for threads in (1, 2):
            for name, function in candidates(bundle, threads, picture).items():
                # Keras takes all cores, however many it is allowed.
                label = "" if name.startswith("keras") else f", {threads} threads"
                functions.setdefault(name + label, function)
        times = measure(functions, runs)
        print(f"\n{size[0]}x{size[1]}, amount {AMOUNT}, {runs} rounds")
        for name, column in zip(functions, times.T, strict=True):
            ratio = np.median(times[:, 0] / column)
            print(f"  {name:22} {np.median(column):10.2f}  {ratio:8.1f}")


if __name__ == "__main__":
    main()
