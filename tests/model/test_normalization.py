"""Normalization by one operation: what Keras computes by many, and nothing else."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasgan.model.gan import DenoisingGAN
from kerasgan.model.generators import build_generator
from kerasgan.model.normalization import fuse_normalizations
from kerasgan.presets import PRESETS
from tests.helpers import randomize

FUSED = "FusedBatchNormV3"


def network(dtype="float32", **options):
    x = keras.Input((None, None, 3))
    y = layers.BatchNormalization(dtype=dtype, momentum=0.9, **options)(x)
    return randomize(keras.Model(x, y))


def pair(**options):
    """A network of Keras', and the same with its normalization fused."""
    plain = network(**options)
    fused = keras.models.clone_model(plain)
    fused.set_weights(plain.get_weights())
    fuse_normalizations(fused)
    return plain, fused


def learn(model, images, weights):
    """What a step sees: the output, gradients of a loss, and the statistics after it."""
    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        made = tf.cast(model(images, training=True), "float32")
        loss = tf.reduce_sum(made * weights)
    gradients = tape.gradient(loss, [images, *model.trainable_variables])
    statistics = [variable.numpy() for variable in model.non_trainable_variables]
    return [made.numpy(), *(tf.cast(each, "float32").numpy() for each in gradients), *statistics]


def operations(model, training=True):
    step = tf.function(lambda images: model(images, training=training))
    graph = step.get_concrete_function(tf.TensorSpec((4, 8, 8, model.input_shape[-1]))).graph
    return [operation.type for operation in graph.get_operations()]


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float32", 2e-5), ("mixed_bfloat16", 0.03), ("mixed_float16", 0.004)]
)
@pytest.mark.parametrize("shape", [(5, 8, 12, 3), (1, 2, 2, 3)])
def test_a_step_is_that_of_keras(shape, dtype, tolerance):
    random = np.random.default_rng(0)
    images = random.normal(0.4, 0.5, shape).astype(np.float32)
    weights = random.normal(size=shape).astype(np.float32)
    plain, fused = pair(dtype=dtype)
    for expected, own in zip(
        learn(plain, images, weights), learn(fused, images, weights), strict=True
    ):
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(own, expected, atol=tolerance * scale)


def test_one_operation_normalizes_every_feature_of_the_presets():
    for name, config in PRESETS.items():
        generator = build_generator(config.generator, 1)
        count = sum(isinstance(layer, layers.BatchNormalization) for layer in generator.layers)
        assert operations(generator).count(FUSED) == 0
        fuse_normalizations(generator)
        assert operations(generator).count(FUSED) == count, name


@pytest.mark.parametrize("trainable", [True, False])
def test_nothing_changes_where_nothing_is_learnt(trainable):
    plain, fused = pair()
    plain.trainable = fused.trainable = trainable
    images = np.random.default_rng(1).normal(size=(2, 6, 6, 3)).astype(np.float32)
    training = not trainable
    np.testing.assert_array_equal(
        fused(images, training=training), plain(images, training=training)
    )
    for own, expected in zip(fused.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(own, expected)
    assert FUSED not in operations(fused, training)


@pytest.mark.parametrize(
    "options",
    [
        {"axis": 1},
        {"scale": False},
        {"center": False},
        {"dtype": "float64"},
        {"dtype": "float16"},
    ],
)
def test_unusual_normalizations_are_left_to_keras(options):
    x = keras.Input((8, 8, 4))
    model = keras.Model(x, layers.BatchNormalization(**options)(x))
    fuse_normalizations(model)
    assert FUSED not in operations(model)


def test_whoever_trains_has_them_fused():
    gan = DenoisingGAN.from_preset("selective-small")
    assert FUSED in operations(gan.generator)


def test_it_is_saved_as_what_keras_itself_opens(tmp_path):
    model = network()
    fuse_normalizations(model)
    model.save(tmp_path / "model.keras")
    opened = keras.models.load_model(tmp_path / "model.keras")
    assert type(opened.layers[-1]) is layers.BatchNormalization
    assert "call" not in vars(opened.layers[-1])
    images = np.random.default_rng(3).normal(size=(2, 4, 4, 3)).astype(np.float32)
    np.testing.assert_array_equal(opened(images), model(images))
