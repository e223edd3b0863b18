import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from kerasgan.config import DiscriminatorConfig, GeneratorConfig
from kerasgan.model.discriminators import build_discriminator
from kerasgan.model.filling import fill_gaps
from kerasgan.model.generators import build_generator
from kerasgan.model.promises import promises
from kerasgan.presets import preset
from tests.helpers import randomize, small_config

ARCHITECTURES = ("classic", "selective", "residual")


def small_generator(architecture, channels=1):
    return build_generator(small_config(architecture).generator, channels)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("channels", [1, 3])
def test_generators_take_any_multiple_of_their_stride(architecture, channels):
    generator = small_generator(architecture, channels)
    multiple = promises(generator).multiple
    for height, width in [(multiple, multiple), (3 * multiple, 5 * multiple)]:
        restored = generator(np.full((2, height, width, channels), 0.5, np.float32))
        assert restored.shape == (2, height, width, channels)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_generators_answer_within_zero_and_one(architecture):
    generator = randomize(small_generator(architecture))
    noisy = np.random.default_rng(1).choice([0.0, 0.3, 1.0], (2, 32, 32, 1)).astype(np.float32)
    restored = generator(noisy).numpy()
    assert 0.0 <= restored.min() and restored.max() <= 1.0


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_saved_generators_open_in_plain_keras_bit_equal(architecture, tmp_path):
    generator = randomize(small_generator(architecture))
    generator.save(tmp_path / "generator.keras")
    again = keras.models.load_model(tmp_path / "generator.keras")
    noisy = np.random.default_rng(1).choice([0.0, 0.3, 1.0], (2, 32, 32, 1)).astype(np.float32)
    np.testing.assert_array_equal(generator(noisy), again(noisy))
    assert all("kerasgan" not in type(layer).__module__ for layer in again.layers)


def test_classic_is_the_reference_recipe():
    config = preset("classic")
    generator = build_generator(config.generator)
    convolutions = [
        (type(layer).__name__, layer.filters, layer.strides[0], layer.activation.__name__)
        for layer in generator.layers
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose)
    ]
    assert convolutions == [
        ("Conv2D", 64, 1, "relu"),
        ("Conv2D", 128, 2, "relu"),
        ("Conv2D", 256, 1, "relu"),
        ("Conv2DTranspose", 128, 2, "relu"),
        ("Conv2D", 64, 1, "relu"),
        ("Conv2D", 1, 1, "sigmoid"),
    ]
    discriminator = build_discriminator(config.discriminator, 48)
    kinds = [type(layer).__name__ for layer in discriminator.operations[3:]]
    leaky = ["Multiply", "Maximum"]
    block = ["Conv2D", *leaky, "Dropout"]
    normalized = ["Conv2D", "BatchNormalization", *leaky, "Dropout"]
    assert kinds == [*block, *normalized * 3, "Flatten", "Dense"]


@pytest.mark.parametrize("channels", [1, 3])
def test_selective_returns_certain_pixels_as_they_came(channels):
    generator = randomize(small_generator("selective", channels))
    levels = np.arange(256, dtype=np.float32) / 255
    noisy = np.random.default_rng(2).choice(levels, (1, 64, 64, channels)).astype(np.float32)
    restored = generator(noisy).numpy()
    certain = (noisy > 0) & (noisy < 1)
    np.testing.assert_array_equal(restored[certain], noisy[certain])
    assert np.mean(restored[~certain] != noisy[~certain]) > 0.5


def test_untrained_selective_returns_the_filled_picture():
    generator = small_generator("selective")
    noisy = np.random.default_rng(3).choice([0.0, 0.2, 0.7, 1.0], (1, 32, 32, 1)).astype(np.float32)
    expected = fill_gaps(noisy, (noisy > 0) & (noisy < 1), levels=2)
    np.testing.assert_array_equal(generator(noisy), expected)


@pytest.mark.parametrize("channels", [1, 3])
def test_untrained_residual_returns_the_noisy_picture(channels):
    noisy = np.random.default_rng(0).uniform(0, 1, (1, 16, 24, channels)).astype(np.float32)
    generator = small_generator("residual", channels)
    np.testing.assert_array_equal(generator(noisy).numpy(), noisy)
    assert not promises(generator).certain_exact


