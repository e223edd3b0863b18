"""A comparison of trainings as one HTML file that opens anywhere."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasgan.config import RunConfig
from kerasgan.measure import plots
from kerasgan.measure.comparison import Row, Trial, legend
from kerasgan.measure.lenses import MEASURES, Values
from kerasgan.measure.page import flat, render
from kerasgan.noise.base import Noise
from kerasgan.store.files import write_text


@dataclass(frozen=True)
class Comparison:
    """What a page about a comparison is made from.

    Attributes:
        command: what was typed to make it.
        source: where the images are from.
        images: how many were measured.
        config: what the trainings have in common.
        rows: as `comparison.summarize` returned them.
        results: the values of every trial.
    """

    command: str
    source: str
    images: int
    config: RunConfig
    rows: Sequence[Row]
    results: Mapping[Trial, Values]

    @property
    def noise(self) -> Noise:
        """What the images were given."""
        return self.config.noise


def write_comparison(path: Path, comparison: Comparison) -> None:
    """Writes a comparison as one HTML file, which asks no host for anything.

    Args:
        path: the file to write or replace.
        comparison: what to show.

    Raises:
        OutputError: if the file cannot be written.
    """
    measured = dict.fromkeys(row.measure for row in comparison.rows)
    page = render(
        "comparison.html",
        comparison=comparison,
        levels=list(dict.fromkeys(row.level for row in comparison.rows)),
        weights=list(dict.fromkeys(row.weight for row in comparison.rows)),
        measures={name: MEASURES[name] for name in measured},
        legend=legend(comparison.rows),
        tradeoffs=list(_tradeoffs(comparison)),
        settings=[
            (key, value)
            for key, value in flat(comparison.config.to_dict())
            if key not in ("seed", "adversary.weight")
        ],
    )
    write_text(path, page)


def _tradeoffs(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Perception against distortion (Blau & Michaeli 2018), with the best measure there is."""
    noise, results = comparison.noise, comparison.results
    measured = next(iter(results.values()))
    for level, values in measured.items():
        looks = "lpips" if "lpips" in values else "sharpness"
        series: dict[str, tuple[list[float], list[float]]] = {}
        for trial, found in results.items():
            x, y = series.setdefault(f"λ = {trial.weight:g}", ([], []))
            x.append(float(np.mean(found[level]["mse"])))
            y.append(float(np.mean(found[level][looks])))
        labels = ("MSE", MEASURES[looks].title)
        at = f"{noise.title.capitalize()}, {noise.label(float(level))}"
        yield at, plots.lines(series, *labels, connected=False)
