"""Where runs go, and are found, that were given no folder."""

from pathlib import Path

RUNS = Path("runs")


def next_run(name: str) -> Path:
    """Returns the first folder of that name and a number that is not there yet."""
    number = 1
    while (RUNS / f"{name}-{number}").exists():
        number += 1
    return RUNS / f"{name}-{number}"


def newest_run() -> Path | None:
    """Returns the run whose generator was saved last, if there is any."""
    generators = sorted(RUNS.glob("*/generator.keras"), key=lambda path: path.stat().st_mtime)
    return generators[-1].parent if generators else None
