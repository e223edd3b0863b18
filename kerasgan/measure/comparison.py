"""One training per weight of the adversarial loss and seed, and what they differ in."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from kerasgan.images.pixels import Pixels
from kerasgan.measure.lenses import MEASURES, Values
from kerasgan.noise.base import Noise

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Trial:
    """One training of the comparison.

    Attributes:
        weight: λ of the adversarial loss.
        seed: of weights, order and noise.
    """

    weight: float
    seed: int

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"weight-{self.weight!r}_seed-{self.seed}"


def trials(weights: Sequence[float], seeds: Sequence[int]) -> list[Trial]:
    """Lists the trainings, all weights of a seed before the next seed.

    Args:
        weights: λ, each once.
        seeds: each once.

    Returns:
        The trials, in the order in which they are best run.
    """
    return [Trial(weight, seed) for seed, weight in itertools.product(seeds, weights)]


@dataclass(frozen=True)
class Row:
    """One measure of one weight at one level of noise.

    Attributes:
        level: of the noise.
        measure: a name in `MEASURES`.
        weight: λ.
        mean: over images and seeds.
        spread: standard deviation of the seeds' means; None for one seed.
        difference: mean of the paired differences from the first weight; None for that weight.
        interval: half of the difference's confidence interval; None where it cannot be known.
    """

    level: float
    measure: str
    weight: float
    mean: float
    spread: float | None
    difference: float | None
    interval: float | None

    @property
    def excludes_zero(self) -> bool:
        """Whether the confidence interval of the difference leaves out zero.

        No correction is made for how many such intervals a table holds.
        """
        known = self.difference is not None and self.interval is not None
        return known and abs(self.difference or 0.0) > (self.interval or 0.0)


def summarize(results: Mapping[Trial, Values]) -> list[Row]:
    """Compares weights over seeds, each with the first weight at the same seed and noise.

    With several seeds, each seed's mean difference is one observation of Student's t; with one,
    each image's difference is, and what another seed would have changed stays unknown.

    Args:
        results: the values of every trial.

    Returns:
        Rows by level, measure, weight.
    """
    weights = list(dict.fromkeys(trial.weight for trial in results))
    seeds = list(dict.fromkeys(trial.seed for trial in results))
    first = next(iter(results.values()))
    return [
        _row(results, level, measure, weight, weights[0], seeds)
        for level, measured in first.items()
        for measure in measured
        for weight in weights
    ]


def _row(
    results: Mapping[Trial, Values],
    level: str,
    measure: str,
    weight: float,
    reference: float,
    seeds: Sequence[int],
) -> Row:
    own, others = (
        np.array([results[Trial(λ, seed)][level][measure] for seed in seeds])
        for λ in (weight, reference)
    )
    means, differences = own.mean(axis=1), own - others
    observed = differences.mean(axis=1) if len(seeds) > 1 else differences[0]
    return Row(
        level=float(level),
        measure=measure,
        weight=weight,
        mean=float(means.mean()),
        spread=float(means.std(ddof=1)) if len(seeds) > 1 else None,
        difference=None if weight == reference else float(observed.mean()),
        interval=None if weight == reference or len(observed) < 2 else _half_interval(observed),
    )


def _half_interval(observed: Pixels) -> float:
    freedom = len(observed) - 1
    error = float(observed.std(ddof=1)) / math.sqrt(len(observed))
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * error


def format_rows(rows: Sequence[Row], noise: Noise) -> str:
    """Lays a comparison out as Markdown: one table per level.

    Args:
        rows: as `summarize` returns them.
        noise: what was added.

    Returns:
        The tables, and what their cells say.
    """
    levels = dict.fromkeys(row.level for row in rows)
    tables = ("\n".join(_table([r for r in rows if r.level == at], noise)) for at in levels)
    return "\n\n".join((*tables, legend(rows)))


def legend(rows: Sequence[Row]) -> str:
    """Says what the figures of a comparison are.

    Args:
        rows: as `summarize` returns them.

    Returns:
        Sentences.
    """
    several = any(row.spread is not None for row in rows)
    over = (
        "Mean ± standard deviation over seeds; then the difference from the first λ at the same "
        f"seeds, with its {CONFIDENCE:.0%} confidence interval over seeds"
        if several
        else "Mean of one seed; then the difference from the first λ, with its "
        f"{CONFIDENCE:.0%} confidence interval over images: another seed may differ by more"
    )
    return f"{over}. Marked are intervals that leave out zero, as one in twenty does by chance."


def _table(rows: Sequence[Row], noise: Noise) -> Iterator[str]:
    yield f"{noise.title.capitalize()}, {noise.label(rows[0].level)}\n"
    weights = list(dict.fromkeys(row.weight for row in rows))
    yield "| | " + " | ".join(f"λ = {weight:g}" for weight in weights) + " |"
    yield "| --- " * (len(weights) + 1) + "|"
    for measure in dict.fromkeys(row.measure for row in rows):
        cells = [_cell(row) for row in rows if row.measure == measure]
        yield f"| {MEASURES[measure].heading} | " + " | ".join(cells) + " |"


def _cell(row: Row) -> str:
    digits = MEASURES[row.measure].digits
    spread = "" if row.spread is None else f" ± {row.spread:.{digits}f}"
    text = f"{row.mean:.{digits}f}{spread}"
    if row.difference is not None:
        interval = "" if row.interval is None else f" ± {row.interval:.{digits}f}"
        text += f" ({row.difference:+.{digits}f}{interval}){'*' if row.excludes_zero else ''}"
    return text
