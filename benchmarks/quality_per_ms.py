"""PSNR against milliseconds: every file for salt and pepper that comes with kerasgan, and filters.

    python benchmarks/quality_per_ms.py fer2013.csv [--pictures 100] [--plot FILE.png]

On faces of FER2013, 48×48: those of PublicTest that do not stand in Training, too. All take turns
on every picture, on one thread. Milliseconds are of the processor, which another load disturbs less
than the wall clock. OpenCV is of the dependency group `benchmarks`.
"""

import os
import time
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # Before NumPy is imported.

import click
import cv2
import numpy as np

from kerasgan.data.sources import load_images
from kerasgan.images.pixels import from_float, to_float
from kerasgan.measure.baselines import IMPULSES
from kerasgan.measure.metrics import psnr
from kerasgan.noise.noisy import noisy_image
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.restore.files import load_files
from kerasgan.restore.restorer import Restorer
from kerasgan.store.bundle import Bundle
from kerasgan.store.purpose import removed_noise
from kerasgan.store.zoo import saved_models

AMOUNTS = (0.15, 0.5, 0.9)
RADIUS = 3


def inpainting(method):
    def restore(noisy):
        unknown = np.isin(noisy, (0, 255)).astype(np.uint8)
        return cv2.inpaint(noisy, unknown, RADIUS, method)[..., np.newaxis]

    return restore


def ours():
    """What restores, by the names of a model and a file."""
    for model, folder in saved_models().items():
        if removed_noise(folder).kind != SaltAndPepper.kind:
            continue
        for precision, file in load_files(Bundle.read(folder)):
            yield f"{model} {precision}", Restorer(file)


def others():
    return {
        "OpenCV median 3×3": lambda noisy: cv2.medianBlur(noisy, 3)[..., np.newaxis],
        "OpenCV median 5×5": lambda noisy: cv2.medianBlur(noisy, 5)[..., np.newaxis],
        "OpenCV inpainting, Telea": inpainting(cv2.INPAINT_TELEA),
        "OpenCV inpainting, Navier-Stokes": inpainting(cv2.INPAINT_NS),
        **IMPULSES,
    }


def measure(methods, clean, amount):
    """For each method, what every picture came to: milliseconds and PSNR, (pictures, 2)."""
    noise = SaltAndPepper((amount, amount))
    results = {name: [] for name in methods}
    for index, face in enumerate(clean):
        noisy = noisy_image(to_float(face), noise.at(amount), seed=0, index=index)
        noisy = from_float(noisy, np.uint8)
        for name, restore in methods.items():
            started = time.process_time()
            restored = restore(noisy)
            spent = (time.process_time() - started) * 1000
            results[name].append((spent, psnr(face, restored, 255)))
    return {name: np.array(rows) for name, rows in results.items()}


def report(results, own):
    """Prints a table, and which filters are better and faster than every file."""
    print("| method | PSNR, dB | ms | 10–90 % |\n| --- | --- | --- | --- |")
    points = {}
    for name, rows in results.items():
        points[name] = np.median(rows[:, 0]), rows[:, 1].mean()
        low, high = np.percentile(rows[:, 0], (10, 90))
        milliseconds, decibels = points[name]
        print(f"| {name} | {decibels:.2f} | {milliseconds:.2f} | {low:.2f}–{high:.2f} |")
    ahead = [
        name
        for name in points.keys() - own
        if all(
            points[name][0] < points[file][0] and points[name][1] > points[file][1] for file in own
        )
    ]
    print(f"\nBetter and faster than every file: {', '.join(ahead) or 'none'}.")
    return points


def draw(points_of, own, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(points_of), figsize=(15, 5), layout="constrained")
    for axis, (amount, points) in zip(axes, points_of.items(), strict=True):
        for name, point in points.items():
            if name in own:
                axis.plot(*point, linestyle="", marker="o", label=name)
                continue
            axis.plot(*point, linestyle="", color="C7", marker="x")
            axis.annotate(name, point, (4, 2), textcoords="offset points", fontsize=6)
        axis.set(xscale="log", xlabel="ms of one thread", title=f"{amount:.0%} of pixels replaced")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("PSNR, dB")
    axes[0].legend(fontsize=7)
    figure.savefig(path, dpi=110)


@click.command()
@click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--pictures", default=100, show_default=True)
@click.option("--plot", type=click.Path(path_type=Path), help="Draw it there, too.")
def main(data, pictures, plot):
    cv2.setNumThreads(1)
    own = dict(ours())
    methods = {**own, **others()}
    clean = load_images(data).validation.first(pictures)
    measure(methods, clean.first(1), AMOUNTS[0])  # From then on, everything is loaded.
    points_of = {}
    for amount in AMOUNTS:
        print(f"\n## {amount:.0%}, {len(clean)} faces\n")
        points_of[amount] = report(measure(methods, clean, amount), own.keys())
    if plot is not None:
        draw(points_of, own.keys(), plot)


if __name__ == "__main__":
    main()
