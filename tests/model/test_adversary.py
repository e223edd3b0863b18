import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kerasgan.config import DiscriminatorConfig
from kerasgan.data.pipeline import training_pairs
from kerasgan.model.adversary import Adversary
from kerasgan.model.balance import clipped, follow
from kerasgan.model.discriminators import SpectralConv2D, build_discriminator
from kerasgan.model.gan import DenoisingGAN
from kerasgan.model.generators import build_generator
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from tests.helpers import image_set, randomize, small_config, textured_set

RANDOM = np.random.default_rng(0)
NOISY, CLEAN, RESTORED = map(tf.constant, RANDOM.random((3, 4, 16, 16, 1)).astype(np.float32))


def linear(shape=(16, 16, 1)):
    """A discriminator whose logits are the image's pixels, four times."""
    noisy, image = keras.Input(shape), keras.Input(shape)
    return keras.Model([noisy, image], 4.0 * image + 0.0 * noisy)


def softplus(x):
    return np.log1p(np.exp(x))


ORACLES = {
    "bce": (
        lambda real, fake: 0.5 * (softplus(-real) + softplus(fake)),
        lambda real, fake: softplus(-fake),
    ),
    "hinge": (
        lambda real, fake: 0.5 * (np.maximum(1 - real, 0) + np.maximum(1 + fake, 0)),
        lambda real, fake: -fake,
    ),
    "relativistic": (
        lambda real, fake: softplus(fake - real),
        lambda real, fake: softplus(real - fake),
    ),
}


@pytest.mark.parametrize("objective", ORACLES)
def test_losses_are_each_images_mean_over_all_logits(objective):
    adversary = Adversary(linear(), objective=objective)
    of_discriminator, of_generator = ORACLES[objective]
    real, fake = 4 * CLEAN.numpy(), 4 * RESTORED.numpy()
    judgement = adversary.judge(NOISY, CLEAN, RESTORED)
    expected = of_discriminator(real, fake).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(judgement.losses, expected, rtol=1e-5)
    np.testing.assert_array_equal(judgement.real_logits, real)
    expected = of_generator(real, fake).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(
        adversary.generator_losses(NOISY, CLEAN, RESTORED)["adversarial"], expected, rtol=1e-5
    )


def test_undecided_logits_cost_the_same_whatever_their_number():
    for shape in [(1,), (6, 6, 1)]:
        noisy, image = keras.Input((16, 16, 1)), keras.Input((16, 16, 1))
        zeros = ops.zeros((4, *shape)) + 0.0 * ops.mean(image + noisy)
        judgement = Adversary(keras.Model([noisy, image], zeros)).judge(NOISY, CLEAN, RESTORED)
        np.testing.assert_allclose(judgement.losses, np.full(4, np.log(2)), rtol=1e-6)


def test_the_penalty_is_half_the_squared_gradient_at_clean_images():
    plain, penalized = (
        Adversary(linear(), penalty=penalty).judge(NOISY, tf.constant(CLEAN), RESTORED).losses
        for penalty in (0.0, 10.0)
    )
    # A mean over 256 pixels has the gradient 4 / 256 in each.
    np.testing.assert_allclose(penalized - plain, 5.0 * 256 * (4 / 256) ** 2, rtol=1e-4)


@pytest.mark.parametrize("objective", ORACLES)
def test_places_count_by_their_suspects_and_images_fade_with_theirs(objective):
    """With logits of 4×4 cells, of images with different shares of noise."""
    noisy, image = keras.Input((16, 16, 1)), keras.Input((16, 16, 1))
    cells = keras.layers.AveragePooling2D(4)(image) + 0.0 * keras.layers.AveragePooling2D(4)(noisy)
    adversary = Adversary(
        keras.Model([noisy, image], cells),
        objective=objective,
        suspects_of=SaltAndPepper(0.5),
        fade=2.0,
    )
    shares = np.array([0.0, 0.1, 0.6, 1.0]).reshape(4, 1, 1, 1)
    lost = RANDOM.random((4, 16, 16, 1)) < shares
    corrupted = tf.constant(np.where(lost, 1.0, 0.5).astype(np.float32))
    real, fake, of_cells = (
        np.reshape(array, (4, 4, 4, 4, 4)).mean(axis=(2, 4)) for array in (CLEAN, RESTORED, lost)
    )
    _, of_generator = ORACLES[objective]
    each = (of_generator(real, fake) * of_cells).sum(axis=(1, 2))
    each /= np.maximum(of_cells.sum(axis=(1, 2)), 1e-6)
    expected = each * lost.mean(axis=(1, 2, 3)) ** 2
    losses = adversary.generator_losses(corrupted, CLEAN, RESTORED)["adversarial"]
    np.testing.assert_allclose(losses, expected, rtol=1e-4, atol=1e-7)
    judged = adversary.judge(corrupted, CLEAN, RESTORED).losses
    assert float(judged[0]) == 0.0 < float(judged[1]) < float(judged[3])


