"""Normalization by one operation, which is what Keras computes by many; and first statistics."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasgan.config import GeneratorConfig
from kerasgan.model.blending import faithful_weights
from kerasgan.model.gan import DenoisingGAN
from kerasgan.model.generators import build_generator
from kerasgan.model.normalization import fuse_normalizations, settle_statistics
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


def test_new_blocks_see_features_of_one_size_and_change_nothing_yet():
    trained = build_generator(GeneratorConfig("selective", (4, 6, 8)))
    random = np.random.default_rng(0)
    trained.set_weights(
        [
            random.uniform(0.5, 9, weight.shape)
            if weight.path.endswith("variance")
            else random.normal(0, 0.5, weight.shape)
            for weight in trained.weights
        ]
    )
    grown = build_generator(GeneratorConfig("selective", (4, 6, 8), decoder_blocks=2, detail=5))
    grown.set_weights(faithful_weights(trained, grown))
    before = grown.get_weights()
    batches = [random.choice([0.0, 0.3, 0.8, 1.0], (4, 16, 24, 1)) for _ in range(3)]
    settle_statistics(grown, batches)
    changed = [
        weight.path.split("/")[0]
        for weight, old in zip(grown.weights, before, strict=True)
        if np.any(weight.numpy() != old)
    ]
    # One block at half resolution and one at full, each with a mean and a variance.
    new = [grown.get_layer(name) for name in dict.fromkeys(changed)]
    assert len(new) == 2 and len(changed) == 4
    for layer in new:
        values = keras.Model(grown.input, layer.input)(np.concatenate(batches)).numpy()
        np.testing.assert_allclose(layer.moving_mean, values.mean((0, 1, 2)), rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(layer.moving_variance, values.var((0, 1, 2)), rtol=1e-3)
    np.testing.assert_allclose(grown(batches[0]), trained(batches[0]), atol=1e-6)
    # A network that was trained, or settled, stays as it is.
    settled = grown.get_weights()
    settle_statistics(grown, [np.zeros((1, 16, 16, 1))])
    for old, own in zip(settled, grown.get_weights(), strict=True):
        np.testing.assert_array_equal(old, own)
