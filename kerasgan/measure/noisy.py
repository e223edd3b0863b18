"""The noise that images are given to be measured, or came with."""

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from kerasgan.data.clean import ImageSet
from kerasgan.images.pixels import Pixels, from_float, to_float, with_channels
from kerasgan.noise.base import Noise
from kerasgan.noise.noisy import noisy_image


@dataclass(frozen=True, eq=False)
class Recorded:
    """The noise that pictures came with, as a camera recorded them, beside clean ones.

    It stands where a `Noise` does that images are measured with. Its one level is the root mean
    square of the differences, in levels of 255: what blurs or brightens counts, too.

    Attributes:
        clean: the clean pictures.
        noisy: the noisy ones, of the same sizes, names and order.
    """

    clean: ImageSet
    noisy: ImageSet

    kind: ClassVar[str] = "recorded"
    title: ClassVar[str] = "real noise"
    quantity: ClassVar[str] = "root mean square of the noise, in levels of 255"

    @property
    def description(self) -> str:
        """The noise in words."""
        return f"{self.title}, as it was recorded"

    @property
    def reported_levels(self) -> tuple[float, ...]:
        """How strong the noise of all pictures is together."""
        squares = [
            float(np.square(noisy.astype(np.float64) - clean).mean())
            for noisy, clean in zip(self.noisy, self.clean, strict=True)
        ]
        return (math.sqrt(sum(squares) / len(squares)),)

    def at(self, level: float) -> Self:
        """Returns the same noise: what was recorded has one level."""
        return self

    def label(self, level: float) -> str:
        """Writes the level for people, with its unit."""
        return f"σ {level:.1f}"


def noisy_images(images: ImageSet, noise: Noise | Recorded, *, seed: int = 0) -> list[Pixels]:
    """Gives every image noise of its own, fixed by the seed and its position.

    Grey images get grey noise, in colour as well: in three channels it would be three looks at
    the same value, and easier to undo than any that such a picture comes with.

    Args:
        images: clean images.
        noise: at the level wanted; of what was recorded, the noisy pictures of the same names.
        seed: decides the noise.

    Returns:
        The noisy images, uint8 (H, W, C).
    """
    if isinstance(noise, Recorded):
        recorded = dict(zip(noise.noisy.names, noise.noisy, strict=True))
        return [recorded[name] for name in images.names]
    noisy = []
    for index, clean in enumerate(images):
        channels = clean.shape[-1]
        drawn = clean[..., :1] if (clean == clean[..., :1]).all() else clean
        image = from_float(noisy_image(to_float(drawn), noise, seed=seed, index=index), np.uint8)
        noisy.append(with_channels(image, channels))
    return noisy
