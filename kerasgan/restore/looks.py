"""What tells kinds of noise apart: measures of a picture, and decision trees that weigh them.

Salt and pepper is told without them, by `find_impulses`. `benchmarks/fit_looks.py` fits the trees;
`benchmarks/inspection.py` measures how often they are right.
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

# What the trees choose among, in the order of their scores.
LOOKS = ("clean", "salt-and-pepper", "gaussian", "signal-dependent", "impulses")
# Bounds of brightness between which noise is measured, and the fewest blocks that tell any.
_BRIGHTNESS, _FEWEST_BLOCKS = (0, 4, 48, 112, 176, 248, 256), 4
# By how many levels a value lies beyond all eight neighbours.
_BEYOND = (2, 8, 24, 64)
# By how many levels a value lies apart from the median around it, and from when on it stands out.
_APART, _STANDS_OUT = (1, 4, 12, 24, 48, 96), 24
# Shares below these are all one to their logarithms, and so are noises of less than a hundredth.
_LEAST_BEYOND, _LEAST_SHARE, _LEAST_NOISE = 1e-4, 1e-3, 0.01
# In the place of the measure that a leaf does not ask for.
LEAF = -1
# Exchanges of two values each, by which the middle one of nine comes to the middle.
# Source: Smith, Implementing median filters in XC4000E FPGAs, XCell 23, 1996.
_TO_THE_MIDDLE = (
    *((1, 2), (4, 5), (7, 8), (0, 1), (3, 4), (6, 7), (1, 2), (4, 5), (7, 8), (0, 3)),
    *((5, 8), (4, 7), (3, 6), (1, 4), (2, 5), (4, 7), (4, 2), (6, 4), (4, 2)),
)


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
        joint: mean correlation of the response in green with those in red and in blue; 1 for grey.
        apart: logarithms of the shares of values that are more than 1, 4, 12, 24, 48 and 96 levels
            from the median of 3×3.
        alike: correlation of by how much values differ from that median with what those to the
            right do, and those below; 0 where none does.
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
    joint: float
    apart: tuple[float, ...]
    alike: tuple[float, float]


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
        joint=_joint(response),
        **_differing(inner),
    )


def weigh(measures: Measures, impulses: Impulses) -> dict[str, float]:
    """Weighs what was measured.

    Args:
        measures: those of a picture.
        impulses: what there is of them.

    Returns:
        For each of `LOOKS` a logit: the largest is the likeliest.
    """
    trees, values = _trees(), vector(measures, impulses)
    node = trees["root"]
    while (splits := trees["measure"][node] != LEAF).any():
        is_above = values[trees["measure"][node]] > trees["value"][node]
        node = np.where(splits, trees["next"][node] + is_above, node)
    logits = trees["value"][node].reshape(-1, len(LOOKS)).sum(axis=0)
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
    stand_out = np.abs(_from_median(planes)) > _STANDS_OUT
    share = float(stand_out.mean())
    if share == 0.0:
        return 0.0
    squares = [0.0]
    for axis in (-1, -2):
        mean = share * planes.shape[axis]
        squares.append((stand_out.sum(axis=axis).var() - mean * (1.0 - share)) / mean**2)
    return math.sqrt(max(squares))


def vector(measures: Measures, impulses: Impulses) -> np.ndarray:
    """Returns what the trees see of a picture: 39 numbers.

    Args:
        measures: those of a picture.
        impulses: what there is of them.

    Returns:
        float64 (39,).
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
def _trees() -> Mapping[str, Any]:
    """The nodes of all trees, and where each tree begins; one tree of each look by turns.

    A node asks whether a measure, by its number, is above a value: if not, the node `next` goes on,
    and if so, the one after that. A leaf has its score as the value.
    """
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


def _joint(response: Pixels) -> float:
    if response.shape[1] == 1:
        return 1.0
    red, green, blue = response.swapaxes(0, 1).astype(np.float64)
    return (_correlation(red, green) + _correlation(blue, green)) / 2


def _correlation(one: Pixels, other: Pixels) -> float:
    """Of what has a mean of zero; 1 where one of both is nothing."""
    scale = math.sqrt(np.square(one).mean() * np.square(other).mean())
    return float((one * other).mean()) / scale if scale else 1.0


def _differing(inner: Pixels) -> dict[str, Any]:
    """How far values are from the median around them, and whether their neighbours are, too."""
    apart = _from_median(inner)
    size = np.abs(apart)
    values = apart.astype(np.float32)
    power = float(np.square(values).mean())
    pairs = ((values[..., :-1], values[..., 1:]), (values[..., :-1, :], values[..., 1:, :]))
    return {
        "apart": tuple(math.log((size > step).mean() + _LEAST_BEYOND) for step in _APART),
        "alike": tuple(float((a * b).mean()) / power if power else 0.0 for a, b in pairs),
    }


def _from_median(planes: Pixels) -> Pixels:
    """By how many levels values lie above the median of 3×3."""
    around = _three_by_three(planes)
    for one, other in _TO_THE_MIDDLE:
        lower, higher = around[one], around[other]
        around[one], around[other] = np.minimum(lower, higher), np.maximum(lower, higher)
    return planes.astype(np.int16) - around[4]


def _three_by_three(planes: Pixels) -> list[Pixels]:
    """The values beside each one, row by row, itself in the middle."""
    height, width = planes.shape[-2:]
    padded = np.pad(planes, [(0, 0)] * 2 + [(1, 1)] * 2, mode="edge")
    return [
        padded[..., top : top + height, left : left + width]
        for top in range(3)
        for left in range(3)
    ]
