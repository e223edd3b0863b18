"""The pictures by which 8-bit ranges are chosen."""

from collections.abc import Iterator

import numpy as np

from kerasgan.data.clean import ImageSet
from kerasgan.errors import DataError
from kerasgan.images.pixels import Pixels, random_crop, to_float
from kerasgan.noise.base import Noise
from kerasgan.noise.noisy import noisy_image

PICTURES = 200
# Of large pictures fewer hold as many pixels as that many of this height and width.
_EXTENT, _FEWEST = 256, 25


def count_pictures(size: tuple[int, int]) -> int:
    """Tells how many pictures of a size are calibrated on.

    Args:
        size: height and width, in pixels.

    Returns:
        `PICTURES`, or fewer, down to 25, where those hold more than 200 · 256² pixels.
    """
    return min(PICTURES, max(_FEWEST, PICTURES * _EXTENT**2 // (size[0] * size[1])))


def fitting(images: ImageSet, size: tuple[int, int]) -> list[Pixels]:
    """Chooses the images that are calibrated on.

    Args:
        images: clean images.
        size: height and width of the pictures, in pixels.

    Returns:
        Those at least half as high and half as wide.
    """
    return [
        image for image in images if 2 * image.shape[0] >= size[0] and 2 * image.shape[1] >= size[1]
    ]


def check_fitting(images: ImageSet, size: tuple[int, int]) -> None:
    """Checks that there is something to calibrate on.

    Args:
        images: clean images.
        size: height and width of the pictures, in pixels.

    Raises:
        DataError: if all images are smaller than half of it.
    """
    if not fitting(images, size):
        raise DataError(
            f"all calibration pictures are smaller than {size[0]}x{size[1]}, by more than half; "
            "calibrate on larger ones, or export a smaller size"
        )


def calibration_pictures(
    images: ImageSet,
    size: tuple[int, int],
    noise: Noise,
    *,
    seed: int = 0,
) -> Iterator[Pixels]:
    """Cuts and corrupts pictures, with levels spread evenly over `noise.calibration_range`.

    Args:
        images: clean images.
        size: height and width of the pictures, in pixels; smaller images are mirrored at their
            right and lower end, as they are for restoring, and those less than half as large left
            out.
        noise: what corrupts them.
        seed: decides the places and the noise.

    Yields:
        float32 arrays (height, width, C) in [0, 1].

    Raises:
        DataError: as `check_fitting` does.
    """
    check_fitting(images, size)
    count = count_pictures(size)
    large = fitting(images, size)
    random = np.random.default_rng(seed)
    order = random.permutation(max(count, len(large))) % len(large)
    for index, level in enumerate(np.linspace(*noise.calibration_range, count)):
        clean = to_float(random_crop(large[order[index]], size, random))
        yield noisy_image(clean, noise.at(float(level)), seed=seed, index=index)
