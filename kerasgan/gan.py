"""The denoising GAN: one generator, one discriminator, both updated in one training step."""

import contextlib

import keras
import tensorflow as tf
from keras import ops

from kerasgan import metrics
from kerasgan.config import OptimizerConfig, RunConfig
from kerasgan.losses import adversarial_loss, reconstruction_loss
from kerasgan.networks import build_discriminator, build_generator, computing_in
from kerasgan.optimizers import build_optimizer
from kerasgan.presets import PRESETS
from kerasgan.zoo import read_saved_model


@keras.saving.register_keras_serializable(package="kerasgan")
class DenoisingGAN(keras.Model):
    """Trains a generator to undo noise, against a discriminator that tells clean from restored.

    It is used like any Keras model; calling it, or `predict`, runs the generator. One training step
    updates the discriminator on what the generator made, then the generator against the updated
    discriminator. With `adversarial_weight=0` only the generator is trained, and the discriminator
    is never run.

    Args:
        generator: a model from `noisy` to `restored`, float (N, H, W, C) in [0, 1].
        discriminator: a model from [noisy, image] to logits (N, 1).
        name: name of the model.

    Source: Isola et al., Image-to-image translation with conditional adversarial networks, CVPR
    2017, with a reconstruction loss of one's choice.

    Example:
        >>> gan = DenoisingGAN.from_preset("selective")
        >>> gan.fit(pairs, steps_per_epoch=100)
        >>> restored = gan.predict(noisy)
    """

    def __init__(self, generator, discriminator, name="denoising_gan"):
        super().__init__(name=name)
        self.generator = generator
        self.discriminator = discriminator
        self.training_trackers = {
            key: keras.metrics.Mean(name=key)
            for key in ("g_reconstruction_loss", "g_adversarial_loss", "d_loss")
        } | {
            key: keras.metrics.BinaryAccuracy(name=key, threshold=0.0)
            for key in ("d_real_accuracy", "d_fake_accuracy")
        }
        self.quality_trackers = {
            "psnr": metrics.PSNR(),
            "ssim": metrics.SSIM(),
            "mse": metrics.MSE(),
        }
        self.built = True

    @classmethod
    def from_config(cls, config, custom_objects=None):
        networks = {
            key: keras.saving.deserialize_keras_object(config[key], custom_objects)
            for key in ("generator", "discriminator")
        }
        return cls(**{**config, **networks})

    @classmethod
    def from_run_config(cls, config: RunConfig, total_steps=None):
        """Builds and compiles the GAN that a run configuration describes.

        Args:
            config: the configuration.
            total_steps: steps of the whole run, for learning-rate schedules.

        Returns:
            A compiled model, untrained.
        """
        data, precision = config.data, config.precision
        with computing_in(precision):
            gan = cls(
                build_generator(config.generator, data.channels),
                build_discriminator(config.discriminator, data.patch_size, data.channels),
            )
        gan.compile(
            optimizer=build_optimizer(config.g_optimizer, total_steps, precision),
            d_optimizer=build_optimizer(config.d_optimizer, total_steps, precision),
            reconstruction=config.reconstruction,
            suspects_only=config.suspects_only,
            adversarial_weight=config.adversarial_weight,
        )
        return gan

    @classmethod
    def from_preset(cls, name, *, channels=1, patch_size=None, total_steps=None):
        """Builds and compiles the GAN of a preset.

        Args:
            name: "selective", "selective-small" or "classic"; or a saved model, such as
                "selective-fer2013", whose generator is taken as it was trained.
            channels: 1 for grey, 3 for colour.
            patch_size: height and width of the training images; None takes the preset's.
            total_steps: how many steps training will take, over which the generator's learning rate
                falls to zero; None holds it constant.

        Returns:
            A compiled model.

        Raises:
            ValueError: if there is no preset or saved model of that name, or the saved model has
                another number of channels.
        """
        saved = None if name in PRESETS else read_saved_model(name)
        config = PRESETS[name] if saved is None else saved.config
        if saved is not None and config.data.channels != channels:
            raise ValueError(f"{name} has {config.data.channels} channels, not {channels}")
        config = config.replace(data__channels=channels)
        if patch_size is not None:
            config = config.replace(data__patch_size=patch_size)
        gan = cls.from_run_config(config, total_steps)
        if saved is not None:
            trained = keras.models.load_model(saved.generator, compile=False)
            gan.generator.set_weights(trained.get_weights())
        return gan

    def compile(
        self,
        optimizer=None,
        d_optimizer=None,
        *,
        reconstruction="mse",
        suspects_only=False,
        adversarial_weight=0.01,
        jit_compile=False,
        run_eagerly=False,
    ):
        """Configures training.

        Args:
            optimizer: the generator's optimizer, `g_optimizer`; Keras' callbacks find it under this
                name. None takes the reference recipe's Adam.
            d_optimizer: the discriminator's optimizer; None likewise.
            reconstruction: "mse", "mae", "charbonnier", "rmse" or "psnr"; see
                `losses.reconstruction_loss`.
            suspects_only: whether the reconstruction loss is averaged over the pixels that could be
                impulses, instead of over all.
            adversarial_weight: λ in generator loss = reconstruction + λ · adversarial.
            jit_compile: whether XLA compiles the step. On a CPU the plain graph is faster.
            run_eagerly: whether the step runs without a graph, for debugging.

        Raises:
            ValueError: if `reconstruction` has another name or `adversarial_weight` is negative.
        """
        if not adversarial_weight >= 0:
            raise ValueError(f"adversarial_weight must not be negative, got {adversarial_weight}")
        reference = OptimizerConfig()
        super().compile(
            optimizer=keras.optimizers.get(optimizer or build_optimizer(reference)),
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
        )
        self.d_optimizer = keras.optimizers.get(d_optimizer or build_optimizer(reference))
        self.reconstruction = reconstruction
        self.suspects_only = suspects_only
        self.adversarial_weight = adversarial_weight
        self.reconstruction_loss = reconstruction_loss(reconstruction, suspects_only=suspects_only)
        self.adversarial_loss = adversarial_loss()
        # Built here, inside the strategy's scope if there is one: inside the step it is too late.
        self.g_optimizer.build(self.generator.trainable_variables)
        if self.adversarial:
            self.d_optimizer.build(self.discriminator.trainable_variables)

    @property
    def g_optimizer(self):
        """The generator's optimizer."""
        return self.optimizer

    @property
    def adversarial(self):
        """Whether the discriminator takes part in training."""
        return self.adversarial_weight > 0

    def get_compile_config(self):
        return {
            "optimizer": keras.saving.serialize_keras_object(self.optimizer),
            "d_optimizer": keras.saving.serialize_keras_object(self.d_optimizer),
            "reconstruction": self.reconstruction,
            "suspects_only": self.suspects_only,
            "adversarial_weight": self.adversarial_weight,
        }

    def compile_from_config(self, config):
        optimizers = {
            key: keras.saving.deserialize_keras_object(config[key])
            for key in ("optimizer", "d_optimizer")
        }
        self.compile(**{**config, **optimizers})

    def call(self, noisy, training=False):
        """Restores images: float (N, H, W, C) in [0, 1] to the same."""
        return self.generator(noisy, training=training)

    def train_step(self, data):
        noisy, clean = data
        with tf.GradientTape() as g_tape:
            restored = self.generator(noisy, training=True)
        if self.adversarial:
            self._update_discriminator(noisy, clean, restored)
        with g_tape:
            reconstruction = self._reconstruction_loss(noisy, clean, restored)
            adversarial = 0.0
            if self.adversarial:
                fake_logits = self.discriminator([noisy, restored], training=True)
                losses = self.adversarial_loss(ops.ones_like(fake_logits), fake_logits)
                adversarial = tf.nn.compute_average_loss(losses)
            g_loss = reconstruction + self.adversarial_weight * adversarial
            scaled = self.g_optimizer.scale_loss(g_loss)
        variables = self.generator.trainable_variables
        self.g_optimizer.apply(g_tape.gradient(scaled, variables), variables)
        self._track(g_reconstruction_loss=reconstruction, g_adversarial_loss=adversarial)
        means = {key: tracker.result() for key, tracker in self.training_trackers.items()}
        # Of the means: the graph optimizer reorders the step's own sum now and then, by one bit.
        g_loss = (
            means["g_reconstruction_loss"] + self.adversarial_weight * means["g_adversarial_loss"]
        )
        keys = means if self.adversarial else ("g_reconstruction_loss",)
        return _reported({"g_loss": g_loss} | {key: means[key] for key in keys})

    def _reconstruction_loss(self, noisy, clean, restored):
        return tf.nn.compute_average_loss(self.reconstruction_loss(noisy, clean, restored))

    def _update_discriminator(self, noisy, clean, restored):
        with tf.GradientTape() as d_tape:
            real_logits = self.discriminator([noisy, clean], training=True)
            fake_logits = self.discriminator([noisy, tf.stop_gradient(restored)], training=True)
            real, fake = ops.ones_like(real_logits), ops.zeros_like(fake_logits)
            losses = self.adversarial_loss(real, real_logits) + self.adversarial_loss(
                fake, fake_logits
            )
            # Averaged over the global batch: Keras sums gradients over replicas.
            d_loss = tf.nn.compute_average_loss(0.5 * losses)
            scaled = self.d_optimizer.scale_loss(d_loss)
        variables = self.discriminator.trainable_variables
        self.d_optimizer.apply(d_tape.gradient(scaled, variables), variables)
        self._track(d_loss=d_loss)
        self.training_trackers["d_real_accuracy"].update_state(real, real_logits)
        self.training_trackers["d_fake_accuracy"].update_state(fake, fake_logits)

    def _track(self, **losses):
        # Each replica holds its share of the global mean; Keras averages what replicas report.
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        for key, loss in losses.items():
            self.training_trackers[key].update_state(loss * replicas)

    def test_step(self, data):
        """Measures PSNR, SSIM and MSE as users see them: clipped and rounded to 8 bits."""
        noisy, clean, weight = keras.utils.unpack_x_y_sample_weight(data)
        restored = ops.round(ops.clip(self.generator(noisy, training=False), 0.0, 1.0) * 255) / 255
        for tracker in self.quality_trackers.values():
            tracker.update_state(clean, restored, sample_weight=weight)
        # Of all replicas' images, however many each had.
        context = tf.distribute.get_replica_context()
        means = {}
        for key, tracker in self.quality_trackers.items():
            seen = [tf.identity(tracker.total.value), tf.identity(tracker.count.value)]
            means[key] = tf.math.divide_no_nan(
                *context.all_reduce(tf.distribute.ReduceOp.SUM, seen)
            )
        return _reported(means)

    @contextlib.contextmanager
    def averaged_weights(self):
        """Puts the moving average of the generator's weights in their place for a while.

        Without a moving average (`use_ema` of the generator's optimizer) it changes nothing.
        `evaluate` and `predict` do this themselves.
        """
        if not getattr(getattr(self, "optimizer", None), "use_ema", False):
            yield
            return
        variables = self.generator.trainable_variables
        values = [tf.identity(variable.value) for variable in variables]
        self.g_optimizer.finalize_variable_values(variables)
        try:
            yield
        finally:
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

    def evaluate(self, *args, **kwargs):
        with self.averaged_weights():
            return super().evaluate(*args, **kwargs)

    def predict(self, *args, **kwargs):
        with self.averaged_weights():
            return super().predict(*args, **kwargs)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Does nothing: everything is built when it is compiled.

        Keras would reduce a batch over replicas, which fails for those of several workers.
        """

    def get_config(self):
        return {
            "name": self.name,
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
        }


def _reported(results):
    """Gives logs the form in which Keras takes them: it averages those of workers over axis 0."""
    strategy = tf.distribute.get_strategy()
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return results
    # It asks the logs for the device to do that on.
    with tf.device(strategy.extended.worker_devices[0]):
        return {key: ops.reshape(value, (1,)) for key, value in results.items()}
