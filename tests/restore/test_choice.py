"""Which models restore a picture, and in which order."""

from pathlib import Path

import numpy as np
import pytest

from kerasgan.noise.camera import Camera
from kerasgan.restore import choice
from kerasgan.restore.choice import Choice
from kerasgan.store.zoo import (
    CAMERA_MODEL,
    DEFAULT_MODEL,
    GAUSSIAN_MODEL,
    IMPULSES_MODEL,
    PAGES_MODEL,
    read_saved_model,
)
from tests.helpers import noisy_picture, smooth_image

CLEAN = smooth_image(1, 90, 100) // 2 + 64


CAMERA = Camera((0, 1))
# Lines of one pixel on white.
PAGE = np.full((90, 100, 1), 255, np.uint8)
PAGE[10:80:9, 10:90] = 0


def with_gaussian(pixels, sigma=20):
    noise = np.random.default_rng(0).normal(0, sigma, pixels.shape)
    return np.clip(np.rint(pixels + noise), 1, 254).astype(np.uint8)


def with_impulses(pixels, share=0.3):
    hit = np.random.default_rng(1).uniform(size=pixels.shape)
    return np.where(hit < share, np.where(hit < share / 2, 255, 0), pixels).astype(np.uint8)


def with_random_values(pixels, share=0.1):
    random = np.random.default_rng(2)
    values = random.integers(1, 255, pixels.shape)
    return np.where(random.uniform(size=pixels.shape) < share, values, pixels).astype(np.uint8)


def with_speckle(pixels, deviation=0.2):
    noise = np.random.default_rng(3).normal(1, deviation, pixels.shape)
    return np.clip(np.rint(pixels * noise), 1, 254).astype(np.uint8)


class Removing:
    """Stands for a model: puts another picture in the place of what it is given."""

    def __init__(self, result):
        self.result, self.strengths = result, []

    def __call__(self, pixels, advance, *, strength):
        self.strengths.append(strength)
        advance(0.25)
        advance(0.75)
        return self.result

    def twin(self, threads):
        return Removing(self.result)


@pytest.fixture
def models():
    return {
        read_saved_model(DEFAULT_MODEL).path: Removing(with_gaussian(CLEAN)),
        read_saved_model(PAGES_MODEL).path: Removing(PAGE),
        read_saved_model(IMPULSES_MODEL).path: Removing(CLEAN),
        read_saved_model(GAUSSIAN_MODEL).path: Removing(CLEAN),
        read_saved_model(CAMERA_MODEL).path: Removing(CLEAN),
    }


def names(restored):
    return [step.model.name for step in restored.steps]


def test_faint_grain_that_is_left_is_told(models):
    models[read_saved_model(DEFAULT_MODEL).path] = Removing(with_gaussian(CLEAN, 2))
    restored = Choice(None, models.__getitem__)(with_impulses(CLEAN))
    assert names(restored) == [DEFAULT_MODEL]
    assert restored.rest == "; faint grain is left, which --model camera-photos takes from it"


def test_mixed_noise_is_taken_in_the_right_order(models):
    noisy, shares = with_impulses(with_gaussian(CLEAN)), []
    restored = Choice(None, models.__getitem__)(noisy, shares.append)
    assert sum(shares) == 1.0 and len(shares) == 4
    assert names(restored) == [DEFAULT_MODEL, CAMERA_MODEL]
    assert [step.found.kind for step in restored.steps] == ["salt-and-pepper", "gaussian"]
    assert restored.objection is None
    assert restored.rest == ""
    np.testing.assert_array_equal(restored.pixels, CLEAN)


def test_noise_of_one_kind_is_taken_once(models):
    models[read_saved_model(DEFAULT_MODEL).path].result = CLEAN
    load = models.__getitem__
    assert names(Choice(None, load)(with_impulses(CLEAN))) == [DEFAULT_MODEL]
    assert names(Choice(None, load)(with_gaussian(CLEAN))) == [GAUSSIAN_MODEL]
    assert names(Choice(None, load)(with_speckle(CLEAN))) == [CAMERA_MODEL]
    assert names(Choice(None, load)(with_impulses(PAGE))) == [PAGES_MODEL]
    assert names(Choice(None, load)(with_random_values(CLEAN))) == [IMPULSES_MODEL]


