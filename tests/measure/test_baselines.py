import numpy as np
import pytest
from skimage import data

from kerasgan.measure.baselines import (
    BASELINES,
    IMPULSES,
    adaptive_median,
    gaussian_convolution,
    restore_with,
)
from kerasgan.measure.metrics import psnr

RANDOM = np.random.default_rng(0)


def corrupted(clean, amount):
    draw = RANDOM.random(clean.shape[:2])[..., np.newaxis]
    return np.where(draw < amount, np.where(draw < amount / 2, 255, 0), clean).astype(np.uint8)


@pytest.mark.parametrize("name", IMPULSES)
@pytest.mark.parametrize("channels", [1, 3])
def test_baselines_restore(name, channels):
    clean = np.clip(data.astronaut()[64:128, 64:128, :channels], 1, 254)
    noisy = corrupted(clean, 0.2)
    restored = BASELINES[name](noisy)
    assert restored.dtype == np.uint8 and restored.shape == clean.shape
    assert psnr(clean, restored, 255) > psnr(clean, noisy, 255) + 5


@pytest.mark.parametrize(
    "name", ["adaptive median", "Gaussian convolution", "biharmonic inpainting"]
)
def test_baselines_that_know_the_noise_leave_other_pixels(name):
    noisy = corrupted(np.clip(data.camera()[:48, :48, np.newaxis], 1, 254), 0.5)
    certain = (noisy > 0) & (noisy < 255)
    np.testing.assert_array_equal(BASELINES[name](noisy)[certain], noisy[certain])


@pytest.mark.parametrize("value", [0, 255])
def test_images_without_any_certain_pixel_stay(value):
    nothing = np.full((16, 16, 1), value, np.uint8)
    for restored in restore_with(list(BASELINES), nothing).values():
        np.testing.assert_array_equal(restored, nothing)


def test_gaussian_convolution_agrees_with_a_plain_loop():
    noisy = corrupted(np.clip(data.camera()[100:120, 100:120, np.newaxis], 1, 254), 0.8)
    plane = noisy[..., 0].astype(float)
    # SciPy mirrors an image at its borders, pixels of the border included.
    padded = np.pad(plane, 16, mode="symmetric")
    distances = np.hypot(*np.mgrid[-16:17, -16:17])
    kernel = np.exp(-0.5 * (distances / 0.8) ** 2)
    expected = plane.copy()
    for y, x in np.argwhere((plane == 0) | (plane == 255)):
        window = padded[y : y + 33, x : x + 33]
        weights = kernel * ((window > 0) & (window < 255))
        expected[y, x] = np.rint((window * weights).sum() / weights.sum())
    np.testing.assert_array_equal(gaussian_convolution(noisy)[..., 0], expected)


def test_adaptive_median_agrees_with_a_plain_loop():
    noisy = corrupted(np.clip(data.camera()[100:124, 100:120, np.newaxis], 1, 254), 0.8)
    plane = noisy[..., 0]
    padded = np.pad(plane, 4, mode="symmetric")
    expected = plane.copy()
    for y, x in np.argwhere((plane == 0) | (plane == 255)):
        for margin in (1, 2, 3, 4):
            window = padded[y + 4 - margin : y + 5 + margin, x + 4 - margin : x + 5 + margin]
            known = window[(window > 0) & (window < 255)]
            if known.size:
                expected[y, x] = np.rint(np.median(known))
                break
    np.testing.assert_array_equal(adaptive_median(noisy)[..., 0], expected)
