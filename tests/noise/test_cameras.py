"""The noise of cameras and instruments, by its statistics."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage
from skimage.util import random_noise

from kerasgan.noise.camera import Camera
from kerasgan.noise.gaussian import Gaussian
from kerasgan.noise.impulses import RandomImpulses
from kerasgan.noise.mixed import Mixed
from kerasgan.noise.resaved import ResavedImpulses
from kerasgan.noise.sensor import Sensor
from kerasgan.noise.speckle import Speckle

SIZE = 256
SEED = np.array([3, 4])


def flat(value, channels=1):
    return np.full((SIZE, SIZE, channels), value, np.float32)


def noise_of(kind, value, level, channels=1):
    clean = flat(value, channels)
    return kind.corrupt(clean, level, seed=SEED) - clean


@pytest.mark.parametrize("sigma", [5, 25, 50])
def test_gaussian_noise_has_its_sigma(sigma):
    noise = noise_of(Gaussian(sigma, clipped=False), 0.5, sigma)
    assert 255 * noise.std() == pytest.approx(sigma, rel=0.02)
    assert 255 * abs(noise.mean()) < 4 * sigma / SIZE
    quartiles = np.percentile(noise, [25, 75])
    np.testing.assert_allclose(255 * quartiles / sigma, [-0.6745, 0.6745], atol=0.03)


def test_clipping_alone_keeps_gaussian_noise_in_range():
    free = noise_of(Gaussian(40, clipped=False), 0.95, 40) + flat(0.95)
    assert free.max() > 1.05
    clipped = Gaussian(40).corrupt(flat(0.95), 40, seed=SEED)
    np.testing.assert_allclose(clipped, np.clip(free, 0, 1), atol=1e-6)


@pytest.mark.parametrize("value", [0.2, 0.6])
def test_speckle_is_that_of_scikit_image(value):
    noise = noise_of(Speckle(0.2), value, 0.2)
    image = flat(value)
    theirs = random_noise(image, "speckle", rng=0, var=0.04) - image
    assert noise.std() == pytest.approx(theirs.std(), rel=0.03)
    assert noise.std() == pytest.approx(0.2 * value, rel=0.03)


def test_random_impulses_take_any_value_in_the_share_asked_for():
    noisy = RandomImpulses(0.3).corrupt(flat(0.5, 3), 0.3, seed=SEED)
    hit = noisy != 0.5
    assert hit.mean() == pytest.approx(0.3, abs=0.005)
    np.testing.assert_allclose(np.histogram(noisy[hit], 10, (0, 1))[0] / hit.sum(), 0.1, atol=0.01)
    both = (hit[..., 0] & hit[..., 1]).mean()
    assert both == pytest.approx(0.09, abs=0.005)


@pytest.mark.parametrize("level", [5.0, 80.0])
def test_sensor_noise_grows_with_the_light(level):
    """Its variance is a straight line before gamma, by whose slope it is wider after it."""
    shot = level / 1e4
    for value in (0.35, 0.6, 0.8):
        noise = noise_of(Sensor(level), value, level)
        light = value**2.2
        expected = np.sqrt(shot * light + np.exp(1.2) * shot**2.18)
        slope = light ** (1 / 2.2 - 1) / 2.2
        assert noise.std() == pytest.approx(expected * slope, rel=0.1 if level < 10 else 0.25)


def correlation(noise, axis):
    along = np.moveaxis(noise - noise.mean(), axis, 0)
    return np.mean(along[1:] * along[:-1]) / noise.var()


def test_a_mosaic_correlates_noise_and_keeps_the_picture():
    level = 20.0
    mosaic = noise_of(Sensor(level), 0.6, level, channels=3)
    plain = noise_of(Sensor(level, mosaic=False), 0.6, level, channels=3)
    for channel in range(3):
        for axis in (0, 1):
            assert abs(correlation(plain[..., channel], axis)) < 0.02
            assert correlation(mosaic[..., channel], axis) > 0.25
    assert abs(mosaic.mean()) < 0.005
    clean = ndimage.gaussian_filter(np.random.default_rng(0).uniform(0, 1, (40, 41, 3)), (2, 2, 0))
    np.testing.assert_allclose(
        Sensor(0).corrupt(clean.astype(np.float32), 0.0, seed=SEED), clean, atol=1e-5
    )


def developed(clean, noise):
    """A flat picture with noise in its light."""
    brighter, darker = (
        np.clip(clean**2.2 + sign * noise, 0, 1) ** (1 / 2.2) for sign in (1.0, -1.0)
    )
    return np.clip(clean + (brighter - darker) / 2, 0, 1)


def noise_in_light(clean, noisy):
    """What `developed` was given."""
    grid = np.linspace(-0.6, 0.6, 100_001)
    return np.interp(noisy, developed(clean.flat[0], grid), grid)


@pytest.mark.parametrize(
    "options", [{}, {"mosaic": False}, {"smoothing": 1.5}, {"smoothing": 1.5, "jpeg": True}]
)
@pytest.mark.parametrize("array", [np.array, tf.constant])
def test_noise_of_sensors_tints_nothing(options, array):
    noise, clean = Sensor((0, 100), **options), np.full((256, 256, 3), (0.4, 0.5, 0.3), np.float32)
    noisy = [
        noise.corrupt(array(clean), 50.0, seed=array(np.array([number, 1]))) for number in range(8)
    ]
    assert np.std(noisy - clean) > 0.015
    np.testing.assert_allclose(np.mean(noisy - clean, axis=(0, 1, 2)), 0.0, atol=1.5e-3)


def test_a_mosaic_is_interpolated_as_by_convolution():
    """An independent interpolation: each colour's own values, spread by SciPy."""
    level, clean = 20.0, flat(0.5, 3)
    plain = Sensor(level, mosaic=False).corrupt(clean, level, seed=SEED)
    mosaic = Sensor(level).corrupt(clean, level, seed=SEED)
    rows, columns = np.indices((SIZE, SIZE)) % 2
    light = noise_in_light(clean, plain)
    for channel, at in enumerate((rows + columns == 0, rows + columns == 1, rows + columns == 2)):
        cross = (
            [[0, 1, 0], [1, 4, 1], [0, 1, 0]] if channel == 1 else [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
        )
        spread = ndimage.convolve(light[..., channel] * at, np.array(cross) / 4, mode="reflect")
        expected = developed(clean[..., channel], spread)
        np.testing.assert_allclose(mosaic[..., channel], expected, atol=1e-4)


def test_smoothing_is_a_gaussian_of_scipy_on_the_noise_alone():
    """What is drawn is found again: of all standard deviations one explains every channel."""
    level, clean = 20.0, flat(0.6, 3)
    plain = Sensor(level).corrupt(clean, level, seed=SEED)
    smooth = Sensor(level, smoothing=2.0).corrupt(clean, level, seed=SEED)
    light = noise_in_light(clean, plain)

    def distance(sigma):
        spread = ndimage.gaussian_filter(light, (sigma, sigma, 0), mode="nearest", radius=4)
        return np.abs(developed(clean, spread) - smooth).max()

    assert min(map(distance, np.arange(0.1, 2.0, 0.01))) < 1e-3
    assert smooth.std() < 0.9 * plain.std()


def test_smoothing_is_drawn_from_the_seed():
    clean, noise = flat(0.5), Sensor(50.0, smoothing=1.5)
    seeds = [np.array([number, 1]) for number in range(40)]
    spreads = [noise.corrupt(clean, 50.0, seed=seed).std() for seed in seeds]
    assert max(spreads) > 3 * min(spreads)


@pytest.mark.parametrize("smoothing", [-0.1, 2.1, float("nan")])
def test_smoothing_out_of_its_range_is_refused(smoothing):
    with pytest.raises(ValueError, match="smoothing must lie within"):
        Sensor(5.0, smoothing=smoothing)


@pytest.mark.parametrize("shape", [(32, 40, 1), (32, 40, 3), (2, 32, 40, 3)])
def test_jpeg_blocks_are_what_pillow_and_tensorflow_make(shape):
    clean = ndimage.gaussian_filter(np.random.default_rng(1).uniform(0, 1, shape), 1.5)
    clean = clean.astype(np.float32)
    noise = Sensor(20.0, jpeg=True)
    ours = noise.corrupt(clean, 20.0, seed=SEED)
    theirs = noise.corrupt(tf.constant(clean), 20.0, seed=SEED).numpy()
    # Where a value lies between two levels, one may be rounded up and the other down.
    assert np.mean(np.abs(ours - theirs) > 1e-4) < 0.02
    assert np.abs(ours - theirs).max() < 0.03
    assert np.abs(ours - Sensor(20.0).corrupt(clean, 20.0, seed=SEED)).mean() > 0.002
    np.testing.assert_allclose(255 * ours, np.rint(255 * ours), atol=1e-3)


@pytest.mark.parametrize(
    "noise",
    [
        Gaussian(25),
        Speckle(0.3),
        RandomImpulses(0.4),
        ResavedImpulses(0.3, scale=(0.5, 2.0), jpeg=False),
        Sensor(40),
        Sensor(40, mosaic=False),
        Sensor(40, smoothing=1.5),
        Mixed(0.5),
        Mixed(0.7, parts=(Speckle((0.1, 0.3)), Gaussian((0, 25), exponent=2.0))),
    ],
)
@pytest.mark.parametrize("shape", [(1, 1, 3), (17, 20, 1), (2, 16, 16, 3)])
def test_numpy_and_tensorflow_draw_the_same(noise, shape):
    clean = np.random.default_rng(2).uniform(0, 1, shape).astype(np.float32)
    level = noise.level[0]
    ours = noise.corrupt(clean, level, seed=SEED)
    assert isinstance(ours, np.ndarray) and ours.dtype == np.float32
    np.testing.assert_allclose(
        ours, noise.corrupt(tf.constant(clean), level, seed=SEED).numpy(), atol=2e-5
    )


def test_each_image_of_cameras_gets_one_of_the_kinds_as_often_as_the_others():
    camera = Camera(1.0, parts=(Gaussian((0, 40)), RandomImpulses((0, 0.2))))
    clean = np.full((4000, 8, 8, 1), 0.5, np.float32)
    changed = (camera.corrupt(clean, 1.0, seed=SEED) != clean).mean(axis=(1, 2, 3))
    impulses = changed < 0.8
    assert impulses.mean() == pytest.approx(0.5, abs=0.03)
    assert changed[impulses].mean() == pytest.approx(0.2, abs=0.01)
    assert changed[~impulses].mean() > 0.99


def test_the_level_of_cameras_is_a_place_in_the_range_of_each_kind():
    camera = Camera((0, 1), parts=(Gaussian((10, 50), exponent=2.0),))
    noise = camera.corrupt(flat(0.5), 0.5, seed=SEED) - 0.5
    assert 255 * noise.std() == pytest.approx(20, rel=0.02)


def test_cameras_without_kinds_are_refused():
    with pytest.raises(ValueError, match="parts of camera noise must be one or more"):
        Camera((0, 1), parts=())
