"""Where runs go, and are found, that were given no folder."""

from pathlib import Path

import click

RUNS = Path("runs")


def next_run(name: str) -> Path:
    """Returns the first folder of that name and a number that is not there yet."""
    number = 1
    while (RUNS / f"{name}-{number}").exists():
        number += 1
    return RUNS / f"{name}-{number}"


def newest_run() -> Path:
    """Returns the run whose generator was saved last.

    Raises:
        click.UsageError: if there is none.
    """
    generators = sorted(RUNS.glob("*/generator.keras"), key=lambda path: path.stat().st_mtime)
    if not generators:
        raise click.UsageError(
            f"there is no trained model in {RUNS}/; train one with: kerasgan train, or give --model"
        )
    return generators[-1].parent