def test_spectral_norm_is_the_largest_singular_values():
    layer = SpectralConv2D(6, 3, padding="same")
    images = RANDOM.normal(size=(2, 8, 8, 4)).astype(np.float32)
    for _ in range(50):
        layer(images, training=True)
    kernel = np.array(layer.kernel)
    limited = kernel / np.linalg.norm(kernel.reshape(-1, 6), 2)
    expected = ops.conv(images, limited, padding="same")
    np.testing.assert_allclose(layer(images), expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(layer.kernel, kernel)
    # The value follows the kernel, however long that is.
    layer.kernel.assign(100 * kernel)
    np.testing.assert_allclose(layer(images), expected, rtol=1e-3, atol=1e-5)


def test_only_what_lies_between_the_first_and_the_last_layer_is_limited():
    config = DiscriminatorConfig((8, 12), architecture="patch", spectral_norm=True)
    layers = build_discriminator(config, 16).layers
    convolutions = [layer for layer in layers if isinstance(layer, keras.layers.Conv2D)]
    limited = [isinstance(layer, SpectralConv2D) for layer in convolutions]
    assert limited == [False, True, True, False]


def test_features_are_matched_before_each_halving_and_before_the_logits():
    """Against the same features, cut out of the discriminator's own layers by hand."""
    discriminator = build_discriminator(DiscriminatorConfig((4, 6, 8), architecture="patch"), 16)
    adversary = Adversary(discriminator, feature_matching=2.0)
    convolutions = [x for x in discriminator.layers if isinstance(x, keras.layers.Conv2D)]
    looks = keras.Model(discriminator.input, [convolutions[n].input for n in (1, 3, 5)])
    expected = 0.0
    for real, fake in zip(looks([NOISY, CLEAN]), looks([NOISY, RESTORED]), strict=True):
        distance = np.abs(np.subtract(fake, real)).mean(axis=(1, 2, 3))
        expected = expected + distance / np.abs(real).mean()
    losses = adversary.generator_losses(NOISY, CLEAN, RESTORED)
    np.testing.assert_allclose(losses["features"], expected, rtol=1e-5)
    assert [look.shape[1] for look in looks([NOISY, CLEAN])] == [16, 8, 4]
    same = adversary.generator_losses(NOISY, CLEAN, CLEAN)
    np.testing.assert_array_equal(same["features"], np.zeros(4))


def test_what_is_right_is_told_by_images_and_counted_by_suspects():
    adversary = Adversary(linear(), suspects_of=SaltAndPepper(0.5), fade=2.0)
    lost = np.zeros((4, 16, 16, 1), bool)
    lost[1:, :4], lost[2:] = True, True
    corrupted = tf.constant(np.where(lost, 1.0, 0.5).astype(np.float32))
    # Darker than the clean image where a pixel is certain; brighter, in the last, where none is.
    restored = np.where(lost, CLEAN + [[[[0.1]]]], CLEAN - 0.5)
    restored[:3] = np.where(lost[:3], CLEAN[:3] - 0.1, CLEAN[:3] + 0.5)
    judgement = adversary.judge(corrupted, CLEAN, tf.constant(restored, tf.float32))
    np.testing.assert_array_equal(judgement.right[1:], [1.0, 1.0, 0.0])
    np.testing.assert_allclose(judgement.importance, [0.0, 1 / 16, 1.0, 1.0])


def test_it_survives_serialization():
    made = Adversary(
        linear(),
        objective="hinge",
        weight=0.5,
        penalty=2.0,
        balance="gradient",
        suspects_of=SaltAndPepper(0.5, salt_vs_pepper=0.3),
        fade=2.0,
        feature_matching=1.5,
        clip=2.5,
        frozen_statistics=True,
    )
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
    assert {**made.get_config(), "discriminator": 0} == {**again.get_config(), "discriminator": 0}
    np.testing.assert_array_equal(
        made.discriminator([NOISY, CLEAN]), again.discriminator([NOISY, CLEAN])
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"objective": "fool"}, "no objective 'fool'; there are bce, hinge, relativistic"),
        ({"balance": "even"}, "no balance 'even'; there are fixed, gradient"),
        ({"weight": 0.0}, "weight must be positive, got 0.0; without, give no adversary"),
        ({"weight": -1.0}, "weight must be positive"),
        ({"weight": float("nan")}, "weight must be positive"),
        ({"penalty": -1.0}, "penalty must not be negative"),
        ({"fade": -1.0, "suspects_of": SaltAndPepper(0.5)}, "fade must not be negative"),
        ({"feature_matching": -1.0}, "feature_matching must not be negative"),
        ({"clip": float("inf")}, "clip must not be negative"),
        ({"fade": 2.0}, "fade needs suspects_of"),
    ],
)
def test_impossible_values_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Adversary(linear(), **values)


