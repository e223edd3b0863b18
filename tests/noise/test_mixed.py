"""Several kinds of noise in order, by their statistics."""

import json

import numpy as np
import pytest

from kerasgan.decoding import decode
from kerasgan.noise.base import Noise
from kerasgan.noise.gaussian import Gaussian
from kerasgan.noise.impulses import RandomImpulses
from kerasgan.noise.mixed import Mixed
from kerasgan.noise.philox import fold_in
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.noise.sensor import Sensor

FLAT = np.full((256, 256, 1), 0.5, np.float32)
SEED = np.array([3, 4])
GRAIN, SALT = Gaussian((0, 40)), SaltAndPepper((0.0, 0.2))


@pytest.mark.parametrize("strength", [0.25, 1.0])
def test_strength_scales_every_part(strength):
    noisy = Mixed(strength, parts=(GRAIN, SALT)).corrupt(FLAT, strength, seed=SEED)
    extreme = (noisy == 0) | (noisy == 1)
    # Grain of 40 alone leaves the range in one value of 690.
    assert extreme.mean() == pytest.approx(0.2 * strength, abs=0.004)
    assert 255 * noisy[~extreme].std() == pytest.approx(40 * strength, rel=0.03)


def test_strength_0_is_the_lowest_level_of_every_part():
    parts = (Gaussian((0, 40)), SaltAndPepper((0.1, 0.3)))
    noisy = Mixed((0, 1), parts=parts).corrupt(FLAT, 0.0, seed=SEED)
    assert np.mean(noisy != FLAT) == pytest.approx(0.1, abs=0.005)


def test_a_parts_exponent_bends_its_level():
    noisy = Mixed(0.5, parts=(SaltAndPepper((0.0, 0.8), exponent=2.0),)).corrupt(
        FLAT, 0.5, seed=SEED
    )
    assert np.mean(noisy != FLAT) == pytest.approx(0.2, abs=0.006)


def test_the_order_counts():
    """Impulses before grain are blurred by it; after it they are pure."""
    pure = [
        np.isin(Mixed(1.0, parts=parts).corrupt(FLAT, 1.0, seed=SEED), (0, 1)).mean()
        for parts in ((GRAIN, SALT), (SALT, GRAIN))
    ]
    assert pure[0] == pytest.approx(0.2, abs=0.005)
    # Of impulses that were there before, half of the grain is cut off.
    assert pure[1] == pytest.approx(0.1, abs=0.005)


def test_parts_are_drawn_apart():
    """Drawn from one seed, both would hit the same pixels."""
    parts = (RandomImpulses(0.3), SaltAndPepper(0.3))
    noisy = Mixed(1.0, parts=parts).corrupt(FLAT, 1.0, seed=SEED)
    assert np.mean(noisy != FLAT) == pytest.approx(1 - 0.7 * 0.7, abs=0.006)


def test_it_is_its_parts_one_after_the_other():
    clean = np.random.default_rng(0).uniform(0, 1, (20, 24, 3)).astype(np.float32)
    parts = (Sensor((0, 80), jpeg=True), Gaussian((5, 25)), SALT)
    expected = clean
    for number, (part, level) in enumerate(zip(parts, (40.0, 15.0, 0.1), strict=True)):
        expected = part.corrupt(expected, level, seed=fold_in(SEED, number))
    noisy = Mixed(0.5, parts=parts).corrupt(clean, 0.5, seed=SEED)
    np.testing.assert_allclose(noisy, expected, atol=1e-6)


def test_parts_are_given_pictures():
    """Grain that is not clipped leaves the range; the light of less than black is no number."""
    free = Gaussian((0, 55), clipped=False)
    noisy = Mixed(1.0, parts=(free, Sensor((0, 80)))).corrupt(0 * FLAT, 1.0, seed=SEED)
    assert np.isfinite(noisy).all()
    last = Mixed(1.0, parts=(SALT, free)).corrupt(0 * FLAT, 1.0, seed=SEED)
    assert last.min() < 0


def test_what_it_says_of_itself():
    noise = Mixed((0, 1), parts=(Sensor((0, 80)), SaltAndPepper((0, 0.1))))
    assert noise.label(0.5) == "0.5 (40/10,000, then 5%)"
    assert noise.description == "mixed noise: sensor noise, then salt and pepper, 50% of it white"
    assert noise.kinds == {"mixed", "sensor", "salt-and-pepper"}
    assert Gaussian(5).kinds == {"gaussian"}


def test_parts_survive_json():
    parts = (Sensor((5, 80), jpeg=True), SaltAndPepper((0, 0.3), 0.5, salt_vs_pepper=0.2))
    noise = Mixed((0.2, 0.9), 0.7, parts)
    assert decode(Noise, json.loads(json.dumps(noise.to_dict())), "noise") == noise


@pytest.mark.parametrize("parts", [(), (Mixed(0.5),), (GRAIN, "sensor")])
def test_what_is_no_mixture_is_refused(parts):
    with pytest.raises(ValueError, match="parts of mixed noise must be one or more simple kinds"):
        Mixed(0.5, parts=parts)
