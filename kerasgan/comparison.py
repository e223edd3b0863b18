"""One training per weight of the adversarial loss and seed, and what they differ in."""

import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from kerasgan import metrics, perception
from kerasgan.data.clean import ImageSet
from kerasgan.errors import ModelError
from kerasgan.evaluation import noisy_images
from kerasgan.files import write_text
from kerasgan.images import Pixels

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Measure:
    """Something measured of restored images.

    Attributes:
        title: what it is called, with its unit.
        higher: whether more of it is better; None where neither is.
        digits: after the point.
    """

    title: str
    higher: bool | None
    digits: int


MEASURES = {
    "psnr": Measure("PSNR, dB", True, 2),
    "ssim": Measure("SSIM", True, 4),
    "mse": Measure("MSE", False, 6),
    "edge_psnr": Measure("PSNR of edges, dB", True, 2),
    "sharpness": Measure("sharpness ratio", None, 4),
    "lpips": Measure("LPIPS", False, 4),
    "kernel_distance": Measure("kernel distance of AlexNet's features", False, 3),
    "expression": Measure("same expression, of faces", True, 4),
}


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


class Lenses:
    """The measures that can be taken here: those that need other packages only where they are.

    Args:
        images: what will be measured; AlexNet looks at none of them if one is too small for it.

    Attributes:
        missing: what cannot be looked through, and why.
    """

    def __init__(self, images: ImageSet) -> None:
        self.missing: list[str] = []
        smallest = min(min(image.shape[:2]) for image in images)
        self._alexnet = None
        if smallest >= perception.ALEXNET_SIZE:
            self._alexnet = self._open(perception.AlexNet)
        else:
            self.missing.append(f"AlexNet needs {perception.ALEXNET_SIZE} pixels a side")
        self._classify = self._open(perception.ExpressionClassifier)

    def _open(self, lens: Callable[[], Any]) -> Any:
        try:
            return lens()
        except ModelError as error:
            self.missing.append(str(error))
            return None

    @property
    def names(self) -> list[str]:
        """The measures that can be taken, from `MEASURES`."""
        unavailable = {"lpips", "kernel_distance"} if self._alexnet is None else set()
        unavailable |= {"expression"} if self._classify is None else set()
        return [name for name in MEASURES if name not in unavailable]

    def measure(
        self, clean: Sequence[Pixels], restored: Sequence[Pixels]
    ) -> dict[str, list[float]]:
        """Measures restored images.

        Args:
            clean: uint8 (H, W, C), at least two.
            restored: the same, in the same order.

        Returns:
            For each name in `MEASURES` that can be measured, a value per image; one value for
            "kernel_distance".
        """
        pairs = list(zip(clean, restored, strict=True))
        found = {
            "psnr": [min(metrics.psnr(x, y, 255), metrics.EXACT_PSNR) for x, y in pairs],
            "ssim": [metrics.ssim(x, y, 255) for x, y in pairs],
            "mse": [metrics.mse(x, y) / 255**2 for x, y in pairs],
            "edge_psnr": [perception.edge_psnr(x, y) for x, y in pairs],
            "sharpness": [perception.sharpness_ratio(x, y) for x, y in pairs],
        }
        if self._alexnet is not None:
            found["lpips"] = [self._alexnet.lpips(x, y) for x, y in pairs]
            x, y = (
                np.stack([self._alexnet.features(i) for i in part]) for part in (clean, restored)
            )
            found["kernel_distance"] = [perception.kernel_distance(x, y)]
        if self._classify is not None:
            same = [self._classify(x) == self._classify(y) for x, y in pairs]
            found["expression"] = [float(value) for value in same]
        return found


Values = dict[str, dict[str, list[float]]]


