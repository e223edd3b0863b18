"""How training grows with batch and patch, and loading with images: tables and fitted exponents.

    python benchmarks/growth_training.py [--preset selective] [--most 300000]

Every case has a process of its own, whose memory starts anew; memory is by how much it grew. A step
is timed by the processor, all threads together, over how many there are: the median of ten. Loading
is from a CSV file as FER2013's, of made-up faces that all differ, to the first batch, by the clock;
what is prepared once is counted in. An exponent of 1 is growth in proportion.
"""

import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
import numpy as np

from kerasgan.measure.memory import peak_mib
from kerasgan.presets import PRESETS
from kerasgan.startup import start_tensorflow
from kerasgan.store.machine import processors

BATCHES, PATCHES, USUAL = (8, 16, 32, 64, 128), (32, 48, 64, 96, 128), 16
SMALLEST, STEPS = 1000, 10


def step(preset, batch_size, patch_size):
    """Milliseconds of a step, and MiB of building and taking it."""
    start_tensorflow()
    import tensorflow as tf

    from kerasgan import DenoisingGAN

    before = peak_mib()
    config = PRESETS[preset].replace(data__patch_size=patch_size)
    train_step = tf.function(DenoisingGAN.from_run_config(config, 1000).train_step)
    random = np.random.default_rng(0)
    clean = random.random((batch_size, patch_size, patch_size, 1), np.float32)
    draw = random.random(clean.shape, np.float32)
    pair = tf.constant(np.where(draw < 0.3, draw < 0.15, clean).astype(np.float32)), clean
    train_step(pair)
    times = []
    for _ in range(STEPS):
        started = time.process_time()
        train_step(pair)["g_loss"].numpy()
        times.append((time.process_time() - started) / processors())
    return 1000 * np.median(times), peak_mib() - before


def write_faces(path, count):
    faces = np.random.default_rng(0).integers(0, 256, (SMALLEST, 48 * 48 - 3), np.uint8)
    texts = [" ".join(map(str, face)) for face in faces]
    with path.open("w") as file:
        file.write("emotion,pixels,Usage\n")
        for number in range(count):
            own = " ".join(str(number // 256**place % 256) for place in range(3))
            usage = "PublicTest" if number % 10 == 0 else "Training"
            file.write(f"0,{own} {texts[number % SMALLEST]},{usage}\n")


def load(path):
    """Milliseconds from the file to the first batch, and MiB of it."""
    start_tensorflow()
    from kerasgan import load_images, training_pairs

    before, started = peak_mib(), time.perf_counter()
    images = load_images(path).train
    pairs = training_pairs(images, noise=PRESETS["selective"].noise, batch_size=USUAL)
    next(iter(pairs))
    return 1000 * (time.perf_counter() - started), peak_mib() - before


def table(title, cases, measure):
    """Prints what every case takes, and the exponents of their growth."""
    print(f"\n| {title} | ms | MiB |\n| --- | --- | --- |")
    rows = []
    for size, case in cases:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            spent, memory = pool.submit(measure, *case).result()
        rows.append((size, spent, memory))
        print(f"| {size:,} | {spent:.0f} | {memory:.0f} |", flush=True)
    sizes, *grown = np.log(rows).T
    powers = (np.polyfit(sizes, values, 1)[0] for values in grown)
    print("\nTime grows to the power {:.2f}, memory to {:.2f}".format(*powers))


@click.command()
@click.option("--preset", type=click.Choice(list(PRESETS)), default="selective", show_default=True)
@click.option("--most", default=300_000, show_default=True, help="Images to load.")
def main(preset, most):
    patch = PRESETS[preset].data.patch_size
    cases = [(size, (preset, size, patch)) for size in BATCHES]
    table(f"batches, of patches of {patch}×{patch}", cases, step)
    cases = [(size**2, (preset, USUAL, size)) for size in PATCHES]
    table(f"pixels of a patch, in batches of {USUAL}", cases, step)
    with tempfile.TemporaryDirectory() as folder:
        # Where what is prepared from a file is kept.
        os.environ["TFDS_DATA_DIR"] = folder
        cases, count = [], SMALLEST
        while count <= most:
            write_faces(path := Path(folder, f"{count}.csv"), count)
            cases.append((count, (path,)))
            count = count * 3 if str(count)[0] == "1" else count // 3 * 10
        table("images of 48×48", cases, load)


if __name__ == "__main__":
    main()
