"""What is measured to tell kinds of noise apart, against SciPy."""

import math

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from kerasgan.restore.impulses import find_impulses, sample
from kerasgan.restore.looks import LOOKS, measure, unevenness, vector, weigh

IMMERKAER = np.outer([1, -2, 1], [1, -2, 1])


def planes_of(seed=0, shape=(64, 72), sigma=10.0, smooth=0.0):
    noise = np.random.default_rng(seed).normal(0, 1, shape)
    if smooth:
        noise = ndimage.gaussian_filter(noise, smooth)
    values = 128 + sigma * noise / noise.std()
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)[np.newaxis, np.newaxis]


def block_means(values):
    return ndimage.uniform_filter(values.astype(float), 8, origin=-4)[::8, ::8]


def test_responses_are_those_of_a_convolution():
    planes = planes_of()
    response = ndimage.convolve(planes[0, 0].astype(int), IMMERKAER, mode="nearest")
    noise = block_means(np.abs(response))
    peaked = np.log(np.median(block_means(response**2) / noise**2))
    found = measure(planes)
    assert found.noises[3] == pytest.approx(np.log1p(np.quantile(noise, 0.1)))
    assert found.peaked[1] == pytest.approx(peaked)
    assert found.shares == (0, 0, 0, 1, 0, 0) and found.noises[0] == -1


def test_gaussian_noise_is_as_theory_has_it():
    found = measure(planes_of(shape=(256, 256)))
    assert found.sigma == pytest.approx(10, rel=0.1)
    # Of a normal deviate, the mean square is half of pi times the square of the mean size.
    assert found.peaked[1] == pytest.approx(math.log(math.pi / 2), abs=0.03)
    assert found.coarse[1] == pytest.approx(0, abs=0.02)


def test_noise_that_correlates_is_coarse_and_impulses_are_peaked():
    assert measure(planes_of(smooth=1.0)).coarse[1] > 1
    planes = np.full((1, 1, 64, 64), 100, np.uint8)
    planes[..., 4::8, 4::8] = 200
    assert measure(planes).peaked[1] > 1


def test_values_beyond_their_neighbours_are_counted():
    planes = np.full((1, 1, 16, 16), 100, np.uint8)
    planes[..., 3, 3], planes[..., 9, 9] = 104, 70
    share = math.log(1 / 256 + 1e-4)
    assert measure(planes).beyond == pytest.approx(
        (math.log(2 / 256 + 1e-4), share, share, math.log(1e-4))
    )


def test_values_apart_from_the_median_are_counted():
    planes = planes_of(sigma=30.0)
    apart = planes[0, 0] - ndimage.median_filter(planes[0, 0].astype(float), 3, mode="nearest")
    shares = [np.log((np.abs(apart) > step).mean() + 1e-4) for step in (1, 4, 12, 24, 48, 96)]
    assert measure(planes).apart == pytest.approx(shares)
    pairs = (apart[:, :-1] * apart[:, 1:]).mean(), (apart[:-1] * apart[1:]).mean()
    assert measure(planes).alike == pytest.approx([pair / (apart**2).mean() for pair in pairs])


def test_grain_of_each_colour_by_itself_is_told_from_grain_of_all():
    grey, colours = planes_of(), np.concatenate([planes_of(seed) for seed in range(3)], axis=1)
    alone, together = measure(colours), measure(np.repeat(grey, 3, axis=1))
    assert abs(alone.joint) < 0.05 and together.joint == pytest.approx(1.0)
    assert measure(grey).joint == 1


def test_what_is_still_is_told():
    planes = np.full((1, 1, 16, 16), 100, np.uint8)
    planes[..., 3, 3] = 104
    assert measure(planes).still == 0.75
    assert measure(planes[..., :7, :]) is None


def photograph_with_noise(sigma=15.0):
    photograph = data.camera()[:256, :256]
    noise = np.random.default_rng(0).normal(0, sigma, photograph.shape)
    return np.clip(np.rint(photograph + noise), 0, 255).astype(np.uint8)[np.newaxis, np.newaxis]


@pytest.mark.parametrize("planes", [photograph_with_noise(), np.zeros((2, 3, 8, 8), np.uint8)])
def test_the_trees_weigh_them_all(planes):
    impulses, measures = find_impulses(planes[0].transpose(1, 2, 0)), measure(planes)
    seen = vector(measures, impulses)
    assert seen.shape == (39,) and np.isfinite(seen).all()
    logits = weigh(measures, impulses)
    assert tuple(logits) == LOOKS
    assert max(logits, key=logits.get) == ("gaussian" if planes.any() else "clean")


def test_large_pictures_are_measured_by_parts_of_them():
    tiled = np.tile(planes_of()[0, 0], (16, 16))[..., np.newaxis]
    assert measure(sample(tiled)).sigma == pytest.approx(measure(planes_of()).sigma, rel=0.05)


@pytest.mark.parametrize("turned", [False, True])
def test_unevenness_is_what_rows_vary_by_beyond_chance(turned):
    random = np.random.default_rng(1)
    even = np.where(random.random((1, 1, 400, 300)) < 0.1, 255, 128).astype(np.uint8)
    assert unevenness(even) < 0.1
    # In half of the rows twice as often, in the others never: a standard deviation of the mean.
    rows = np.arange(400)[:, np.newaxis] // 10 % 2
    lines = np.where(random.random((1, 1, 400, 300)) < 0.1 * rows, 255, 128).astype(np.uint8)
    planes = lines.swapaxes(2, 3) if turned else lines
    assert unevenness(planes) == pytest.approx(1.0, abs=0.1)
    median = ndimage.median_filter(planes[0, 0], 3, mode="nearest").astype(int)
    counts = (np.abs(planes[0, 0] - median) > 24).sum(axis=0 if turned else 1)
    expected = (counts.var() - counts.mean() * (1 - counts.mean() / 300)) ** 0.5 / counts.mean()
    assert unevenness(planes) == pytest.approx(expected)


def test_nothing_that_stands_out_is_even():
    assert unevenness(np.full((1, 1, 20, 20), 128, np.uint8)) == 0.0
