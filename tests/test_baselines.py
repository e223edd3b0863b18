import numpy as np
import pytest
from skimage import data

from kerasgan.baselines import BASELINES, adaptive_median, restore_with_all
from kerasgan.metrics import psnr

RANDOM = np.random.default_rng(0)


def corrupted(clean, amount):
    draw = RANDOM.random(clean.shape[:2])[..., np.newaxis]
    return np.where(draw < amount, np.where(draw < amount / 2, 255, 0), clean).astype(np.uint8)


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("channels", [1, 3])
def test_baselines_restore(name, channels):
    clean = np.clip(data.astronaut()[64:128, 64:128, :channels], 1, 254)
    noisy = corrupted(clean, 0.2)
    restored = BASELINES[name](noisy)
    assert restored.dtype == np.uint8 and restored.shape == clean.shape
    assert psnr(clean, restored, 255) > psnr(clean, noisy, 255) + 5


@pytest.mark.parametrize("name", [name for name in BASELINES if name != "median 3×3"])
def test_baselines_that_know_the_noise_leave_other_pixels(name):
    noisy = corrupted(np.clip(data.camera()[:48, :48, np.newaxis], 1, 254), 0.5)
    certain = (noisy > 0) & (noisy < 255)
    np.testing.assert_array_equal(BASELINES[name](noisy)[certain], noisy[certain])


@pytest.mark.parametrize("value", [0, 255])
def test_images_without_any_certain_pixel_stay(value):
    nothing = np.full((16, 16, 1), value, np.uint8)
    for restored in restore_with_all(nothing).values():
        np.testing.assert_array_equal(restored, nothing)


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