@pytest.mark.parametrize("objective", ORACLES)
def test_balanced_parts_have_gradients_as_long_as_asked(objective):
    """Where the adversary's judgement counts: each image's length by its importance."""
    noise = SaltAndPepper((0.1, 0.9))
    generator = randomize(build_generator(small_config().generator))
    gan = DenoisingGAN(generator)
    discriminator = build_discriminator(DiscriminatorConfig((4, 4), architecture="patch"), 32)
    adversary = Adversary(
        discriminator,
        objective=objective,
        weight=0.5,
        feature_matching=2.0,
        balance="gradient",
        suspects_of=noise,
        fade=2.0,
    )
    # Nothing moves, so that gradients can be computed again afterwards.
    still = keras.optimizers.SGD(0.0)
    gan.compile(still, keras.optimizers.SGD(0.0), adversary=adversary)
    pairs = training_pairs(image_set(4), noise=noise, batch_size=4, patch_size=32)
    noisy, clean = next(iter(pairs))
    logs = gan.train_step((noisy, clean))
    restored = tf.Variable(generator(noisy, training=True))
    with tf.GradientTape(persistent=True) as tape:
        mse = tf.reduce_mean((restored - clean) ** 2)
        losses = adversary.generator_losses(noisy, clean, restored)
        parts = [mse, *(tf.reduce_mean(loss) for loss in losses.values())]
    suspects = np.logical_or(noisy == 0, noisy == 1)
    lengths = [
        np.sqrt(np.square(suspects * tape.gradient(part, restored)).sum(axis=(1, 2, 3)))
        for part in parts
    ]
    lengths[0] *= suspects.mean(axis=(1, 2, 3)) ** 2
    sums = [length.sum() for length in lengths]
    np.testing.assert_allclose(gan.gradient_lengths, sums, rtol=1e-4)
    found = [logs["g_adversarial_weight"], logs["g_features_weight"]]
    expected = [0.5 * sums[0] / sums[1], 2.0 * sums[0] / sums[2]]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_peaks_of_a_gradient_are_cut_off_among_suspects():
    slopes = RANDOM.normal(size=(3, 8, 8, 1)).astype(np.float32)
    slopes[0, 2, 3], slopes[1, 4, 4] = 100.0, -50.0
    suspects = (RANDOM.random((3, 8, 8, 1)) < 0.6).astype(np.float32)
    suspects[0, 2, 3], suspects[1, 4, 4], suspects[2] = 1.0, 1.0, 0.0
    found = clipped(tf.constant(slopes), tf.constant(suspects), 2.0).numpy()
    for own, slope, mask in zip(found, slopes, suspects, strict=True):
        limit = 2.0 * np.sqrt((slope[mask > 0] ** 2).mean()) if mask.any() else 0.0
        np.testing.assert_allclose(own, np.clip(slope, -limit, limit), rtol=1e-5)
    assert 0 < found[0, 2, 3, 0] < 50 < 100


@pytest.mark.parametrize("frozen", [False, True])
def test_normalizations_keep_their_statistics_where_they_are_frozen(frozen):
    gan = DenoisingGAN(build_generator(small_config().generator))
    discriminator = build_discriminator(DiscriminatorConfig((4, 4), architecture="patch"), 32)
    gan.compile(adversary=Adversary(discriminator, frozen_statistics=frozen))
    before = [np.array(statistic) for statistic in gan.statistics]
    pairs = training_pairs(image_set(4), noise=SaltAndPepper(0.5), batch_size=4, patch_size=32)
    gan.fit(pairs, steps_per_epoch=2, verbose=0)
    same = [np.array_equal(x, y) for x, y in zip(before, gan.statistics, strict=True)]
    assert all(same) == frozen
    gan.phase = "reconstruction"
    gan.make_train_function(force=True)
    gan.fit(pairs, steps_per_epoch=1, verbose=0)
    assert not all(np.array_equal(x, y) for x, y in zip(before, gan.statistics, strict=True))


