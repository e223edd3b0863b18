import keras
import numpy as np
import pytest

from kerasgan.config import GeneratorConfig
from kerasgan.images.pixels import to_float
from kerasgan.model.generators import build_generator
from kerasgan.restore.litert import TFLiteModel
from kerasgan.tflite.convert import convert
from kerasgan.tflite.ranges import equalize, limit_ranges, quietest_scales
from tests.helpers import textured_set

PICTURES = [to_float(image) for image in textured_set(3)]


@pytest.fixture(params=["relu"])
def uneven(request):
    """A selective generator whose normalisations have channels of very different sizes."""
    generator = build_generator(GeneratorConfig("selective", (4, 8, 8), request.param))
    random = np.random.default_rng(0)
    for layer in generator.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(np.exp(random.normal(0, 0.7, layer.gamma.shape)))
            layer.beta.assign(random.normal(0, 0.1, layer.beta.shape))
    residual = generator.get_layer("residual").kernel
    residual.assign(random.normal(0, 0.01, residual.shape))
    return generator


def normalizations(generator):
    return [
        layer for layer in generator.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]


def feeder(layer):
    """What makes a layer's input."""
    return layer.input._keras_history.operation


def observed(generator, *layers):
    """What layers give for the pictures, as one array each."""
    outputs = [generator.get_layer(layer.name).output for layer in layers]
    return [seen.numpy() for seen in keras.Model(generator.input, outputs)(np.stack(PICTURES))]


def widths(generator, layer):
    """The most that each channel holds."""
    return np.abs(observed(generator, layer, layer)[0]).max(axis=(0, 1, 2))


@pytest.mark.parametrize("uneven", ["relu", "relu6"], indirect=True)
def test_the_network_computes_the_same(uneven):
    noisy = np.random.default_rng(1).choice([0.0, 0.4, 1.0], (2, 32, 32, 1)).astype(np.float32)
    restored = uneven(noisy).numpy()
    np.testing.assert_allclose(equalize(uneven, PICTURES, PICTURES)(noisy), restored, atol=1e-5)
    # The generator that was given is as it was.
    np.testing.assert_array_equal(uneven(noisy), restored)


def test_channels_that_one_convolution_reads_get_one_range(uneven):
    relus = [layer for layer in uneven.layers if isinstance(layer, keras.layers.ReLU)]
    # The first of a residual block: a normalisation makes it, a convolution reads it.
    before = widths(uneven, relus[0])
    after = widths(equalize(uneven, PICTURES, PICTURES), relus[0])
    excited = before > 0
    assert before.max() > 2 * before[excited].min()
    # No channel is widened more than 64 times.
    expected = np.minimum(before.max(), 64 * before[excited])
    np.testing.assert_allclose(after[excited], expected, rtol=1e-4)
    assert not after[~excited].any()


def test_what_is_added_keeps_one_scale(uneven):
    # A normalisation, its skip, and the sum at the same level of the U-Net.
    equal = equalize(uneven, PICTURES, PICTURES)
    adds = [layer for layer in uneven.layers if isinstance(layer, keras.layers.Add)]
    changes = [widths(equal, layer) / widths(uneven, layer) for layer in (adds[0], adds[-2])]
    np.testing.assert_allclose(*changes, rtol=1e-3)
    assert changes[0].max() > 1.5 * changes[0].min()


@pytest.mark.parametrize("seed", range(5))
def test_no_other_scales_round_more_quietly(seed):
    random = np.random.default_rng(seed)
    widths, gains = np.exp(random.normal(0, 1.0, (2, 4, 6)))
    widths[0, 1] = 0.0

    def noise(scales):
        steps = (widths / scales).max(axis=1, keepdims=True)
        return (gains * (steps * scales) ** 2).sum()

    found = quietest_scales(widths, gains)
    others = found * np.exp(random.normal(0, 0.2, (500, 6)))
    of_widest = (widths / widths.max(axis=1, keepdims=True)).max(axis=0)
    assert noise(found) <= 1.01 * min(map(noise, [*others, of_widest, np.ones(6)]))


def test_channels_of_one_tensor_get_one_range_and_those_without_values_none():
    scales = quietest_scales(np.array([[8.0, 2.0, 0.0]]), np.array([[1.0, 0.0, 5.0]]))
    np.testing.assert_allclose(scales, [1.0, 0.25, 1.0])


