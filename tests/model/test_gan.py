import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.data.pipeline import evaluation_pairs, training_pairs
from kerasgan.measure.metrics import mean_psnr, psnr
from kerasgan.model.adversary import Adversary
from kerasgan.model.gan import DenoisingGAN
from kerasgan.model.losses import Charbonnier
from kerasgan.model.optimizers import build_optimizer
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.presets import preset
from tests.helpers import image_set, small_config

IMAGES = image_set(8)


def small_gan(name="selective-gan", **changes):
    return DenoisingGAN.from_run_config(small_config(name, **changes))


def pairs(**options):
    return training_pairs(IMAGES, noise=SaltAndPepper(0.4), batch_size=4, patch_size=32, **options)


def weights(model):
    return [keras.ops.convert_to_numpy(variable) for variable in model.variables]


def assert_equal_weights(first, second):
    for one, other in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["classic", "selective-gan"])
def test_fit_logs_every_part(name):
    validation = evaluation_pairs(IMAGES, noise=SaltAndPepper(0.4), batch_size=4, patch_size=32)
    history = small_gan(name).fit(
        pairs(), validation_data=validation, steps_per_epoch=2, verbose=0, shuffle=False
    )
    logged = "g_loss g_reconstruction_loss g_adversarial_loss d_loss d_right_pairs".split()
    logged += ["val_psnr", "val_ssim", "val_mse"]
    if name == "classic":
        logged += ["d_real_accuracy", "d_fake_accuracy"]
    else:
        logged += ["g_features_loss", "g_adversarial_weight", "g_features_weight"]
    assert set(history.history) == set(logged)
    assert all(np.isfinite(values).all() for values in history.history.values())


def test_generator_loss_is_the_weighted_sum_of_its_parts():
    logs = small_gan("classic", adversary__weight=0.5).train_step(next(iter(pairs())))
    assert float(logs["g_loss"]) == pytest.approx(
        float(logs["g_reconstruction_loss"] + 0.5 * logs["g_adversarial_loss"]), rel=1e-6
    )
    logs = small_gan("selective-gan").train_step(next(iter(pairs())))
    parts = sum(
        logs[f"g_{part}_weight"] * logs[f"g_{part}_loss"] for part in ("adversarial", "features")
    )
    assert float(logs["g_loss"]) == pytest.approx(
        float(logs["g_reconstruction_loss"] + parts), rel=1e-6
    )