def test_normalizations_of_a_fine_tuned_network_keep_their_statistics(tmp_path):
    gan = DenoisingGAN(build_generator(small_config().generator))
    gan.compile(frozen_statistics=True)
    before = gan.generator.get_weights()
    pairs = training_pairs(image_set(4), noise=SaltAndPepper(0.5), batch_size=4, patch_size=32)
    gan.save(tmp_path / "gan.keras")
    for network in (gan, keras.models.load_model(tmp_path / "gan.keras")):
        network.fit(pairs, steps_per_epoch=2, verbose=0)
        same = {"moving": [], "learnt": []}
        for weight, old in zip(network.generator.weights, before, strict=True):
            kind = "moving" if weight.path.rpartition("/")[2].startswith("moving") else "learnt"
            same[kind].append(np.array_equal(weight, old))
        assert all(same["moving"]) and not all(same["learnt"])


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("phase", ["reconstruction", "discriminator", "both"])
def test_only_the_networks_of_a_phase_learn(phase, frozen):
    config = small_config("selective-gan", adversary__frozen_statistics=frozen)
    gan = DenoisingGAN.from_run_config(config)
    assert gan.g_optimizer.use_ema
    gan.phase = phase
    before = {network: network.get_weights() for network in (gan.generator, gan.discriminator)}
    pairs = training_pairs(image_set(4), noise=SaltAndPepper(0.5), batch_size=4, patch_size=32)
    logs = gan.fit(pairs, steps_per_epoch=2, verbose=0).history
    moved = [
        any(not np.array_equal(x, y) for x, y in zip(weights, network.get_weights(), strict=True))
        for network, weights in before.items()
    ]
    assert moved == [phase != "discriminator", phase != "reconstruction"]
    assert ("g_loss" in logs, "d_right_pairs" in logs) == tuple(moved)


def test_in_float16_sparse_noise_is_judged_as_in_float32():
    config = small_config("selective-gan", batch_size=16)
    whole, half = (
        DenoisingGAN.from_run_config(config.replace(precision=precision))
        for precision in ("float32", "float16")
    )
    half.discriminator.set_weights(whole.discriminator.get_weights())
    half.g_optimizer.build(half.generator.trainable_variables)
    noise = SaltAndPepper(0.1)
    pairs = training_pairs(image_set(16), noise=noise, batch_size=16, patch_size=32)
    noisy, clean = next(iter(pairs))
    restored = clean + tf.random.stateless_uniform(clean.shape, (0, 0), -0.02, 0.02)
    slopes = []
    for gan in (whole, half):
        slope, _ = gan._output_gradient(gan.adversary, noisy, clean, restored, None)
        by_reconstruction, _ = gan._output_gradient(None, noisy, clean, restored, None)
        slopes.append((slope - by_reconstruction).numpy().reshape(16, -1))
    wanted, own = slopes
    errors = np.linalg.norm(own - wanted, axis=1) / np.linalg.norm(wanted, axis=1)
    assert errors.max() < 0.2


def test_a_step_that_overflows_moves_no_mean():
    average = keras.Variable([1.0, 2.0])
    follow(average, tf.constant([np.nan, 4.0]), momentum=0.5)
    np.testing.assert_array_equal(average, [1.0, 3.0])


def share_of_right_pairs(discriminator, noisy, clean, restored):
    real, fake = (
        np.mean(discriminator([noisy, image], training=False), axis=(1, 2, 3))
        for image in (clean, restored)
    )
    return np.mean(real > fake)


@pytest.mark.slow
@pytest.mark.unmeasured  # Two hundred steps of what the others cover.
@pytest.mark.parametrize(
    ("objective", "spectral_norm"), [*((name, False) for name in ORACLES), ("relativistic", True)]
)
def test_the_patch_discriminator_learns_to_tell_clean_from_restored(objective, spectral_norm):
    """From a frozen generator's images at dense noise, in two hundred small steps."""
    keras.utils.set_random_seed(0)
    noise = SaltAndPepper(0.9)
    generator = build_generator(small_config().generator)
    config = DiscriminatorConfig((8, 12), architecture="patch", spectral_norm=spectral_norm)
    adversary = Adversary(
        build_discriminator(config, 32, 1, noise), objective=objective, suspects_of=noise, fade=1.0
    )
    gan = DenoisingGAN(generator)
    gan.compile(
        keras.optimizers.SGD(0.0), keras.optimizers.Adam(2e-3, beta_1=0.5), adversary=adversary
    )
    options = {"noise": noise, "batch_size": 8, "patch_size": 32}
    gan.fit(training_pairs(textured_set(24), **options), steps_per_epoch=200, verbose=0)
    unseen = training_pairs(textured_set(8, 500), **options).take(8)
    shares = [
        share_of_right_pairs(
            adversary.discriminator, noisy, clean, generator(noisy, training=False)
        )
        for noisy, clean in unseen
    ]
    assert np.mean(shares) > 0.9
