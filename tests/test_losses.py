import keras
import numpy as np
import pytest

from kerasgan.losses import (
    RECONSTRUCTION_LOSSES,
    Charbonnier,
    adversarial_loss,
    mean_over_suspects,
    reconstruction_loss,
)

RANDOM = np.random.default_rng(0)
CLEAN, RESTORED = RANDOM.random((2, 3, 8, 8, 2)).astype(np.float32)
ORACLES = {
    "mse": lambda error: error**2,
    "mae": np.abs,
    "charbonnier": lambda error: np.sqrt(error**2 + 1e-6),
}


@pytest.mark.parametrize("name", RECONSTRUCTION_LOSSES)
def test_reconstruction_losses_agree_with_numpy(name):
    per_pixel = reconstruction_loss(name)(CLEAN, RESTORED)
    expected = ORACLES[name](CLEAN - RESTORED).mean(axis=-1)
    np.testing.assert_allclose(per_pixel, expected, rtol=1e-5)


def test_unknown_losses_are_refused():
    with pytest.raises(ValueError, match="mse, mae, charbonnier"):
        reconstruction_loss("huber")


def test_adversarial_loss_is_cross_entropy_on_logits():
    logits = np.array([[-3.0], [0.0], [2.0]], np.float32)
    real = adversarial_loss()(np.ones_like(logits), logits)
    np.testing.assert_allclose(real, np.log1p(np.exp(-logits[:, 0])), rtol=1e-5)


def test_mean_over_suspects_leaves_certain_pixels_out():
    noisy = np.array([[[[0.0], [0.5]], [[1.0], [0.2]]], [[[0.3], [0.5]], [[0.9], [0.2]]]])
    per_pixel = np.array([[[1.0, 9.0], [3.0, 9.0]], [[9.0, 9.0], [9.0, 9.0]]])
    np.testing.assert_allclose(mean_over_suspects(per_pixel, noisy), [2.0, 0.0])


def test_charbonnier_survives_serialization():
    config = keras.saving.serialize_keras_object(Charbonnier(epsilon=0.1))
    assert keras.saving.deserialize_keras_object(config).epsilon == 0.1
