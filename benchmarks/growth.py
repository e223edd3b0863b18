"""How time and memory of restoring grow with the picture: a table, and fitted exponents.

    python benchmarks/growth.py FILE.tflite [--largest 6000x8000] [--threads 1]

Every size is restored in a process of its own, whose memory starts anew. Milliseconds are of the
processor, the median of as many runs as take half a second; memory is by how much the process grew
since before the file was loaded. An exponent of 1 is growth in proportion to the pixels.
"""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
import numpy as np

from kerasgan.cli.options import SIZE

SMALLEST = 48, 48
SECONDS, MOST = 0.5, 20


def sizes_up_to(largest):
    """Heights and widths, each four times the pixels of the one before."""
    height, width = SMALLEST
    while height * width < largest[0] * largest[1] / 2:
        yield height, width
        height, width = 2 * height, 2 * width
    yield largest


def measure(file, size, threads):
    """Milliseconds of the processor, MiB of the restoring, how many windows, and their pixels."""
    from ai_edge_litert.interpreter import Interpreter  # noqa: F401

    from kerasgan.measure.memory import peak_mib
    from kerasgan.restore.files import load_file
    from kerasgan.restore.tiling import count_tiles, restore_in_tiles

    random = np.random.default_rng(0)
    before = peak_mib()
    model = load_file(file, threads=threads)
    noisy = random.integers(0, 256, (*size, model.channels), np.uint8)
    noisy[::2, ::2] = 255
    window = model.window(*size)
    count = count_tiles(*size, window)
    times = []
    while len(times) < MOST and sum(times) < SECONDS:
        started = time.process_time()
        restore_in_tiles(model, noisy)
        times.append(time.process_time() - started)
    computed = count * window.height * window.width
    return np.median(times) * 1000, peak_mib() - before, count, computed


@click.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--largest", type=SIZE, default=(6000, 8000), show_default="6000x8000")
@click.option("--threads", default=1, show_default=True)
def main(file, largest, threads):
    rows = []
    print("| height × width | ms | ns a pixel | computed / pixels | MiB |")
    print("| --- | --- | --- | --- | --- |")
    for size in sizes_up_to(largest):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            spent, memory, count, computed = pool.submit(measure, file, size, threads).result()
        pixels = size[0] * size[1]
        rows += [(pixels, spent, memory)] if count > 1 else []
        print(
            f"| {size[0]}×{size[1]} | {spent:.1f} | {spent * 1e6 / pixels:.0f} | "
            f"{computed / pixels:.2f} | {memory:.0f} |",
            flush=True,
        )
    pixels, *grown = np.log(rows).T
    time_power, memory_power = (np.polyfit(pixels, values, 1)[0] for values in grown)
    print(
        f"\nOf several windows: time grows as pixels to the power {time_power:.2f}, memory to "
        f"{memory_power:.2f}"
    )


if __name__ == "__main__":
    main()
