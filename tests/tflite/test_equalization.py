import keras
import numpy as np
import pytest

from kerasgan.config import GeneratorConfig
from kerasgan.images import to_float
from kerasgan.networks import build_generator
from kerasgan.tflite.equalization import equalize
from tests.conftest import textured_set

PICTURES = [to_float(image) for image in textured_set(3)]


@pytest.fixture
def uneven():
    """A selective generator whose normalisations have channels of very different sizes."""
    generator = build_generator(GeneratorConfig(architecture="selective", filters=(4, 8, 8)))
    random = np.random.default_rng(0)
    for layer in generator.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(np.exp(random.normal(0, 0.7, layer.gamma.shape)))
            layer.beta.assign(random.normal(0, 0.1, layer.beta.shape))
    residual = generator.get_layer("residual").kernel
    residual.assign(random.normal(0, 0.01, residual.shape))
    return generator


def last_normalizations(generator):
    """The two that are added before the last ReLU."""
    return [
        layer for layer in generator.layers if isinstance(layer, keras.layers.BatchNormalization)
    ][-2:]


def widths(generator, normalizations):
    observer = keras.Model(generator.input, [layer.output for layer in normalizations])
    return np.max([np.abs(seen).max(axis=(0, 1, 2)) for seen in observer(np.stack(PICTURES))], 0)


def test_the_network_computes_the_same(uneven):
    noisy = np.random.default_rng(1).choice([0.0, 0.4, 1.0], (2, 32, 32, 1)).astype(np.float32)
    restored = uneven(noisy).numpy()
    np.testing.assert_allclose(equalize(uneven, PICTURES)(noisy), restored, atol=1e-5)
    # The generator that was given is as it was.
    np.testing.assert_array_equal(uneven(noisy), restored)


def test_channels_get_the_range_of_the_widest(uneven):
    before = widths(uneven, last_normalizations(uneven))
    equal = equalize(uneven, PICTURES)
    after = widths(equal, last_normalizations(equal))
    assert before.max() > 2 * before.min()
    np.testing.assert_allclose(after, before.max(), rtol=1e-4)


def test_what_others_read_too_is_left_alone(uneven):
    # The first normalisation begins a residual block: a convolution and a skip read it.
    first = next(
        layer for layer in uneven.layers if isinstance(layer, keras.layers.BatchNormalization)
    )
    equal = equalize(uneven, PICTURES)
    np.testing.assert_array_equal(equal.get_layer(first.name).gamma, first.gamma)


def test_a_channel_without_values_stays_finite(uneven):
    for layer in last_normalizations(uneven):
        layer.gamma.assign([0.0, 1.0, 1.0, 1.0])
        layer.beta.assign([0.0, 0.0, 0.0, 0.0])
    equal = equalize(uneven, PICTURES)
    assert all(np.isfinite(weights).all() for weights in equal.get_weights())
