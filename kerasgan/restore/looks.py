"""What tells kinds of noise apart: measures of a picture, and a small network that weighs them.

Salt and pepper is told without it, by `find_impulses`. `benchmarks/fit_looks.py` fits the network;
`benchmarks/inspection.py` measures how often it is right.
"""

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any

import numpy as np

from kerasgan.images.pixels import Pixels
from kerasgan.restore.impulses import Impulses

# What the network chooses among, in the order of its outputs.
LOOKS = ("clean", "salt-and-pepper", "gaussian", "signal-dependent", "impulses")
# Bounds of brightness between which noise is measured, and the fewest blocks that tell any.
_BRIGHTNESS, _FEWEST_BLOCKS = (0, 4, 48, 112, 176, 248, 256), 4
# By how many levels a value lies beyond all eight neighbours.
_BEYOND = (2, 8, 24, 64)
# By how many levels a value lies beyond the median around it.
_STANDS_OUT = 24
# Shares below these are all one to their logarithms, and so are noises of less than a hundredth.
_LEAST_BEYOND, _LEAST_SHARE, _LEAST_NOISE = 1e-4, 1e-3, 0.01
# In standard deviations of what the network learnt from: farther out it knows no more.
FARTHEST = 4.0


@dataclass(frozen=True)
class Measures:
    """What is measured of a picture, but for its impulses.

    Attributes:
        sigma: standard deviation of the noise where the picture is flattest, in 8-bit levels.
        growth: by which power of the brightness it grows.
        flat: share of values that equal their neighbour to the right, in [0, 1].
        blocking: steps between JPEG's blocks, relative to those within; 1 where there are none.
        still: share of blocks of 8×8 without any noise.
        peaked: of the flattest quarter of the other blocks, and of all of them, the logarithm of
            the mean square of the response to Immerkær's mask, relative to the square of its mean:
            0.45 for Gaussian noise, more for impulses.
        coarse: of the same, the logarithm of the response to a mask of twice the size, relative to
            that to the first: 0 for independent noise, more where it correlates.
        shares: of blocks whose mean is so bright, for each range of brightness.
        noises: of each range, the logarithm of 1 + the response of the least noisy tenth; -1 where
            there is none.
        beyond: logarithms of the shares of values that lie beyond all eight neighbours by more
            than 2, 8, 24 and 64 levels.
    """

    sigma: float
    growth: float
    flat: float
    blocking: float
    still: float
    peaked: tuple[float, ...]
    coarse: tuple[float, ...]
    shares: tuple[float, ...]
    noises: tuple[float, ...]
    beyond: tuple[float, ...]