@pytest.mark.parametrize("architecture", ["selective", "residual"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_gate_that_is_shut_returns_the_noisy_picture(architecture, channels):
    generator = build_generator(
        small_config(architecture, generator__gated=True).generator, channels
    )
    randomize(generator)
    noisy = np.random.default_rng(4).choice([0.0, 0.3, 1.0], (1, 32, 32, channels))
    noisy = noisy.astype(np.float32)
    gate = generator.get_layer("noise")
    kernel, bias = gate.get_weights()

    def changed(logit):
        gate.set_weights([np.zeros_like(kernel), np.full_like(bias, logit)])
        return np.abs(generator(noisy).numpy() - noisy)

    assert changed(-100.0).max() == 0.0
    np.testing.assert_allclose(changed(0.0), 0.5 * changed(100.0), atol=1e-6)
    assert changed(100.0).max() > 0.1


def test_the_residual_recipe_keeps_to_its_budget():
    """No more weights than FFDNet with a third more, and half of its multiplications a pixel."""
    generator = build_generator(preset("residual").generator, channels=3)
    assert generator.count_params() < 0.65e6
    multiplications = 0
    for layer in generator.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
            made = keras.Model(generator.input, layer.output).compute_output_shape((1, 64, 64, 3))
            cells = made[1] * made[2]
            if isinstance(layer, keras.layers.Conv2DTranspose):
                cells /= layer.strides[0] ** 2
            multiplications += cells * np.prod(layer.kernel.shape)
    assert multiplications / 64**2 < 60_000


def filled_by_numpy(image, certain, levels):
    def smooth(values):
        count = ndimage.uniform_filter(np.ones_like(values), 3, mode="constant")
        return ndimage.uniform_filter(values, 3, mode="constant") / count

    def fill(high, low, level):
        brightest, darkest = ndimage.maximum_filter(high, 3), ndimage.minimum_filter(low, 3)
        middle = np.where(brightest > 0, (brightest + darkest) / 2, 0.5)
        if level == levels:
            return middle
        cells = [[high[i::2, j::2], low[i::2, j::2]] for i in (0, 1) for j in (0, 1)]
        highs, lows = zip(*cells, strict=True)
        coarser = fill(np.max(highs, axis=0), np.min(lows, axis=0), level + 1)
        return np.where(brightest > 0, middle, smooth(coarser.repeat(2, 0).repeat(2, 1)))

    filled = fill(np.where(certain, image, 0), np.where(certain, image, 1), 0)
    return np.where(certain, image, smooth(np.where(certain, image, filled)))


@pytest.mark.parametrize("levels", [1, 3])
@pytest.mark.parametrize("share", [0.001, 0.05, 0.6])
def test_fill_gaps_agrees_with_numpy(share, levels):
    random = np.random.default_rng(4)
    image = random.uniform(0.01, 0.99, (48, 40))
    certain = random.random(image.shape) < share
    filled = fill_gaps(
        image[None, ..., None].astype(np.float32), certain[None, ..., None], levels=levels
    )
    expected = filled_by_numpy(image, certain, levels)
    np.testing.assert_allclose(filled[0, ..., 0], expected, atol=1e-6)


def test_fill_gaps_without_any_certain_pixel_is_grey():
    black = np.zeros((1, 16, 16, 1), np.float32)
    np.testing.assert_allclose(fill_gaps(black, black > 0), 0.5, atol=1e-6)


def test_discriminator_gives_one_logit_per_image():
    discriminator = build_discriminator(DiscriminatorConfig(filters=(4, 4)), 32, channels=3)
    images = tf.random.uniform((5, 32, 32, 3))
    assert discriminator([images, images]).shape == (5, 1)


def test_relu6_cuts_features_off_at_6():
    limited = build_generator(GeneratorConfig("selective", (4, 8, 8), "relu6"))
    noisy = np.random.default_rng(0).choice([0.0, 0.4, 1.0], (1, 32, 32, 1)).astype(np.float32)
    relus = [layer.output for layer in limited.layers if isinstance(layer, keras.layers.ReLU)]
    for layer in limited.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(100.0 * layer.gamma)
    features = keras.Model(limited.input, relus)(noisy)
    assert len(relus) > 3
    assert {float(np.max(values)) for values in features} == {6.0}


def test_selective_takes_any_number_of_levels():
    generator = build_generator(GeneratorConfig("selective", filters=(4, 4)))
    assert promises(generator).multiple == 2
