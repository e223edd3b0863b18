from typing import get_args

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.config import Reconstruction
from kerasgan.model.losses import (
    Charbonnier,
    mean_over_suspects,
    reconstruction_loss,
)
from kerasgan.noise.salt_and_pepper import SaltAndPepper

RANDOM = np.random.default_rng(0)
CLEAN, RESTORED = RANDOM.random((2, 3, 8, 8, 2)).astype(np.float32)
NOISY = np.where(RANDOM.random((3, 8, 8, 2)) < 0.5, 1.0, 0.5).astype(np.float32)
ORACLES = {
    "mse": lambda error: error**2,
    "mae": np.abs,
    "charbonnier": lambda error: np.sqrt(error**2 + 1e-6),
    "rmse": lambda error: error**2,
    "psnr": lambda error: error**2,
}
OF_EACH_IMAGE = {
    "rmse": lambda mse: np.sqrt(mse + 1e-5),
    "psnr": lambda mse: 10 * np.log10(mse + 1e-5),
}


@pytest.mark.parametrize("suspects_only", [False, True])
@pytest.mark.parametrize("name", get_args(Reconstruction))
def test_reconstruction_losses_agree_with_numpy(name, suspects_only):
    noise = SaltAndPepper(0.5) if suspects_only else None
    losses = reconstruction_loss(name, noise)(NOISY, CLEAN, RESTORED)
    weights = (NOISY == 1.0).any(axis=-1) if suspects_only else np.ones(NOISY.shape[:3])
    per_pixel = ORACLES[name](CLEAN - RESTORED).mean(axis=-1)
    expected = (per_pixel * weights).sum(axis=(1, 2)) / weights.sum(axis=(1, 2))
    if name in OF_EACH_IMAGE:
        expected = OF_EACH_IMAGE[name](expected)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


@pytest.mark.parametrize(("name", "least"), [("psnr", -50.0), ("rmse", 10**-2.5)])
def test_the_loss_of_an_exact_image_is_finite_and_so_is_its_gradient(name, least):
    restored = tf.Variable(CLEAN)
    with tf.GradientTape() as tape:
        losses = reconstruction_loss(name, SaltAndPepper(0.5))(NOISY, CLEAN, restored)
    np.testing.assert_allclose(losses, least, rtol=1e-5)
    np.testing.assert_array_equal(tape.gradient(losses, restored), np.zeros_like(CLEAN))


def test_unknown_losses_are_refused():
    with pytest.raises(ValueError, match="mse, mae, charbonnier, rmse, psnr"):
        reconstruction_loss("huber")


def test_a_keras_loss_counts_as_its_own_mean_over_each_image():
    for loss in (keras.losses.Huber(0.3), keras.losses.MeanAbsoluteError(reduction="sum")):
        losses = reconstruction_loss(loss)(NOISY, CLEAN, RESTORED)
        assert losses.shape == (3,)
        expected = np.mean(loss.call(CLEAN, RESTORED), axis=(1, 2))
        np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_mean_over_suspects_leaves_certain_pixels_out():
    noisy = np.array([[[[0.0], [0.5]], [[1.0], [0.2]]], [[[0.3], [0.5]], [[0.9], [0.2]]]])
    per_pixel = np.array([[[1.0, 9.0], [3.0, 9.0]], [[9.0, 9.0], [9.0, 9.0]]])
    suspects = SaltAndPepper(0.5).suspects(noisy)
    np.testing.assert_allclose(mean_over_suspects(per_pixel, suspects), [2.0, 0.0])


def test_charbonnier_survives_serialization():
    config = keras.saving.serialize_keras_object(Charbonnier(epsilon=0.1))
    assert keras.saving.deserialize_keras_object(config).epsilon == 0.1