def test_one_step_is_the_mathematics_of_two_updates():
    """The step against a plain one: first the discriminator, then the generator."""
    changes = {"discriminator__dropout": 0.0, "adversary__weight": 0.1, "reconstruction": "mse"}
    gan = small_gan("classic", **changes)
    gan.compile(
        keras.optimizers.SGD(0.1),
        keras.optimizers.SGD(0.1),
        adversary=Adversary(gan.discriminator, weight=0.1),
    )
    plain = small_gan("classic", **changes)
    plain.set_weights(gan.get_weights())
    noisy, clean = next(iter(pairs()))
    gan.train_step((noisy, clean))

    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    generator, discriminator = plain.generator, plain.discriminator
    restored = generator(noisy, training=True)
    with tf.GradientTape() as tape:
        real = discriminator([noisy, clean], training=True)
        fake = discriminator([noisy, restored], training=True)
        loss = (entropy(tf.ones_like(real), real) + entropy(tf.zeros_like(fake), fake)) / 2
    descend(tape, loss, discriminator)
    with tf.GradientTape() as tape:
        restored = generator(noisy, training=True)
        fake = discriminator([noisy, restored], training=True)
        loss = tf.reduce_mean((restored - clean) ** 2) + 0.1 * entropy(tf.ones_like(fake), fake)
    descend(tape, loss, generator)
    for network, expected in [(gan.generator, generator), (gan.discriminator, discriminator)]:
        for one, other in zip(weights(network), weights(expected), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


def descend(tape, loss, model):
    for variable, gradient in zip(
        model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
    ):
        variable.assign_sub(0.1 * gradient)


def test_weight_zero_trains_without_a_discriminator():
    gan = small_gan(adversary__weight=0.0)
    logs = gan.fit(pairs(), steps_per_epoch=2, verbose=0, shuffle=False).history
    assert set(logs) == {"g_loss", "g_reconstruction_loss"}
    assert gan.discriminator is gan.d_optimizer is gan.adversary is None


def test_evaluate_measures_eight_bit_outputs():
    gan = small_gan()
    validation = evaluation_pairs(IMAGES, noise=SaltAndPepper(0.4), batch_size=3, patch_size=32)
    result = gan.evaluate(validation, return_dict=True, verbose=0)
    clean = np.concatenate([clean for _, clean in validation])
    restored = np.rint(np.concatenate([gan(noisy) for noisy, _ in validation]) * 255)
    values = [psnr(x * 255, y, 255) for x, y in zip(clean, restored, strict=True)]
    assert result["psnr"] == pytest.approx(mean_psnr(values), abs=1e-3)


@pytest.mark.parametrize("name", ["classic", "selective-gan"])
def test_saved_and_loaded_gans_go_on_bit_equal(name, tmp_path):
    algorithm = preset(name).g_optimizer.algorithm
    gan = small_gan(name, discriminator__dropout=0.0, g_optimizer__algorithm=algorithm)
    gan.fit(pairs(), steps_per_epoch=2, verbose=0, shuffle=False)
    gan.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(again, DenoisingGAN)
    assert_equal_weights(gan, again)
    noisy, clean = next(iter(pairs(first_epoch=1)))
    np.testing.assert_array_equal(gan.predict(noisy, verbose=0), again.predict(noisy, verbose=0))
    for model in (gan, again):
        model.train_step((noisy, clean))
    assert_equal_weights(gan, again)
    for one, other in [(gan.g_optimizer, again.g_optimizer), (gan.d_optimizer, again.d_optimizer)]:
        for x, y in zip(one.variables, other.variables, strict=True):
            np.testing.assert_array_equal(x, y)


def test_moving_average_is_what_is_evaluated():
    gan = small_gan(g_optimizer__ema_momentum=0.9)
    batches = list(pairs().take(3))
    averages = None
    for batch in batches:
        gan.train_step(batch)
        now = [variable.numpy() for variable in gan.generator.trainable_variables]
        if averages is None:
            averages = now
        averages = [0.9 * old + 0.1 * new for old, new in zip(averages, now, strict=True)]
    with gan.averaged_weights():
        for variable, average in zip(gan.generator.trainable_variables, averages, strict=True):
            np.testing.assert_allclose(variable, average, atol=1e-6)
        expected = gan(batches[0][0]).numpy()
    for variable, value in zip(gan.generator.trainable_variables, now, strict=True):
        np.testing.assert_array_equal(variable, value)
    np.testing.assert_allclose(gan.predict(batches[0][0], verbose=0), expected, atol=1e-6)


def test_an_uncompiled_gan_predicts():
    gan = DenoisingGAN(small_gan().generator)
    assert gan.predict(np.zeros((1, 32, 32, 1), np.float32), verbose=0).shape == (1, 32, 32, 1)


def test_cosine_schedule_ends_at_zero():
    config = small_config().g_optimizer
    optimizer = build_optimizer(config, total_steps=10)
    optimizer.iterations.assign(10)
    assert float(optimizer.learning_rate) == pytest.approx(0.0, abs=1e-9)
    assert float(build_optimizer(config).learning_rate) == pytest.approx(config.learning_rate)


def test_from_preset_is_ready_to_fit():
    gan = DenoisingGAN.from_preset("selective", channels=3, patch_size=32)
    assert gan.generator.input_shape[-1] == 3
    assert gan.compiled


def test_from_preset_lets_the_rate_fall_to_zero():
    gan = DenoisingGAN.from_preset("selective-small", total_steps=10)
    assert float(gan.g_optimizer.learning_rate) > 1e-3
    gan.g_optimizer.iterations.assign(10)
    assert float(gan.g_optimizer.learning_rate) == pytest.approx(0, abs=1e-9)


def test_the_small_preset_is_a_quarter():
    large, small = (
        DenoisingGAN.from_preset(name).generator.count_params()
        for name in ("selective", "selective-small")
    )
    assert small < large / 4 and small < 150_000


def test_summary_shows_both_networks(capsys):
    small_gan().summary()
    text = capsys.readouterr().out
    assert "selective_generator" in text
    assert "discriminator" in text


# What Keras' users try.


def batch():
    noisy, clean = next(iter(pairs()))
    return noisy.numpy(), clean.numpy()


def test_sample_weights_scale_each_images_losses():
    noisy, clean = batch()
    gan = small_gan()
    of_each = gan.reconstruction_loss(noisy, clean, gan.generator(noisy, training=True))
    weight = np.array([1, 0, 3, 0.5], np.float32)
    logs = gan.train_on_batch(noisy, clean, sample_weight=weight, return_dict=True)
    assert logs["g_reconstruction_loss"] == pytest.approx(np.mean(weight * of_each), rel=1e-4)
    history = gan.fit(noisy, clean, sample_weight=weight, verbose=0).history
    assert np.isfinite(history["g_loss"]).all()


def test_images_without_weight_do_not_move_the_generator():
    noisy, clean = batch()
    gan = small_gan(adversary__weight=0.0, g_optimizer__algorithm="adam")
    before = [value.copy() for value in map(np.array, gan.generator.trainable_variables)]
    gan.train_on_batch(noisy, clean, sample_weight=np.zeros(4, np.float32))
    for one, other in zip(before, gan.generator.trainable_variables, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("option", ["loss", "reconstruction"])
def test_any_keras_loss_is_taken(option, tmp_path):
    gan = small_gan()
    gan.compile(**{option: Charbonnier(0.3)})
    logs = gan.train_on_batch(*batch(), return_dict=True)
    assert np.isfinite(logs["g_loss"])
    gan.save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras").reconstruction.epsilon == 0.3


def test_regularization_counts():
    noisy = keras.Input((None, None, 1))
    ones = keras.layers.Conv2D(
        1, 3, padding="same", kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(2)
    )
    gan = DenoisingGAN(keras.Model(noisy, ones(noisy)))
    gan.compile(keras.optimizers.SGD(0.01))
    data = batch()
    logs = gan.train_on_batch(*data, return_dict=True)
    assert logs["g_regularization_loss"] == pytest.approx(18.0)
    assert logs["g_loss"] == pytest.approx(18.0 + logs["g_reconstruction_loss"])
    for _ in range(100):
        logs = gan.train_on_batch(*data, return_dict=True)
    assert logs["g_regularization_loss"] < 1.0


def test_a_global_policy_of_mixed_precision_counts():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        gan = DenoisingGAN.from_preset("selective-small", patch_size=32)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {layer.compute_dtype for layer in gan.generator.layers} == {"float32", "bfloat16"}


@pytest.mark.parametrize("as_dataset", [False, True])
@pytest.mark.parametrize(
    ("scale_noisy", "scale_clean", "shift"), [(255, 255, 0), (255, 1, 0), (2, 2, -1)]
)
def test_pixels_of_other_ranges_are_refused(as_dataset, scale_noisy, scale_clean, shift):
    noisy, clean = batch()
    noisy, clean = scale_noisy * noisy + shift, scale_clean * clean + shift
    data = (tf.data.Dataset.from_tensors((noisy, clean)),) if as_dataset else (noisy, clean)
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], noisy and clean: divide"):
        small_gan().fit(*data, verbose=0)


def test_sizes_that_do_not_fit_name_the_multiple():
    with pytest.raises(ValueError, match="50×51 do not fit .* multiples of 4"):
        small_gan().predict(np.zeros((1, 50, 51, 1), np.float32), verbose=0)


def test_a_network_without_weights_yet_is_named():
    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__(name="mine")
            self.convolution = keras.layers.Conv2D(1, 3, padding="same")

        def call(self, noisy):
            return self.convolution(noisy)

    gan = DenoisingGAN(Subclassed())
    with pytest.raises(ValueError, match="mine has no weights yet: call it once on images"):
        gan.compile()
    gan.generator(np.zeros((1, 16, 16, 1), np.float32))
    gan.compile()
    assert np.isfinite(gan.train_on_batch(*batch(), return_dict=True)["g_loss"])


def test_the_generator_is_what_is_exported(tmp_path):
    gan = small_gan()
    gan.export(tmp_path / "saved", verbose=False)
    noisy, _ = batch()
    saved = tf.saved_model.load(str(tmp_path / "saved"))
    np.testing.assert_allclose(saved.serve(noisy), gan.predict(noisy, verbose=0), atol=1e-6)


def test_statistics_of_normalizations_are_averaged_with_the_weights():
    gan = small_gan(g_optimizer__ema_momentum=0.9)
    norms = [
        layer
        for layer in gan.generator.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    expected = None
    for data in pairs().take(3):
        gan.train_step(data)
        now = norms[0].moving_variance.numpy()
        expected = now if expected is None else 0.9 * expected + 0.1 * now
    with gan.averaged_weights():
        np.testing.assert_allclose(norms[0].moving_variance, expected, rtol=1e-5)
    np.testing.assert_array_equal(norms[0].moving_variance, now)


def test_averages_end_with_the_optimizer_that_made_them():
    gan = small_gan(g_optimizer__ema_momentum=0.9)
    gan.fit(pairs().take(2), verbose=0)
    gan.compile(keras.optimizers.Adam(1e-2), reconstruction="mae")
    gan.fit(pairs().take(3), verbose=0)
    noisy, _ = batch()
    np.testing.assert_allclose(
        gan.predict(noisy, verbose=0), gan.generator(noisy, training=False), atol=1e-6
    )
    before = [np.array(statistic) for statistic in gan.statistics]
    gan._finalize_statistics()
    for statistic, value in zip(gan.statistics, before, strict=True):
        np.testing.assert_array_equal(statistic, value)
    averaging = keras.optimizers.Adam(1e-2, use_ema=True)
    gan.compile(averaging, reconstruction="mae")
    assert all(np.isnan(average).all() for average in gan.averaged_statistics)


def test_a_name_that_is_none_is_told_those_that_are():
    with pytest.raises(ValueError, match="'selectiv'; there are selective-gan, .*camera-photos"):
        DenoisingGAN.from_preset("selectiv")