def test_grain_is_taken_once_by_whichever_model(models):
    models[read_saved_model(GAUSSIAN_MODEL).path].result = with_speckle(CLEAN)
    assert names(Choice(None, models.__getitem__)(with_gaussian(CLEAN))) == [GAUSSIAN_MODEL]


def test_stray_impulses_on_pages_are_left_alone(models):
    noisy = with_random_values(PAGE)
    left = Choice(None, models.__getitem__)(noisy)
    assert left.steps == () and left.pixels is noisy
    assert "restoring would change what was drawn, too" in left.objection
    assert left.fits


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_strength_goes_from_the_first_picture_to_the_last(models, dtype):
    def of_type(pixels):
        return pixels if dtype == np.uint8 else (pixels / np.float32(255)).astype(dtype)

    for model in models.values():
        model.result = of_type(model.result)
    noisy = of_type(with_impulses(with_gaussian(CLEAN)))
    whole = Choice(None, models.__getitem__)(noisy)
    none = Choice(None, models.__getitem__, strength=0.0)(noisy)
    some = Choice(None, models.__getitem__, strength=0.3)(noisy)
    assert names(whole) == names(some) == names(none) == [DEFAULT_MODEL, CAMERA_MODEL]
    np.testing.assert_array_equal(none.pixels, noisy)
    path = read_saved_model(DEFAULT_MODEL).path
    Choice(path, models.__getitem__, strength=0.3)(noisy)
    assert models[path].strengths == [1.0, 1.0, 1.0, 0.3]
    expected = noisy + 0.3 * (whole.pixels.astype(float) - noisy)
    np.testing.assert_allclose(some.pixels, expected, atol=0.501 if dtype == np.uint8 else 1e-6)


def test_what_remains_is_not_taken_again(models):
    noisy = with_impulses(CLEAN)
    models[read_saved_model(DEFAULT_MODEL).path].result = noisy
    assert names(Choice(None, models.__getitem__)(noisy)) == [DEFAULT_MODEL]


def test_clean_pictures_load_no_model():
    restored = Choice(None, lambda path: pytest.fail(f"loaded {path}"))(CLEAN)
    assert restored.steps == () and restored.pixels is CLEAN
    assert "no noise is seen" in restored.objection


def test_a_model_that_is_named_restores_alone(models):
    path = read_saved_model(DEFAULT_MODEL).path
    choice = Choice(path, models.__getitem__)
    assert names(choice(with_impulses(with_gaussian(CLEAN)))) == [DEFAULT_MODEL]
    refused = choice(with_gaussian(CLEAN))
    assert "which this model does not remove" in refused.objection and not refused.fits


def test_force_restores_once_whatever_there_is(models):
    models[read_saved_model(DEFAULT_MODEL).path].result = CLEAN
    forced = Choice(None, models.__getitem__, force=True)
    assert names(forced(CLEAN)) == [CAMERA_MODEL]
    assert names(forced(with_impulses(CLEAN))) == [DEFAULT_MODEL]
    path = read_saved_model(DEFAULT_MODEL).path
    assert names(Choice(path, models.__getitem__, force=True)(with_gaussian(CLEAN)))


def test_twins_share_no_restorer(models):
    path = read_saved_model(DEFAULT_MODEL).path
    first = Choice(path, models.__getitem__)
    twin = first.twin()
    noisy = noisy_picture(90, 100)
    np.testing.assert_array_equal(twin(noisy).pixels, first(noisy).pixels)
    assert models[path].strengths == [1.0]


def test_a_named_model_is_loaded_at_once():
    with pytest.raises(KeyError):
        Choice(Path("nowhere"), {}.__getitem__)


def test_what_models_are_for_is_read_once(models, monkeypatch):
    read = []
    monkeypatch.setattr(choice, "removed_noise", lambda path: read.append(path) or CAMERA)
    path = read_saved_model(CAMERA_MODEL).path
    restore = Choice(path, models.__getitem__)
    for _ in range(3):
        restore(with_gaussian(CLEAN))
    assert read == [path] and models[path].strengths == [1.0] * 3