def measure_trial(
    restore: Callable[[Pixels], Pixels],
    images: ImageSet,
    amounts: Sequence[float],
    lenses: Lenses,
    *,
    salt_vs_pepper: float = 0.5,
) -> Values:
    """Measures what one training came to, on noise that is the same for all of them.

    Args:
        restore: the restorer.
        images: clean images that training did not see.
        amounts: shares of noise.
        lenses: what to measure with.
        salt_vs_pepper: share of the noise that is white.

    Returns:
        `Lenses.measure`'s values, by the amount as text.
    """
    found = {}
    for amount in amounts:
        noisy = noisy_images(images, amount, salt_vs_pepper=salt_vs_pepper)
        found[f"{amount:g}"] = lenses.measure(images.images, [restore(image) for image in noisy])
    return found


def write_values(path: Path, request: Mapping[str, Any], values: Values) -> None:
    """Writes a trial's values as JSON.

    Args:
        path: the file to write or replace.
        request: what was to be measured, on what.
        values: what was measured.

    Raises:
        OutputError: if the file cannot be written.
    """
    write_text(path, json.dumps({"request": request, "values": values}) + "\n")


def read_values(path: Path, request: Mapping[str, Any]) -> Values | None:
    """Reads a trial's values, if they answer a request.

    Args:
        path: a file that `write_values` wrote.
        request: what is to be measured, on what.

    Returns:
        The values, or None if they are those of another request.

    Raises:
        ModelError: if the file is damaged.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        values: Values = record["values"]
        return values if record["request"] == request else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is damaged; remove it, to measure again: {error}") from error


@dataclass(frozen=True)
class Row:
    """One measure of one weight at one amount of noise.

    Attributes:
        amount: share of noise.
        measure: a name in `MEASURES`.
        weight: λ.
        mean: over images and seeds.
        spread: standard deviation of the seeds' means; None for one seed.
        difference: mean of the paired differences from the first weight; None for that weight.
        interval: half of the difference's confidence interval; None where it cannot be known.
    """

    amount: float
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
        Rows by amount, measure, weight.
    """
    weights = list(dict.fromkeys(trial.weight for trial in results))
    seeds = list(dict.fromkeys(trial.seed for trial in results))
    first = next(iter(results.values()))
    return [
        _row(results, amount, measure, weight, weights[0], seeds)
        for amount, measured in first.items()
        for measure in measured
        for weight in weights
    ]


def _row(
    results: Mapping[Trial, Values],
    amount: str,
    measure: str,
    weight: float,
    reference: float,
    seeds: Sequence[int],
) -> Row:
    own, others = (
        np.array([results[Trial(λ, seed)][amount][measure] for seed in seeds])
        for λ in (weight, reference)
    )
    means, differences = own.mean(axis=1), own - others
    observed = differences.mean(axis=1) if len(seeds) > 1 else differences[0]
    return Row(
        amount=float(amount),
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


def format_rows(rows: Sequence[Row]) -> str:
    """Lays a comparison out as Markdown: one table per amount.

    Args:
        rows: as `summarize` returns them.

    Returns:
        The tables, and what their cells say.
    """
    amounts = dict.fromkeys(row.amount for row in rows)
    tables = ("\n".join(_table([r for r in rows if r.amount == a])) for a in amounts)
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


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield f"Share of noise {rows[0].amount:g}\n"
    weights = list(dict.fromkeys(row.weight for row in rows))
    yield "| | " + " | ".join(f"λ = {weight:g}" for weight in weights) + " |"
    yield "| --- " * (len(weights) + 1) + "|"
    for measure in dict.fromkeys(row.measure for row in rows):
        cells = [_cell(row) for row in rows if row.measure == measure]
        better = {True: " ↑", False: " ↓", None: ""}[MEASURES[measure].higher]
        yield f"| {MEASURES[measure].title}{better} | " + " | ".join(cells) + " |"


def _cell(row: Row) -> str:
    digits = MEASURES[row.measure].digits
    spread = "" if row.spread is None else f" ± {row.spread:.{digits}f}"
    text = f"{row.mean:.{digits}f}{spread}"
    if row.difference is not None:
        interval = "" if row.interval is None else f" ± {row.interval:.{digits}f}"
        text += f" ({row.difference:+.{digits}f}{interval}){'*' if row.excludes_zero else ''}"
    return text
