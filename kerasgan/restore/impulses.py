"""Salt and pepper, told from black and white that belong to a picture.

Black that belongs to a picture has dark surroundings, and white has bright ones; an impulse knows
nothing of its surroundings. So black is counted where the surroundings are brightest: there a clean
picture has none, and noise as much as anywhere. The same goes for white where it is darkest. Such
pixels are salt and pepper if their share

- is steady from the brightest places on to less bright ones; what is the picture's own rises,
- is no smaller than around them, and no larger than in the whole picture, as it is in patterns,
- is the same in all rows, and in all columns, as far as chance goes; dotted lines are not,
- comes without values that are almost black, as other impulses do, and those JPEG has seen,
- leaves few long rows or columns without any; lines and drawings do,
- and does not avoid its neighbours, as the dots of a halftone do.

`benchmarks/inspection.py` measures how often that is right.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from kerasgan.images.pixels import Pixels

# The kit for the Raspberry Pi carries what follows, word for word.

# So many values are looked at, in tiles of that side that are spread over a larger picture.
_VALUES, _TILE = 2**19, 128
# Brightness of surroundings is less than that: 255 times the neighbours' weights.
_SCORES = 255 * (24 + 8) + 255 * 225 // 16 + 1
# The least share of one colour that is noise, and how many impulses that must be.
_LEAST_SHARE, _FEWEST_IMPULSES = 0.0015, 10
# Impulses differ from their surroundings by so many levels; so do those that are not quite black.
_CONTRAST, _NEAR_CONTRAST = 8, 64
# Dots of a halftone avoid their neighbours by so much more than those so many pixels apart, as a
# share of the variance of black: by 0.1 or more; in noise it was 0.015 at most.
_AVOIDING, _APART = 0.025, 4
# Rows and columns without impulses are looked at that are so long that noise leaves so many.
_GAPS = 10
# From here on there is nothing left to restore from.
_ALL = 0.999
# Where black and white alternate in the picture itself, as in text, restoring changes them, too.
# From so many times the share of noise on, that does more harm than good: measured on photographs,
# pages, screens, charts and codes with `selective-photos`, which never saw pages. Up to 0.9 it did
# none, but on screens with 1% of noise. `selective-pages` did next to none, however often.
_HARM = 1.1


class Impulses(NamedTuple):
    """What there is of impulses in a picture; shares lie in [0, 1].

    Attributes:
        share: of the values that salt and pepper replaced; 0 where there is none.
        others: of the values that other impulses replaced, as far as they are about black or white.
        black: of the values that are pure black, for whatever reason.
        white: of the values that are pure white.
        mixed: of the values that are black where white prevails or the other way round, by blocks
            of 8×8 pixels.
        together: whether impulses strike all channels of a pixel; False in grey.
    """

    share: float
    others: float
    black: float
    white: float
    mixed: float
    together: bool

    @property
    def is_salt_and_pepper(self) -> bool:
        """Whether there is salt and pepper, and more than that."""
        return 0.0 < self.share <= _ALL

    @property
    def verdict(self) -> str:
        """What there is of salt and pepper, for people."""
        if self.is_salt_and_pepper:
            return f"salt and pepper, about {_percent(self.share)}"
        pure = f"{_percent(self.black + self.white)} of its values are pure black or white"
        return f"no salt and pepper: {pure}" if self.share == 0.0 else f"nothing but noise: {pure}"

    def objection(self, knows_pages: bool = False) -> str | None:
        """Why a model had better not restore the picture; None if it may."""
        if not self.is_salt_and_pepper:
            return self.verdict
        if not knows_pages and self.mixed > _HARM * self.share:
            return (
                f"{self.verdict}, but restoring would change the picture's own black and white, too"
            )
        return None


def find_impulses(pixels: Pixels) -> Impulses:
    """Looks for impulses; takes milliseconds, however large the picture is.

    Args:
        pixels: (H, W, C): uint8, uint16, or float in [0, 1].

    Returns:
        What there is of them.
    """
    planes = sample(pixels)
    scores = _surroundings(planes)
    places = np.bincount(scores.ravel(), minlength=_SCORES)
    sides = (
        _side(planes, _SCORES - 1 - scores, places[::-1]),
        _side(255 - planes, scores, places),
    )
    share = sum(side.share for side in sides if side.noise)
    if sum(side.noise for side in sides) == 1:
        # The other colour hides in what the picture has of it, and is no more frequent.
        share += min(side.share for side in sides)
    if not any(side.pure for side in sides) and any(
        side.share < share and side.near > max(side.share, 0.05 * share) for side in sides
    ):
        share = 0.0
    if share and _is_halftone(planes == 0):
        share = 0.0
    others = 0.0 if share else sum(side.near + side.share for side in sides if side.near)
    black, white = (float((planes == value).mean()) for value in (0, 255))
    together = planes.shape[1] > 1 and max(side.joint for side in sides) > 2
    return Impulses(min(share, 1.0), min(others, 1.0), black, white, _mixed(planes), together)


def sample(pixels: Pixels) -> Pixels:
    """Takes a picture (H, W, C), or tiles that are spread over a large one.

    Args:
        pixels: uint8, uint16, or float in [0, 1].

    Returns:
        uint8 (n, C, h, w); only what was pure black or white is 0 or 255.
    """
    height, width, channels = pixels.shape
    planes = np.moveaxis(pixels, -1, 0)
    if planes.size <= _VALUES:
        return _levels(np.ascontiguousarray(planes[np.newaxis]))
    count = _VALUES // (_TILE**2 * channels)
    down = max(1, min(count, round(math.sqrt(count * height / width))))
    # At multiples of 8, where JPEG has its blocks.
    tops = np.linspace(0, max(0, height - _TILE), down).astype(int) // 8 * 8
    lefts = np.linspace(0, max(0, width - _TILE), count // down).astype(int) // 8 * 8
    tiles = [planes[:, top : top + _TILE, x : x + _TILE] for top in tops for x in lefts]
    return _levels(np.stack(tiles))


def _percent(share: float) -> str:
    return f"{100 * share:.{0 if share >= 0.095 else 1}f}%"


def _mixed(planes: Pixels) -> float:
    *rest, height, width = planes.shape
    height, width = height // 8, width // 8
    if height * width == 0:
        return 0.0
    blocks = planes[..., : 8 * height, : 8 * width].reshape(*rest, height, 8, width, 8)
    black, white = ((blocks == value).mean(axis=(-3, -1)) for value in (0, 255))
    return float(np.minimum(black, white).mean())


def _levels(planes: Pixels) -> Pixels:
    """Scales to 8 bits, where only pure black and white become 0 and 255."""
    if planes.dtype == np.uint8:
        return planes
    top = np.float32(1.0 if planes.dtype.kind == "f" else np.iinfo(planes.dtype).max)
    between = np.clip(np.rint(planes / top * 255), 1, 254)
    return np.select([planes <= 0, planes >= top], [0, 255], between).astype(np.uint8)


class _Side(NamedTuple):
    """Impulses of one colour.

    Attributes:
        share: of the values that they are.
        near: share of values near that colour, where those are other impulses; else 0.
        joint: how many channels they strike at a time.
        noise: whether they passed every test.
        pure: whether they did, and nothing else is near that colour.
    """

    share: float
    near: float
    joint: float
    noise: bool
    pure: bool


def _sums(values: Pixels, size: int, step: int = 1) -> Pixels:
    """Adds `size` values, `step` apart, down and across."""
    reach = step * (size - 1)
    height, width = values.shape[-2] - reach, values.shape[-1] - reach
    starts = range(step, reach + 1, step)
    down = sum((values[..., i : i + height, :] for i in starts), values[..., :height, :])
    return sum((down[..., i : i + width] for i in starts), down[..., :width])


def _surroundings(planes: Pixels) -> Pixels:
    """Tells how bright it is around every value, itself left out.

    The four neighbours count three times, the others within 5×5 once, and all within 15×15 a
    sixteenth. It is grey beyond the edge: values that were mirrored there would count themselves.
    """
    wide = np.pad(planes, [(0, 0)] * 2 + [(7, 7)] * 2, constant_values=128).astype(np.uint16)
    five = _sums(wide, 5)
    near = wide[..., 6:-6, 6:-6]
    cross = near[..., :-2, 1:-1] + near[..., 2:, 1:-1] + near[..., 1:-1, :-2] + near[..., 1:-1, 2:]
    far = (_sums(five, 3, 5) - planes) >> 4
    return five[..., 5:-5, 5:-5] - planes + 2 * cross + far


def _side(planes: Pixels, ranks: Pixels, places: Pixels) -> _Side:
    """Looks for black impulses.

    Args:
        planes: (n, C, h, w), uint8.
        ranks: of the same shape, lowest where the surroundings are brightest.
        places: how often there is each rank.
    """
    black = planes == 0
    joint = max(1.0, float(black.sum() / max(1, black.any(axis=1).sum())))
    # Places and black ones up to each rank.
    n = np.cumsum(places)
    e = np.cumsum(np.bincount(ranks[black], minlength=_SCORES))
    whole = int(n[-1])
    ends = sorted({int(np.searchsorted(n, size)) for size in _growing(whole)})
    first, second = ends[0], ends[min(1, len(ends) - 1)]
    last, steady = first, len(ends) == 1
    for end in ends[1:]:
        inner, more = e[last] / n[last], n[end] - n[last]
        share = e[end] / n[end]
        error = math.sqrt(joint * share * (1 - share) * (1 / n[last] + 1 / more))
        difference = abs((e[end] - e[last]) / more - inner) - 0.1 * min(share, 1 - share)
        if difference > (2.5 if steady else 3.0) * error:
            break
        last, steady = end, True
    share = float(e[last] / n[last])
    # Around the brightest places and in them.
    wide = np.pad(black, [(0, 0)] * 2 + [(2, 2)] * 2).view(np.uint8)
    inside = e[first] / n[first]
    around = (_sums(wide, 5)[ranks <= first].mean() - inside) / 24
    near, valley, contrast = _almost_black(planes[ranks <= second])
    steady = steady and around < 1.15 * inside + 0.01 and contrast >= _CONTRAST
    expected = 0.15 * share * n[second]
    noise = (
        steady
        and share > _LEAST_SHARE
        and e[last] > _FEWEST_IMPULSES * joint
        and e[-1] < whole
        and share < 1.1 * e[-1] / whole + 3 * math.sqrt(joint * share * (1 - share) / n[last])
        and near < expected + math.sqrt(expected) + 1
        and _is_even(black, ranks <= last, joint)
        and not _has_gaps(black, share, joint)
    )
    # Other noise has the more values the less they differ from the surroundings.
    others = steady and contrast >= _NEAR_CONTRAST and near >= 0.7 * valley
    near_share = float(near / n[second]) if others else 0.0
    return _Side(share, near_share, joint, bool(noise), bool(noise and near < 0.1 * expected))


def _growing(whole: int) -> Iterator[int]:
    """A hundredth of the places, or 256, and so on in steps of four times as many."""
    size = max(whole // 100, 256)
    while size < whole:
        yield size
        size *= 4
    yield whole


def _almost_black(values: Pixels) -> tuple[int, int, int]:
    """Counts values near black, and between those and twice that; tells what is usual, too."""
    counts = np.bincount(values, minlength=256)
    rest = np.cumsum(counts[1:255])
    usual = int(np.searchsorted(rest, rest[-1] / 2)) + 1 if rest[-1] > 0.02 * counts[255] else 255
    limit = min(max(usual // 3, 1), 40)
    return int(counts[1 : limit + 1].sum()), int(counts[limit + 1 : 2 * limit + 1].sum()), usual


def _is_halftone(black: Pixels) -> bool:
    """Tells whether black avoids black, as dots that stand for grey do; noise does not care."""
    near, far = (
        np.count_nonzero(black[..., step:] & black[..., :-step])
        + np.count_nonzero(black[..., step:, :] & black[..., :-step, :])
        for step in (1, _APART)
    )
    share = np.count_nonzero(black) / black.size
    chance = share * (1 - share) * (_AVOIDING * black.size + 4 * math.sqrt(black.size))
    return bool((near - far) / 2 < -chance)


def _has_gaps(black: Pixels, share: float, joint: float) -> bool:
    """Tells whether more rows and columns go on without black than noise would let them.

    Noise leaves of a whole row of n values (1 − share)^n at most, whatever it fell on.
    """
    share = min(share, 0.99) - 0.1 * min(share, 1 - share)
    length = math.ceil(math.log(black.size / _GAPS) / -math.log1p(-share))
    most = _GAPS + 6 * math.sqrt(2 * joint * _GAPS / share)
    for axis in (-1, -2):
        if length < black.shape[axis]:
            before = np.cumsum(np.moveaxis(black, axis, 0), axis=0, dtype=np.int32)
            if np.count_nonzero(before[length:] == before[:-length]) > most:
                return True
    return False


def _is_even(black: Pixels, places: Pixels, joint: float) -> bool:
    """Tells whether black is as frequent in all rows and all columns as chance would have it.

    By the index of dispersion, whose deviation is known of Poisson counts; a tenth of a line's
    impulses is left to what the picture has itself.
    """
    black = black & places
    for axis in (-1, -2):
        n, e = (mask.sum(axis=axis, dtype=np.int64).ravel() for mask in (places, black))
        n, e = n[n > 0], e[n > 0]
        share, mean = e.sum() / n.sum(), e.mean() / joint
        variance = joint * share * (1 - share) * n.sum()
        limit = 1 + 4 * math.sqrt((2 + 1 / mean) / len(n)) + 0.1 * mean
        if ((e - share * n) ** 2).sum() > limit * variance:
            return False
    return True
