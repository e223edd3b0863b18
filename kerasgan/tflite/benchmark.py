"""How fast a .tflite file restores on this machine, and what memory that takes."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasgan.measure.memory import peak_mib
from kerasgan.measure.peak import peak_gflops
from kerasgan.restore.files import load_file
from kerasgan.restore.tiling import restore_in_tiles
from kerasgan.store.bundle import Bundle, is_bundle


@dataclass(frozen=True)
class Speed:
    """What one file took to restore pictures of one size.

    Attributes:
        file: its name.
        height: of the pictures, in pixels.
        width: of the pictures, in pixels.
        threads: how many the file was allowed.
        load_ms: milliseconds from the file to a model that is ready.
        first_ms: of the first picture.
        median_ms: of a picture, after that.
        p90_ms: that nine pictures in ten took at most.
        peak_mib: MiB by which the process grew from before the file was loaded.
        multiply_accumulates: of the network for each pixel; None where no manifest tells.
        peak_gflops: 10⁹ operations a second that `measure.peak.peak_gflops` measured.
    """

    file: str
    height: int
    width: int
    threads: int
    load_ms: float
    first_ms: float
    median_ms: float
    p90_ms: float
    peak_mib: float
    multiply_accumulates: float | None
    peak_gflops: float

    @property
    def peak_share(self) -> float | None:
        """Share of the matrix product's speed; None where the network's cost is not known.

        What tiles compute twice counts once; the median stands against the machine's best.
        """
        if self.multiply_accumulates is None:
            return None
        operations = 2 * self.multiply_accumulates * self.height * self.width
        return operations / (self.median_ms * 1e6) / self.peak_gflops

    @property
    def images_per_second(self) -> float:
        """Pictures of that size in a second."""
        return 1000 / self.median_ms

    @property
    def megapixels_per_second(self) -> float:
        """Millions of pixels in a second."""
        return self.height * self.width / self.median_ms / 1000

    def to_dict(self) -> dict[str, Any]:
        """Returns the values, and those that follow from them, as a JSON-compatible dictionary."""
        return {
            **asdict(self),
            "images_per_second": self.images_per_second,
            "megapixels_per_second": self.megapixels_per_second,
            "peak_share": self.peak_share,
        }


def measure(
    file: Path, *, size: tuple[int, int] | None = None, threads: int = 1, runs: int = 50
) -> list[Speed]:
    """Measures a file, for each size in a process of its own.

    Args:
        file: a .tflite file.
        size: height and width of the pictures; None for those that the file takes at once.
        threads: how many threads it may use.
        runs: how many pictures are timed.

    Returns:
        One result for each size. Half of a picture's pixels are noise, larger pictures are restored
        in tiles, and a colour picture's three channels are counted once.

    Raises:
        ModelError: if the file cannot be loaded.
        MemoryError: if the process that ran it was killed, as by a lack of memory.
    """
    own = list(load_file(file).sizes.values())
    sizes = [size] if size else own or [(256, 256)]
    cost, peak = _cost(file), peak_gflops(threads)
    speeds = []
    for one in sizes:
        # A fresh process: memory that was once taken is seldom given back.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            try:
                figures = pool.submit(_measure_here, file, one, threads, runs).result()
            except BrokenProcessPool as error:
                raise MemoryError from error
        speeds.append(Speed(file.name, *one, threads, *figures, cost, peak))
    return speeds


def _cost(file: Path) -> float | None:
    """Multiply-accumulates for each pixel, by the manifest beside a file, if it tells."""
    cost = Bundle.read(file.parent).manifest.get("cost") if is_bundle(file.parent) else None
    return None if cost is None else cost["multiply_accumulates"]


def _measure_here(
    file: Path, size: tuple[int, int], threads: int, runs: int
) -> tuple[float, float, float, float, float]:
    from ai_edge_litert.interpreter import Interpreter  # noqa: F401  Loading it is not the file's.

    before = peak_mib()
    started = time.perf_counter()
    model = load_file(file, threads=threads, sound=True)
    load_ms = (time.perf_counter() - started) * 1000
    random = np.random.default_rng(0)
    noisy = random.integers(1, 255, (*size, model.channels), np.uint8)
    draw = random.random(size)
    noisy[draw < 0.25], noisy[draw > 0.75] = 0, 255
    times = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        restore_in_tiles(model, noisy)
        times.append((time.perf_counter() - started) * 1000)
    first, *steady = times
    return (
        load_ms,
        first,
        float(np.median(steady)),
        float(np.percentile(steady, 90)),
        peak_mib() - before,
    )


def format_table(speeds: list[Speed]) -> str:
    """Lays results out as text."""
    lines = [
        f"{'':18} {'size':>9} {'load':>7} {'first':>8} {'median':>8} {'90 %':>8} "
        f"{'images/s':>9} {'Mpixel/s':>9} {'memory':>8} {'of peak':>8}"
    ]
    for speed in speeds:
        size = f"{speed.height}x{speed.width}"
        share = "" if speed.peak_share is None else f"{speed.peak_share:.0%}"
        lines.append(
            f"{speed.file:18} {size:>9} {speed.load_ms:7.1f} {speed.first_ms:8.2f} "
            f"{speed.median_ms:8.2f} {speed.p90_ms:8.2f} {speed.images_per_second:9.1f} "
            f"{speed.megapixels_per_second:9.3f} {speed.peak_mib:8.1f} {share:>8}"
        )
    first = speeds[0]
    lines.append(
        f"The peak is that of a product of matrices, float32, {first.threads} "
        f"thread{'s' * (first.threads > 1)}: {first.peak_gflops:.0f} GFLOP/s"
    )
    if first.multiply_accumulates is not None:
        lines[-1] += f"; the network takes {first.multiply_accumulates:,.0f} "
        lines[-1] += "multiply-accumulates for each pixel"
    return "\n".join(lines)
