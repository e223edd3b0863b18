import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.config import OptimizerConfig
from kerasgan.model.optimizers import Muon, build_optimizer

MUON = OptimizerConfig(learning_rate=0.01, beta_1=0.9, algorithm="muon")


def variables():
    layer = keras.layers.Conv2D(6, 3, name="hidden")
    layer.build((None, 8, 8, 4))
    return layer


def test_kernels_move_by_an_orthogonal_matrix_of_one_size():
    layer = variables()
    before = layer.kernel.numpy()
    gradient = np.random.default_rng(0).normal(size=before.shape).astype(np.float32)
    build_optimizer(MUON).apply([tf.constant(gradient)], [layer.kernel])
    step = (before - layer.kernel.numpy()).reshape(36, 6)
    # Of the gradient's own singular vectors, with singular values that are all about the same:
    # five steps of Newton and Schulz bring them to between 0.7 and 1.2.
    left, _, right = np.linalg.svd(gradient.reshape(36, 6), full_matrices=False)
    aligned = left.T @ step @ right.T
    scale = 0.01 * 0.2 * 36**0.5
    np.testing.assert_allclose(aligned, np.diag(np.diag(aligned)), atol=0.05 * scale)
    assert 0.6 * scale < np.diag(aligned).min() and np.diag(aligned).max() < 1.3 * scale


@pytest.mark.parametrize("name", ["bias", "residual"])
def test_what_is_no_map_between_features_gets_adam(name):
    layer = variables()
    variable = layer.bias
    if name == "residual":
        residual = keras.layers.Conv2D(1, 3, name="residual")
        residual.build((None, 8, 8, 4))
        variable = residual.kernel
    twin = keras.Variable(variable.numpy(), name="twin")
    gradient = tf.ones(variable.shape)
    build_optimizer(MUON, left_to_adam=["residual"]).apply([gradient], [variable])
    keras.optimizers.Adam(0.003, beta_1=0.9).apply([gradient], [twin])
    np.testing.assert_allclose(variable.numpy(), twin.numpy(), rtol=1e-5)


def test_muon_is_saved_and_loaded(tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 4)), keras.layers.Conv2D(6, 3)])
    model.compile(optimizer=build_optimizer(MUON), loss="mse")
    x, y = np.ones((4, 8, 8, 4), np.float32), np.ones((4, 6, 6, 6), np.float32)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(again.optimizer, Muon)
    for one in (model, again):
        one.fit(x, y, verbose=0)
    for own, other in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(own, other)


def test_muon_leaves_layers_to_adam_by_their_whole_names():
    optimizer = build_optimizer(MUON, left_to_adam=["out"])
    for name, left in (("out", True), ("layout", False)):
        layer = keras.layers.Conv2D(2, 3, name=name)
        layer.build((None, None, None, 2))
        assert optimizer._should_use_adamw(layer.kernel) == left
