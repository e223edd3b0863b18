"""What a picture looks like before it is touched: which noise there is, and how much of it.

Salt and pepper is told by `find_impulses`. Of other noise only the rough kind is told, and how
strong it is. `benchmarks/inspection.py` measures how often that is right.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kerasgan.images.pixels import Pixels
from kerasgan.restore.impulses import Impulses, find_impulses, sample

# The fewest values that tell anything.
_FEWEST = 64
# Shares of other impulses that are told; the larger one shows in the standard deviation, too.
_LEAST_SHARE, _LARGE_SHARE = 0.005, 0.03
# What pictures with noise of a kind look like. That of sensors correlates from pixel to pixel, so
# that a clean look tells nothing; neither does any look of several kinds, one over the other.
# Impulses that were resized can look like grain.
_LOOKS = {
    "salt-and-pepper": {"salt-and-pepper"},
    "random-impulses": {"impulses"},
    "resaved-impulses": {"impulses", "gaussian", "signal-dependent"},
    "stray-impulses": {"impulses", "gaussian", "signal-dependent"},
    "gaussian": {"gaussian", "signal-dependent"},
    "speckle": {"gaussian", "signal-dependent"},
    "sensor": {"gaussian", "signal-dependent", "clean"},
    "camera": {"gaussian", "signal-dependent", "clean"},
    "mixed": {"clean", "salt-and-pepper", "impulses", "gaussian", "signal-dependent", "unknown"},
}
# Of these kinds, what is drawn is not told apart: edges and letters suffer.
_STRAY = frozenset({"random-impulses", "resaved-impulses", "stray-impulses"})
# The share of pure black and white, noise apart, from which a picture is taken for a page.
_DRAWN = 0.3
# Standard deviation of the noise that is told, and by which power of the brightness it grows.
_VISIBLE, _GROWING = 4.0, 0.3


@dataclass(frozen=True)
class Inspection:
    """What a picture looks like.

    Attributes:
        kind: "clean", "salt-and-pepper", "impulses" (that are not pure black and white),
            "gaussian", "signal-dependent" (noise that grows with brightness) or "unknown".
        impulses: shares of salt and pepper, other impulses, pure black and pure white.
        sigma: estimated standard deviation of other noise, in 8-bit levels; it means nothing beside
            dense impulses.
        flat: share of values that equal their neighbour to the right, in [0, 1].
        blocking: steps between JPEG's blocks, relative to those within; 1 where there are none.
    """

    kind: str
    impulses: Impulses
    sigma: float
    flat: float
    blocking: float

    @property
    def level(self) -> float | None:
        """Share of impulses in [0, 1], or standard deviation in levels; None where neither is."""
        return {
            "salt-and-pepper": self.impulses.share,
            "impulses": self.impulses.others,
            "gaussian": self.sigma,
            "signal-dependent": self.sigma,
        }.get(self.kind)

    @property
    def sentence(self) -> str:
        """What there is to say of it, for people."""
        sigma = f"sigma about {self.sigma:.0f}"
        return {
            "impulses": "looks like impulses that are not pure black and white, as JPEG and "
            f"resizing leave them, at least {self.impulses.others:.1%}",
            "gaussian": f"looks like Gaussian noise, {sigma}",
            "signal-dependent": f"looks like noise that grows with brightness, {sigma}",
            "unknown": self.impulses.verdict
            if self.impulses.share
            else "there is too little to tell noise by",
        }.get(self.kind, self.impulses.verdict)

    @property
    def is_drawn(self) -> bool:
        """Whether much of it is pure black or white by itself, as pages, screens and drawings."""
        return self.impulses.black + self.impulses.white - self.impulses.share > _DRAWN

    def objection(self, noise: str, knows_pages: bool = False) -> str | None:
        """Why a model had better leave the picture alone.

        Args:
            noise: the kind that the model removes.
            knows_pages: whether it learnt what is black and white on purpose.

        Returns:
            The reason, for people; None where there is none.
        """
        if self.kind not in _LOOKS[noise]:
            other = "" if self.level is None else ", which this model does not remove"
            return self.sentence + other
        if noise in _STRAY and self.is_drawn and not knows_pages:
            return f"{self.sentence}, but restoring would change what was drawn, too"
        return self.impulses.objection(knows_pages) if noise == "salt-and-pepper" else None

    def to_dict(self) -> dict[str, Any]:
        """Returns everything as a JSON-compatible dictionary."""
        values = {**asdict(self), "impulses": self.impulses._asdict()}
        return {**values, "level": self.level, "sentence": self.sentence}


def inspect(pixels: Pixels) -> Inspection:
    """Looks at a picture; takes milliseconds, however large it is.

    Args:
        pixels: (H, W), (H, W, 1) or (H, W, 3): uint8, uint16, or float in [0, 1].

    Returns:
        What it looks like.

    Raises:
        ValueError: for other shapes and types.
    """
    pixels = pixels if pixels.ndim == 3 else pixels[..., np.newaxis]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or 0 in pixels.shape:
        raise ValueError(f"an image must be (H, W), (H, W, 1) or (H, W, 3), got {pixels.shape}")
    if pixels.dtype not in (np.uint8, np.uint16) and pixels.dtype.kind != "f":
        raise ValueError(f"an image must be uint8, uint16 or float, got {pixels.dtype}")
    impulses = find_impulses(pixels)
    planes = sample(pixels)
    sigma, growth = _sigma(planes)
    return Inspection(
        _kind(impulses, sigma, growth, pixels.size), impulses, sigma, *_texture(planes)
    )


def _kind(impulses: Impulses, sigma: float, growth: float, size: int) -> str:
    if impulses.is_salt_and_pepper:
        return "salt-and-pepper"
    if size < _FEWEST or impulses.share:
        return "unknown"
    if _LEAST_SHARE < impulses.others and (impulses.others < _LARGE_SHARE or sigma > 2):
        return "impulses"
    if sigma > _VISIBLE:
        return "signal-dependent" if growth > _GROWING else "gaussian"
    return "clean"


def _sigma(planes: Pixels) -> tuple[float, float]:
    """Estimates noise where the picture is flattest.

    Of each block of 8×8 the mean absolute response to Immerkær's mask tells the standard deviation;
    the tenth part of the blocks that is least counts, times what that is less than all of them in
    noise alone. Where most blocks hold pure black or white, those count, too, and what is cut off
    there is made up for.

    Returns:
        The standard deviation in levels, and by which power of the brightness it grows.

    Source: Immerkær, Fast Noise Variance Estimation, CVIU 64 (2), 1996.
    """
    height, width = (extent // 8 * 8 for extent in planes.shape[-2:])
    inner = planes[..., :height, :width]
    pure = _blocks((inner == 0) | (inner == 255))
    if inner.size == 0 or pure.mean() > 0.98:
        return 0.0, 0.0
    wide = np.pad(inner, [(0, 0)] * 2 + [(1, 1)] * 2, mode="edge").astype(np.int16)
    response = np.abs(np.diff(np.diff(wide, 2, axis=-1), 2, axis=-2))
    used = pure == 0
    if used.mean() < 0.05:
        used[:] = True
    sigma = 1.25 * math.sqrt(math.pi / 2) / 6 * _blocks(response)[used] / (1 - 0.84 * pure[used])
    level = _blocks(inner)[used]
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
    return blocks.mean(axis=(-3, -1), dtype=np.float32)


def _texture(planes: Pixels) -> tuple[float, float]:
    """Share of values equal to the next one, and relative steps between JPEG's blocks."""
    width = planes.shape[-1]
    if width < 2:
        return 0.0, 1.0
    steps = np.abs(np.diff(planes.astype(np.int16), axis=-1))
    flat = float((steps == 0).mean())
    means = steps.mean(axis=(0, 1, 2))
    between = np.arange(1, width) % 8 == 0
    if not between.any() or (within := means[~between].mean()) == 0:
        return flat, 1.0
    return flat, float(means[between].mean() / within)
