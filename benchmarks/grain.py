"""How long a large photograph with grain takes, and how much memory, beside the usual filters.

    python benchmarks/grain.py [MODEL] [--size 1080x1920] [--sigma 25] [--rounds 3]

A photograph in colour with Gaussian noise, which all are told nothing of. Each restores it in a
process of its own, by turns, with what it loads loaded before: seconds are the wall clock's, memory
is by how much the process grew since before that. Ratios are to the model, medians of those of
single rounds.
"""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
import numpy as np

from kerasgan.cli.options import SIZE
from kerasgan.measure.baselines import GRAIN
from kerasgan.measure.memory import peak_mib
from kerasgan.measure.metrics import psnr
from kerasgan.restore.restorer import load_restorer
from kerasgan.store.zoo import CAMERA_MODEL, find_model


def photograph(size):
    """A photograph, uint8 (H, W, 3)."""
    from skimage import data
    from skimage.transform import resize

    return np.rint(255 * resize(data.coffee(), size)).astype(np.uint8)


def measure(name, model, clean, noisy):
    """Seconds, MiB, and the PSNR of what is restored, in dB."""
    before = peak_mib()
    restore = GRAIN[name] if name in GRAIN else load_restorer(find_model(model))
    restore(noisy[:64, :64])  # It imports what it needs.
    started = time.perf_counter()
    restored = restore(noisy)
    seconds = time.perf_counter() - started
    return seconds, peak_mib() - before, psnr(clean, restored, 255)


@click.command()
@click.argument("model", type=click.Path(path_type=Path), default=CAMERA_MODEL)
@click.option("--size", type=SIZE, default=(1080, 1920), show_default="1080x1920")
@click.option("--sigma", default=25.0, show_default=True, help="In levels of 8 bits.")
@click.option("--rounds", default=3, show_default=True)
def main(model, size, sigma, rounds):
    clean = photograph(size)
    noise = np.random.default_rng(0).normal(0, sigma, clean.shape)
    noisy = np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)
    names = (Path(model).name, *GRAIN)
    measured = np.empty((rounds, len(names), 3))
    context = multiprocessing.get_context("spawn")
    for row in measured:
        for place, name in enumerate(names):
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                row[place] = pool.submit(measure, name, model, clean, noisy).result()
    ratios = np.median(measured / measured[:, :1], axis=0)
    print("| what | PSNR, dB | seconds | ratio | MiB | ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, own, ratio in zip(names, np.median(measured, axis=0), ratios, strict=True):
        (seconds, memory, quality), (slower, larger, _) = own, ratio
        cells = (
            f"{quality:.2f}",
            f"{seconds:.1f}",
            f"{slower:.1f}",
            f"{memory:.0f}",
            f"{larger:.1f}",
        )
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
