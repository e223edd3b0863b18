"""The pictures by which 8-bit ranges are chosen."""

from collections.abc import Iterator

import numpy as np

from kerasgan.data.clean import ImageSet
from kerasgan.data.pipeline import noisy_image
from kerasgan.errors import DataError
from kerasgan.images import Pixels, to_float

PICTURES = 200
# Every amount that a picture is worth restoring from.
AMOUNTS = (0.0, 0.95)


def calibration_pictures(
    images: ImageSet, size: tuple[int, int], *, count: int = PICTURES, seed: int = 0
) -> Iterator[Pixels]:
    """Cuts and corrupts pictures, with amounts of noise spread evenly over `AMOUNTS`.

    Args:
        images: clean images.
        size: height and width of the pictures, in pixels; smaller images are passed over.
        count: how many pictures.
        seed: decides the places and the noise.

    Yields:
        float32 arrays (height, width, C) in [0, 1]; 0 and 1 are among the values of each but the
        first.

    Raises:
        DataError: if all images are smaller.
    """
    large = [image for image in images if image.shape[0] >= size[0] and image.shape[1] >= size[1]]
    if not large:
        raise DataError(
            f"all calibration pictures are smaller than {size[0]}x{size[1]}; calibrate on larger "
            "ones, or export a smaller size"
        )
    random = np.random.default_rng(seed)
    order = random.permutation(count) % len(large)
    for index, amount in enumerate(np.linspace(*AMOUNTS, count)):
        image = large[order[index]]
        top, left = (
            random.integers(extent - wanted + 1)
            for extent, wanted in zip(image.shape[:2], size, strict=True)
        )
        clean = to_float(image[top : top + size[0], left : left + size[1]])
        yield noisy_image(clean, amount, seed=seed, index=index)
