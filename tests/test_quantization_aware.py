import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.networks import as_restorer
from kerasgan.quantization_aware import RoundTo8Bits, rounding_to_8_bits
from kerasgan.restore import load_generator
from kerasgan.run_folder import RunFolder
from kerasgan.training import load_gan, train
from tests.conftest import small_config

VALUES = np.random.default_rng(0).normal(0.0, 3.0, (2, 8, 8, 4)).astype(np.float32)


def test_training_sees_256_levels_of_which_one_is_zero():
    rounded = RoundTo8Bits()(VALUES, training=True).numpy()
    levels = np.unique(rounded)
    step = (VALUES.max() - VALUES.min()) / 255
    assert len(levels) <= 256
    np.testing.assert_allclose(levels / step, np.rint(levels / step), atol=1e-3)
    # What the shift that puts a level on zero pushes out is clipped.
    np.testing.assert_allclose(rounded, VALUES, atol=1.01 * step)
    np.testing.assert_array_equal(RoundTo8Bits()(VALUES, training=False), VALUES)


def test_gradients_pass_through_the_rounding():
    values = tf.Variable(VALUES)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(3.0 * RoundTo8Bits()(values, training=True))
    inside = (0.9 * VALUES.min() < VALUES) & (0.9 * VALUES.max() > VALUES)
    np.testing.assert_array_equal(tape.gradient(total, values).numpy()[inside], 3.0)


@pytest.mark.parametrize("value", [0.0, 5.0, -5.0])
def test_constant_features_stay_what_they_are(value):
    constant = np.full((1, 4, 4, 1), value, np.float32)
    np.testing.assert_allclose(RoundTo8Bits()(constant, training=True), constant, rtol=1e-6)


def test_what_a_file_keeps_in_memory_is_rounded_and_nothing_else():
    x = noisy = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(2, 3, name="convolution")(x)
    x = keras.layers.BatchNormalization(name="within a ReLU")(x)
    x = keras.layers.ReLU(name="kept")(x)
    x = keras.layers.Add(name="within another")([x, x])
    model = keras.Model(noisy, keras.layers.ReLU(name="kept, too")(x))
    copy = rounding_to_8_bits(model)
    rounded = [
        layer.input._keras_history.operation.name
        for layer in copy.layers
        if isinstance(layer, RoundTo8Bits)
    ]
    assert rounded == ["kept", "kept, too"]
    assert [type(layer) for layer in as_restorer(copy).layers] == [
        type(layer) for layer in model.layers
    ]


def test_a_run_rounds_and_leaves_a_generator_that_does_not(tmp_path, clean_images):
    config = small_config(quantization_aware=True, epochs=1)
    folder = RunFolder(tmp_path / "run")
    folder.create(config, clean_images)
    train(config, clean_images, folder, verbose=0)
    generator, gan = load_generator(folder.path), load_gan(folder.model)
    assert generator.name == gan.generator.name == "selective_generator"
    assert any(isinstance(layer, RoundTo8Bits) for layer in gan.generator.layers)
    assert not any(isinstance(layer, RoundTo8Bits) for layer in generator.layers)
    noisy = np.random.default_rng(0).choice([0.0, 0.4, 1.0], (1, 32, 32, 1)).astype(np.float32)
    np.testing.assert_array_equal(generator(noisy), gan.generator(noisy))
