"""Baselines for noise that spares no pixel."""

import numpy as np
import pytest
from skimage import data

from kerasgan.data.clean import ImageSet
from kerasgan.measure import baselines
from kerasgan.measure.baselines import BASELINES, GRAIN, IMPULSES, fitting, installed, usual
from kerasgan.measure.grain import estimated_sigma
from kerasgan.measure.metrics import psnr
from kerasgan.measure.noisy import Recorded
from kerasgan.noise.gaussian import Gaussian
from kerasgan.noise.impulses import RandomImpulses
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.noise.sensor import Sensor

RECORDED = Recorded(ImageSet(), ImageSet())


def grainy(clean, sigma):
    noise = np.random.default_rng(0).normal(0, sigma, clean.shape)
    return np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("sigma", [5, 25])
@pytest.mark.parametrize("channels", [1, 3])
def test_sigma_is_estimated(sigma, channels):
    noisy = grainy(data.astronaut()[64:192, 64:192, :channels], sigma)
    assert 255 * estimated_sigma(noisy) == pytest.approx(sigma, rel=0.25)


@pytest.mark.parametrize("name", GRAIN)
@pytest.mark.parametrize("channels", [1, 3])
def test_grain_is_filtered_as_far_as_there_is_any(name, channels):
    clean = data.astronaut()[64:128, 64:128, :channels]
    for sigma, gain in ((10, 0.5), (25, 3.0)):
        noisy = grainy(clean, sigma)
        restored = BASELINES[name](noisy)
        assert restored.dtype == np.uint8 and restored.shape == clean.shape
        assert psnr(clean, restored, 255) > psnr(clean, noisy, 255) + gain


@pytest.mark.parametrize("name", GRAIN)
@pytest.mark.parametrize("shape", [(7, 7, 1), (16, 40, 3)])
@pytest.mark.parametrize("value", [0, 93, 255])
def test_what_has_no_grain_stays(name, shape, value):
    flat = np.full(shape, value, np.uint8)
    np.testing.assert_array_equal(BASELINES[name](flat), flat)


@pytest.mark.parametrize("name", GRAIN)
@pytest.mark.parametrize("shape", [(7, 9, 1), (8, 40, 3)])
def test_small_images_are_filtered(name, shape):
    noisy = grainy(np.full(shape, 120.0), 25)
    restored = BASELINES[name](noisy)
    assert restored.shape == shape
    assert np.abs(restored - 120.0).mean() < np.abs(noisy - 120.0).mean()


@pytest.mark.parametrize("name", ["wavelets", "bilateral", "blind non-local means"])
def test_a_channel_that_is_constant_does_no_harm(name):
    grey = np.repeat(grainy(data.camera()[64:128, 64:128, np.newaxis], 25), 3, axis=-1)
    clean = np.repeat(data.camera()[64:128, 64:128, np.newaxis], 3, axis=-1)
    assert psnr(clean, BASELINES[name](grey), 255) > psnr(clean, grey, 255) + 3
    noisy, red = grey.copy(), clean.copy()
    noisy[..., 1:], red[..., 1:] = 90, 90
    assert psnr(red, BASELINES[name](noisy), 255) > psnr(red, noisy, 255) + 1


@pytest.mark.parametrize("noise", [Gaussian(25), Sensor(20), RandomImpulses(0.1), RECORDED])
def test_what_is_compared_with_depends_on_the_noise(noise):
    impulses = SaltAndPepper(0.5)
    assert usual(impulses) == baselines.USUAL and fitting(impulses) == tuple(IMPULSES)
    assert {*usual(noise)} >= {"blind total variation", "blind non-local means", "BM3D"}
    assert {*usual(noise)} <= {*fitting(noise)} and {*GRAIN} <= {*fitting(noise)}
    assert ("median 3×3" in usual(noise)) == isinstance(noise, RandomImpulses)


@pytest.mark.parametrize(
    ("missing", "left"),
    [
        ((), tuple(BASELINES)),
        (("bm3d",), tuple(name for name in BASELINES if name != "BM3D")),
        (("bm3d", "pywt"), tuple(IMPULSES)),
    ],
)
def test_baselines_whose_package_is_missing_are_left_out(monkeypatch, missing, left):
    monkeypatch.setattr(
        baselines.importlib.util, "find_spec", lambda name: None if name in missing else name
    )
    assert installed(tuple(BASELINES)) == left
