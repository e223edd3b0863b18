"""What every kind of noise promises, whatever it is."""

import json

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.decoding import decode
from kerasgan.noise.base import Noise
from kerasgan.noise.kinds import KINDS, noise_of
from kerasgan.noise.salt_and_pepper import SaltAndPepper

CLEAN = np.random.default_rng(0).uniform(0, 1, (3, 24, 24, 1)).astype(np.float32)


@pytest.fixture(params=KINDS)
def noise(request):
    kind = noise_of(request.param)
    return kind(kind.bounds)


def test_corrupted_images_stay_images(noise):
    for level in noise.level:
        noisy = noise.corrupt(CLEAN, level, seed=(1, 2)).numpy()
        assert noisy.shape == CLEAN.shape and noisy.dtype == np.float32
        assert 0.0 <= noisy.min() and noisy.max() <= 1.0
    assert not np.array_equal(noisy, CLEAN)


def test_corruption_is_a_function_of_its_seed(noise):
    level = noise.level[1]
    first, again, other = (noise.corrupt(CLEAN, level, seed=(0, s)).numpy() for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.mean(first != other) > 0.3


def test_corruption_is_the_same_inside_tf_data(noise):
    level = noise.level[1] / 2
    dataset = tf.data.Dataset.from_tensors(CLEAN).map(
        lambda clean: noise.corrupt(clean, level, seed=(1, 1))
    )
    np.testing.assert_allclose(
        next(dataset.as_numpy_iterator()), noise.corrupt(CLEAN, level, seed=(1, 1)), atol=1e-6
    )


def test_a_level_may_differ_per_image(noise):
    low, high = noise.level
    weak = noise.corrupt(CLEAN, low, seed=(1, 2)).numpy()
    noisy = noise.corrupt(CLEAN, tf.constant([low, low, high], tf.float32), seed=(1, 2)).numpy()
    np.testing.assert_allclose(noisy[:2], weak[:2], atol=1e-6)
    # Compared with itself at the low level, where JPEG alone changes it, too.
    assert np.abs(noisy[2] - CLEAN[2]).mean() > 2 * np.abs(weak[2] - CLEAN[2]).mean()


def test_only_suspects_are_changed(noise):
    noisy = noise.corrupt(CLEAN, noise.level[1] / 2, seed=(1, 2)).numpy()
    suspects = np.asarray(noise.suspects(noisy))
    assert suspects.dtype == bool and suspects.shape == noisy.shape
    # Salt and pepper alone leaves anything certain.
    assert suspects.all() == (noise.kind != SaltAndPepper.kind)
    np.testing.assert_array_equal(noisy[~suspects], CLEAN[~suspects])


def test_levels_are_drawn_from_the_whole_range(noise):
    low, high = noise.level
    levels = np.array([noise.draw_level((0, s)) for s in range(400)])
    assert low <= levels.min() < low + 0.02 * (high - low)
    assert high - 0.02 * (high - low) < levels.max() <= high


def test_it_survives_json(noise):
    assert decode(Noise, json.loads(json.dumps(noise.to_dict())), "noise") == noise


def test_what_is_reported_and_checked_lies_within_the_bounds(noise):
    for level in (*noise.usual_levels, *noise.checked_levels, *noise.calibration_range):
        noise.at(level)
        assert noise.label(level)
    assert noise.title and noise.quantity and noise.title in noise.description


@pytest.mark.parametrize(
    ("level", "reported"),
    [
        ((0.2, 0.2), (0.2,)),
        ((0.05, 0.95), (0.15, 0.5, 0.9)),
        ((0.4, 0.9), (0.5, 0.9)),
        ((0.2, 0.3), (0.25,)),
    ],
)
def test_usual_levels_inside_the_range_are_reported(level, reported):
    assert SaltAndPepper(level).reported_levels == reported


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"level": (0.9, 0.1)}, "must be LOW:HIGH within"),
        ({"level": (-0.1, 0.5)}, "got -0.1:0.5"),
        ({"level": 1.5}, r"share of noise\) must be .* got 1.5$"),
        ({"level": float("nan")}, "got nan"),
        ({"level": 0.5, "exponent": 0.0}, "exponent must be a positive number"),
        ({"level": 0.5, "exponent": float("nan")}, "exponent must be a positive number"),
        ({"level": 0.5, "salt_vs_pepper": -0.1}, "salt_vs_pepper must be in"),
    ],
)
def test_impossible_values_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        SaltAndPepper(**values)


def test_unknown_kinds_are_named():
    with pytest.raises(ValueError, match="no noise 'hail'; there are salt-and-pepper"):
        noise_of("hail")
