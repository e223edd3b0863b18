"""The noise that a whole image is given, by seeds that keep evaluation and training apart."""

from typing import Any

import numpy as np
import numpy.typing as npt

from kerasgan.noise.base import Noise
from kerasgan.noise.philox import fold_in

TRAINING, EVALUATION = 0, 1


def noisy_image(
    clean: npt.NDArray[Any], noise: Noise, *, seed: int = 0, index: int = 0
) -> npt.NDArray[np.float32]:
    """Adds the noise that the evaluation adds to a whole image.

    Args:
        clean: float array (H, W, C) in [0, 1].
        noise: what corrupts it; of a range of levels, one is drawn.
        seed: the run's seed.
        index: the image's number: each has noise of its own.

    Returns:
        float32 array (H, W, C) in [0, 1], unless the noise is not clipped.

    Raises:
        ValueError: for other shapes and ranges.

    Example:
        >>> noisy = noisy_image(clean, SaltAndPepper(0.5))
    """
    clean = np.asarray(clean)
    if clean.ndim != 3:
        raise ValueError(f"an image must be (H, W, C), got {clean.shape}")
    if clean.size and not (0.0 <= clean.min() and clean.max() <= 1.0):
        raise ValueError("an image must lie in [0, 1]: divide 8-bit pixels by 255")
    image_seed = fold_in((seed, EVALUATION), index)
    low, high = noise.level
    level = low if low == high else noise.draw_level(fold_in(image_seed, 0))
    noisy = noise.corrupt(clean, level, seed=fold_in(image_seed, 1))
    return np.asarray(noisy).astype(np.float32, copy=False)
