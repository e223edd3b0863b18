"""The pictures by which 8-bit ranges are chosen."""

from collections.abc import Iterator

import numpy as np

from kerasgan.data.clean import ImageSet
from kerasgan.errors import DataError
from kerasgan.images.pixels import Pixels, to_float
from kerasgan.noise.base import Noise
from kerasgan.noise.noisy import noisy_image

PICTURES = 200


def large_enough(images: ImageSet, size: tuple[int, int]) -> list[Pixels]:
    """Chooses the images that pictures of a size can be cut from.

    Args:
        images: clean images.
        size: height and width, in pixels.

    Returns:
        Those that are no smaller.

    Raises:
        DataError: if all images are smaller.
    """
    large = [image for image in images if image.shape[0] >= size[0] and image.shape[1] >= size[1]]
    if not large:
        raise DataError(
            f"all calibration pictures are smaller than {size[0]}x{size[1]}; calibrate on larger "
            "ones, or export a smaller size"
        )
    return large


def calibration_pictures(
    images: ImageSet, size: tuple[int, int], noise: Noise, *, count: int = PICTURES, seed: int = 0
) -> Iterator[Pixels]:
    """Cuts and corrupts pictures, with levels spread evenly over `noise.calibration_range`.

    Args:
        images: clean images.
        size: height and width of the pictures, in pixels; smaller images are passed over.
        noise: what corrupts them.
        count: how many pictures.
        seed: decides the places and the noise.

    Yields:
        float32 arrays (height, width, C) in [0, 1].

    Raises:
        DataError: if all images are smaller.
    """
    large = large_enough(images, size)
    random = np.random.default_rng(seed)
    order = random.permutation(count) % len(large)
    for index, level in enumerate(np.linspace(*noise.calibration_range, count)):
        image = large[order[index]]
        top, left = (
            random.integers(extent - wanted + 1)
            for extent, wanted in zip(image.shape[:2], size, strict=True)
        )
        clean = to_float(image[top : top + size[0], left : left + size[1]])
        yield noisy_image(clean, noise.at(float(level)), seed=seed, index=index)
