"""Arrays of pixels."""

import numpy as np
import pytest

from kerasgan.images.pixels import mirrored


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(("height", "width"), [(5, 7), (3, 9), (2, 2), (11, 4), (1, 1)])
def test_images_go_on_mirrored_as_far_as_is_asked(dtype, height, width):
    image = np.arange(3 * 4 * 2, dtype=dtype).reshape(3, 4, 2)
    larger = mirrored(image, height, width)
    assert larger.dtype == dtype
    assert larger.shape == (max(3, height), max(4, width), 2)
    rows, columns = np.indices(larger.shape[:2])
    # Back and forth, with the outermost pixels twice.
    back = [
        np.minimum(at % (2 * n), 2 * n - 1 - at % (2 * n)) for at, n in ((rows, 3), (columns, 4))
    ]
    np.testing.assert_array_equal(larger, image[tuple(back)])
