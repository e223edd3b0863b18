"""The noise that images are given to be measured."""

import numpy as np

from kerasgan.data.clean import ImageSet
from kerasgan.images.pixels import Pixels, from_float, to_float
from kerasgan.noise.base import Noise
from kerasgan.noise.noisy import noisy_image


def noisy_images(images: ImageSet, noise: Noise, *, seed: int = 0) -> list[Pixels]:
    """Gives every image noise of its own, fixed by the seed and its position.

    Args:
        images: clean images.
        noise: at the level wanted.
        seed: decides the noise.

    Returns:
        The noisy images, uint8 (H, W, C).
    """
    return [
        from_float(noisy_image(to_float(clean), noise, seed=seed, index=index), np.uint8)
        for index, clean in enumerate(images)
    ]
