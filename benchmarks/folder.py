"""How much faster all processors restore a folder of pictures than one does, in one run.

    python benchmarks/folder.py [--pictures 1000] [--size 480x640] [--model selective-photos]

`kerasgan denoise` restores the same folder with all processors that there are, and held to one of
them. The pictures are parts of scikit-image's photographs, grey, half of each noise.
Seconds are of the wall clock, from the command to its end.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
from PIL import Image
from skimage import data

from kerasgan.cli.options import SIZE
from kerasgan.images.pixels import from_float, random_crop, to_float
from kerasgan.noise.noisy import noisy_image
from kerasgan.noise.salt_and_pepper import SaltAndPepper

PHOTOGRAPHS = ("camera", "brick", "grass", "gravel", "moon")


def fill(folder, count, size):
    """Writes the pictures, uint8 PNG of that height and width."""
    random = np.random.default_rng(0)
    photographs = [getattr(data, name)()[..., None] for name in PHOTOGRAPHS]
    for number in range(count):
        clean = random_crop(photographs[number % len(photographs)], size, random)
        noisy = noisy_image(to_float(clean), SaltAndPepper(0.5), index=number)
        Image.fromarray(from_float(noisy, np.uint8)[..., 0]).save(
            folder / f"{number:04}.png", compress_level=1
        )


def restore(folder, output, model, allowed):
    """Restores the folder; returns the seconds of the clock and of the processors."""

    def spent():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    command = [sys.executable, "-m", "kerasgan", "denoise", folder, "--model", model, "-o", output]
    started, before = time.perf_counter(), spent()
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),
    )
    return time.perf_counter() - started, spent() - before


@click.command()
@click.option("--pictures", default=1000, show_default=True)
@click.option("--size", type=SIZE, default=(480, 640), show_default="480x640")
@click.option("--model", default="selective-photos", show_default=True)
def main(pictures, size, model):
    everyone = os.sched_getaffinity(0)
    if len(everyone) == 1:
        raise SystemExit("this machine has one processor: there is nothing to compare")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "noisy")
        folder.mkdir()
        fill(folder, pictures, size)
        times = {}
        print("| processors | seconds | pictures/s | busy |\n| --- | --- | --- | --- |")
        for allowed in (everyone, {min(everyone)}):
            count = len(allowed)
            clock, own = restore(folder, Path(name, f"by {count}"), model, allowed)
            times[count] = clock
            busy = own / clock / count
            print(f"| {count} | {clock:.1f} | {pictures / clock:.1f} | {busy:.0%} |", flush=True)
        ratio = times[1] / times[len(everyone)]
        print(f"\n{len(everyone)} processors are {ratio:.2f} times as fast as one.")


if __name__ == "__main__":
    main()