def test_a_network_that_depends_on_nothing_has_scales():
    scales = quietest_scales(np.array([[8.0, 2.0], [1.0, 4.0]]), np.zeros((2, 2)))
    assert np.isfinite(scales).all() and (scales > 0).all()


def stated_range(limited, layer):
    """The operator that states the range of what a layer gives."""
    [stated] = [
        node.operation
        for node in limited.get_layer(layer.name)._outbound_nodes
        if node.operation.name in {layer.name for layer in limited.layers}
    ]
    return stated


def test_what_a_relu_cuts_off_is_outside_of_the_stated_range(uneven):
    one, other = normalizations(uneven)[-2:]
    one.beta.assign(one.beta - 100.0)
    limited = limit_ranges(uneven, PICTURES)
    pictures = np.stack(PICTURES)
    np.testing.assert_allclose(limited(pictures), uneven(pictures), atol=0.02)
    before, added = observed(uneven, one, other)
    assert before.min() < -50
    after = stated_range(limited, one)(before).numpy()
    assert after.min() >= -1.01 * added.max()
    np.testing.assert_allclose(
        np.maximum(after + added, 0), np.maximum(before + added, 0), atol=0.02 * added.max()
    )


@pytest.mark.parametrize("uneven", ["relu6"], indirect=True)
def test_what_a_relu6_cuts_off_is_outside_of_the_stated_range(uneven):
    one, other = normalizations(uneven)[-2:]
    one.beta.assign(one.beta + 100.0)
    limited = limit_ranges(uneven, PICTURES)
    pictures = np.stack(PICTURES)
    np.testing.assert_allclose(limited(pictures), uneven(pictures), atol=0.02)
    before, added = observed(uneven, one, other)
    assert before.max() > 50
    after = stated_range(limited, one)(before).numpy()
    assert after.max() <= 1.01 * (6.0 - added.min())
    np.testing.assert_allclose(
        np.clip(after + added, 0, 6), np.clip(before + added, 0, 6), atol=0.01 * after.max()
    )


def test_features_that_no_picture_excites_get_steps_that_xnnpack_takes(uneven, tmp_path):
    silent = next(
        layer
        for layer in uneven.layers
        if isinstance(layer, keras.layers.ReLU) and feeder(layer) in normalizations(uneven)
    )
    beta = feeder(silent).beta
    beta.assign(np.full(beta.shape, -1e3))
    assert widths(uneven, silent).max() == 0.0
    file = tmp_path / "silent.tflite"
    file.write_bytes(convert(uneven, "int8", sizes=[(64, 64)], calibration=lambda size: PICTURES))
    # It tries the file.
    assert TFLiteModel(file).sizes == {"denoise": (64, 64)}


@pytest.mark.parametrize("uneven", ["relu6"], indirect=True)
def test_streams_that_a_relu6_cuts_off_keep_their_scales(uneven):
    equal = equalize(uneven, PICTURES, PICTURES)
    cut_off = []
    for own, given in zip(normalizations(equal), normalizations(uneven), strict=True):
        fed_on = {type(node.operation) for node in given._outbound_nodes}
        if keras.layers.ReLU in fed_on or keras.layers.Add in fed_on:
            cut_off.append(given)
            np.testing.assert_array_equal(own.gamma, given.gamma)
    assert len(cut_off) > 3


def test_networks_without_normalisations_stay_as_they_are():
    generator = build_generator(GeneratorConfig(architecture="classic", filters=(4, 8, 8)))
    for changed in (equalize(generator, PICTURES, PICTURES), limit_ranges(generator, PICTURES)):
        for own, given in zip(changed.get_weights(), generator.get_weights(), strict=True):
            np.testing.assert_array_equal(own, given)


def test_a_channel_without_values_stays_finite(uneven):
    for layer in normalizations(uneven)[-2:]:
        layer.gamma.assign([0.0, 1.0, 1.0, 1.0])
        layer.beta.assign([0.0, 0.0, 0.0, 0.0])
    equal = equalize(uneven, PICTURES, PICTURES)
    assert all(np.isfinite(weights).all() for weights in equal.get_weights())
