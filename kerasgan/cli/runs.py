"""Where runs go, and are found, that were given no folder."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

RUNS = Path("runs")


@contextlib.contextmanager
def next_run(name: str) -> Iterator[Path]:
    """Makes the first folder of that name and a number that is not there yet.

    Of several processes, each gets one of its own. A folder in which nothing was put is removed.
    """
    for number in itertools.count(1):
        path = RUNS / f"{name}-{number}"
        with contextlib.suppress(FileExistsError):
            path.mkdir(parents=True)
            break
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):
            path.rmdir()
            RUNS.rmdir()


def newest_run() -> Path | None:
    """Returns the run whose generator was saved last, if there is any."""
    generators = sorted(RUNS.glob("*/generator.keras"), key=lambda path: path.stat().st_mtime)
    return generators[-1].parent if generators else None