def measure(planes: Pixels) -> Measures | None:
    """Measures a picture.

    Args:
        planes: uint8 (n, C, h, w), as `sample` gives them.

    Returns:
        The measures; None where there is no block of 8×8 values.
    """
    height, width = (extent // 8 * 8 for extent in planes.shape[-2:])
    if height * width == 0:
        return None
    inner = planes[..., :height, :width]
    response, wider = _responses(inner)
    noise = _blocks(np.abs(response))
    squared = _blocks(np.square(response, dtype=np.int32))
    level = _blocks(inner)
    sigma, growth = _sigma(inner, noise, level)
    flat, blocking = _texture(planes)
    noise, squared, coarser, level = (
        values.ravel() for values in (noise, squared, _blocks(np.abs(wider)), level)
    )
    order = np.argsort(noise, kind="stable")
    order = order[noise[order] > 0]
    peaked, coarse = [], []
    for part in (order[: max(1, len(order) // 4)], order):
        if len(part) == 0:
            peaked, coarse = [0.0, 0.0], [0.0, 0.0]
            break
        peaked.append(math.log(np.median(squared[part] / noise[part] ** 2)))
        means = (values[part].mean() + _LEAST_NOISE for values in (coarser, noise))
        coarse.append(math.log(next(means) / next(means)))
    ranges = [
        (level >= low) & (level < high)
        for low, high in zip(_BRIGHTNESS, _BRIGHTNESS[1:], strict=False)
    ]
    return Measures(
        sigma,
        growth,
        flat,
        blocking,
        still=float((noise == 0).mean()),
        peaked=tuple(peaked),
        coarse=tuple(coarse),
        shares=tuple(float(part.mean()) for part in ranges),
        noises=tuple(
            math.log1p(np.quantile(noise[part], 0.1)) if part.sum() >= _FEWEST_BLOCKS else -1.0
            for part in ranges
        ),
        beyond=_beyond(inner),
    )


def weigh(measures: Measures, impulses: Impulses) -> dict[str, float]:
    """Weighs what was measured.

    Args:
        measures: those of a picture.
        impulses: what there is of them.

    Returns:
        For each of `LOOKS` a logit: the largest is the likeliest.
    """
    network = _network()
    values = (vector(measures, impulses) - network["mean"]) / network["deviation"]
    values = np.clip(values, -FARTHEST, FARTHEST)
    hidden = np.maximum(values @ network["hidden"] + network["hidden_bias"], 0.0)
    logits = hidden @ network["output"] + network["output_bias"]
    return dict(zip(LOOKS, map(float, logits), strict=True))


def unevenness(planes: Pixels) -> float:
    """Tells how unevenly values that stand out lie: impulses know nothing of rows, letters do.

    Args:
        planes: uint8 (n, C, h, w), as `sample` gives them.

    Returns:
        By how much more than by chance the number of values varies from row to row, or from column
        to column, that are farther than 24 levels from the median of 3×3: a standard deviation,
        relative to the mean.
    """
    median = np.partition(np.stack(_three_by_three(planes)), 4, axis=0)[4]
    stand_out = np.abs(planes.astype(np.int16) - median) > _STANDS_OUT
    share = float(stand_out.mean())
    if share == 0.0:
        return 0.0
    squares = [0.0]
    for axis in (-1, -2):
        mean = share * planes.shape[axis]
        squares.append((stand_out.sum(axis=axis).var() - mean * (1.0 - share)) / mean**2)
    return math.sqrt(max(squares))


def vector(measures: Measures, impulses: Impulses) -> np.ndarray:
    """Returns what the network sees of a picture: 30 numbers.

    Args:
        measures: those of a picture.
        impulses: what there is of them.

    Returns:
        float64 (30,).
    """
    of = {
        **asdict(measures),
        "sigma": math.log1p(measures.sigma),
        "blocking": math.log(max(measures.blocking, _LEAST_NOISE)),
        "share": math.log(impulses.share + _LEAST_SHARE),
        "others": math.log(impulses.others + _LEAST_SHARE),
        "black": impulses.black,
        "white": impulses.white,
        "mixed": impulses.mixed,
    }
    return np.hstack(list(of.values()))


@functools.cache
def _network() -> Mapping[str, Any]:
    text = (resources.files(__package__) / "looks.json").read_text(encoding="utf-8")
    return {name: np.array(values) for name, values in json.loads(text).items()}


def _responses(inner: Pixels) -> tuple[Pixels, Pixels]:
    """Responses to Immerkær's mask, and to the same with its values two pixels apart."""
    padded = np.pad(inner, [(0, 0)] * 2 + [(2, 2)] * 2, mode="edge").astype(np.int16)

    def second(values: Pixels, step: int, axis: int) -> Pixels:
        values = np.moveaxis(values, axis, -1)
        ends = values[..., : -2 * step] + values[..., 2 * step :]
        return np.moveaxis(ends - 2 * values[..., step:-step], -1, axis)

    near, far = (
        second(second(values, step, -1), step, -2)
        for values, step in ((padded[..., 1:-1, 1:-1], 1), (padded, 2))
    )
    return near, far


def _sigma(inner: Pixels, noise: Pixels, level: Pixels) -> tuple[float, float]:
    """Estimates noise where the picture is flattest.

    Of each block of 8×8 the mean absolute response to Immerkær's mask tells the standard deviation;
    the tenth part of the blocks that is least counts, times what that is less than all of them in
    noise alone. Where most blocks hold pure black or white, those count, too, and what is cut off
    there is made up for.

    Returns:
        The standard deviation in levels, and by which power of the brightness it grows.

    Source: Immerkær, Fast Noise Variance Estimation, CVIU 64 (2), 1996.
    """
    pure = _blocks((inner == 0) | (inner == 255))
    if pure.mean() > 0.98:
        return 0.0, 0.0
    used = pure == 0
    if used.mean() < 0.05:
        used[:] = True
    sigma = 1.25 * math.sqrt(math.pi / 2) / 6 * noise[used] / (1 - 0.84 * pure[used])
    level = level[used]
    bright = level > np.median(level)
    growth = 0.0
    if bright.any():
        (low, dark), (high, light) = (
            (np.quantile(sigma[part], 0.1), level[part].mean() + 1) for part in (~bright, bright)
        )
        if min(low, high) > 0 and light > 1.3 * dark:
            growth = math.log(high / low) / math.log(light / dark)
    return float(np.quantile(sigma, 0.1)), growth


def _blocks(values: Pixels) -> Pixels:
    """Means of blocks of 8×8."""
    *rest, height, width = values.shape
    blocks = values.reshape(*rest, height // 8, 8, width // 8, 8)
    return blocks.mean(axis=(-3, -1), dtype=np.float64)


def _texture(planes: Pixels) -> tuple[float, float]:
    """Share of values equal to the next one, and relative steps between JPEG's blocks."""
    width = planes.shape[-1]
    steps = np.abs(np.diff(planes.astype(np.int16), axis=-1))
    flat = float((steps == 0).mean())
    means = steps.mean(axis=(0, 1, 2))
    between = np.arange(1, width) % 8 == 0
    if not between.any() or (within := means[~between].mean()) == 0:
        return flat, 1.0
    return flat, float(means[between].mean() / within)


def _beyond(inner: Pixels) -> tuple[float, ...]:
    around = _three_by_three(inner)
    del around[4]
    highest, lowest = functools.reduce(np.maximum, around), functools.reduce(np.minimum, around)
    values = inner.astype(np.int16)
    beyond = np.maximum(values - highest, lowest - values)
    return tuple(math.log((beyond > step).mean() + _LEAST_BEYOND) for step in _BEYOND)


def _three_by_three(planes: Pixels) -> list[Pixels]:
    """The values beside each one, row by row, itself in the middle."""
    height, width = planes.shape[-2:]
    padded = np.pad(planes, [(0, 0)] * 2 + [(1, 1)] * 2, mode="edge")
    return [
        padded[..., top : top + height, left : left + width]
        for top in range(3)
        for left in range(3)
    ]
