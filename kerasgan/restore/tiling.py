"""Cutting what is too large to restore at once into overlapping windows."""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from kerasgan.images.pixels import Pixels, from_float, mirrored, to_float
from kerasgan.restore.crew import spread


class Window(NamedTuple):
    """What a model restores at once.

    Attributes:
        height: in pixels, a multiple of `multiple`, as the width.
        width: in pixels.
        margin: how wide a border of the window is left out where the image goes on; a multiple of
            `multiple`, too.
        multiple: where windows may begin: a network with strides sees other positions differently.
    """

    height: int
    width: int
    margin: int
    multiple: int


class Restoring(Protocol):
    """What restores one window at a time.

    Attributes:
        channels: 1 for grey, 3 for colour.
    """

    channels: int

    def window(self, height: int, width: int) -> Window:
        """Chooses the window for an image of that size."""

    def run(self, noisy: Pixels, window: Window) -> Pixels:
        """Restores (window.height, window.width, C) to float32 in [0, 1]."""

    def twin(self, threads: int) -> Self:
        """Returns what restores the same, beside this one, with so many threads."""

    def crew(self, most: int) -> Sequence[Self]:
        """Returns those who restore so many windows fastest, each of them one at a time."""


def restore_in_tiles(
    model: Restoring,
    noisy: Pixels,
    advance: Callable[[float], Any] = lambda share: None,
    *,
    strength: float = 1.0,
) -> Pixels:
    """Restores an image of any size.

    Args:
        model: what restores one window.
        noisy: (H, W, C): uint8, uint16, or float in [0, 1]; mirrored where a window is larger.
        advance: called after every window, with the share of all windows that it is; what it raises
            ends the restoring.
        strength: how far to go from the noisy image to the restored one, in [0, 1].

    Returns:
        Array of the same shape and type; rounded once, after the strength counted.
    """
    is_float = noisy.dtype.kind == "f"
    values = noisy.astype(np.float32) if is_float else noisy
    restored = np.empty_like(noisy)
    height, width = noisy.shape[:2]
    window = model.window(height, width)
    cut = {"margin": window.margin, "multiple": window.multiple}
    places = list(
        itertools.product(tile(height, window.height, **cut), tile(width, window.width, **cut))
    )

    def restore(model: Restoring, place: tuple[tuple[slice, ...], ...]) -> None:
        seen, inner, kept = zip(*place, strict=True)
        piece = mirrored(values[seen], window.height, window.width)
        result = model.run(piece, window)[inner]
        if strength < 1.0:
            before = values[kept] if is_float else to_float(values[kept])
            result = before + strength * (result - before)
        restored[kept] = result if is_float else from_float(result, noisy.dtype)

    crew = model.crew(len(places)) if len(places) > 1 else [model]
    with contextlib.closing(spread(restore, crew, places)) as done:
        for _ in done:
            advance(1 / len(places))
    return restored


def count_tiles(height: int, width: int, window: Window) -> int:
    """Counts the windows that cover an image.

    Args:
        height: of the image, in pixels.
        width: of the image, in pixels.
        window: what they are like.

    Returns:
        How many pairs of what `tile` yields for the height and for the width.
    """
    own = 2 * window.margin
    down, across = (
        max(1, -(-(extent - own) // (size - own)))
        for extent, size in ((height, window.height), (width, window.width))
    )
    return down * across


def sufficient_margin(reach: int, multiple: int) -> int:
    """Chooses how much of a window's result is left out on each side where the image goes on.

    What a network sees beyond a third of its reach hardly changes anything: docs/decisions.md has
    the figures.

    Args:
        reach: how far the network looks, in pixels.
        multiple: where windows may begin.

    Returns:
        The multiple nearest to a third of the reach, at least one, in pixels.
    """
    return max(1, (2 * reach + 3 * multiple) // (6 * multiple)) * multiple


def tile(extent: int, window: int, margin: int, multiple: int) -> Iterator[tuple[slice, ...]]:
    """Covers a height or width with windows.

    Args:
        extent: of the image, in pixels.
        window: of the window; more than two margins.
        margin: left out of a window's result where the image goes on beyond it.
        multiple: windows begin at multiples of this number, which divides the other two.

    Yields:
        For each window: its pixels in the image, fewer than `window` where the image ends; those of
        its result that are kept, counted within the window; and where they go in the image. The
        latter cover the image once.

    Example:
        >>> [kept for _, _, kept in tile(100, 48, 8, 8)]
        [slice(0, 40, None), slice(40, 72, None), slice(72, 100, None)]
    """
    # The last window ends less than a multiple beyond the image.
    latest = max(0, -(-(extent - window) // multiple) * multiple)
    kept = start = 0
    while kept < extent:
        start = min(start, latest)
        end = min(start + window, extent)
        last = end if end == extent else end - margin
        yield slice(start, end), slice(kept - start, last - start), slice(kept, last)
        kept, start = last, last - margin
