"""The denoising GAN: one generator, one adversary, both updated in one training step."""

import contextlib
import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from kerasgan.config import OptimizerConfig, RunConfig
from kerasgan.model.adversary import Adversary
from kerasgan.model.discriminators import build_discriminator
from kerasgan.model.generators import build_generator
from kerasgan.model.losses import reconstruction_loss
from kerasgan.model.metrics import MSE, PSNR, SSIM
from kerasgan.model.optimizers import build_optimizer
from kerasgan.model.precision import computing_in
from kerasgan.model.promises import last_convolutions, promises
from kerasgan.noise.base import Noise
from kerasgan.noise.kinds import noise_from_dict
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.presets import PRESETS
from kerasgan.store.zoo import read_saved_model

# Decay of the running means by which an adversary's weight is balanced.
_MOMENTUM = 0.99
# Beyond what rounding or a sloppy resize can make of 1.
_SURELY_OUT = 1.5
_OUT_OF_RANGE = "images must lie in [0, 1]: divide 8-bit pixels by 255"


@keras.saving.register_keras_serializable(package="kerasgan")
class DenoisingGAN(keras.Model):
    """Trains a generator to undo noise, against a discriminator that tells clean from restored.

    It is used like any Keras model; calling it, or `predict`, runs the generator. One training step
    updates the discriminator on what the generator made, then the generator against the updated
    discriminator. Compiled without an adversary, only the generator is trained.

    Args:
        generator: a model from `noisy` to `restored`, float (N, H, W, C) in [0, 1].
        name: name of the model.

    Source: Isola et al., Image-to-image translation with conditional adversarial networks, CVPR
    2017, with a reconstruction loss of one's choice.

    Example:
        >>> gan = DenoisingGAN.from_preset("selective")
        >>> gan.fit(pairs, steps_per_epoch=100)
        >>> restored = gan.predict(noisy)
    """

    def __init__(self, generator: keras.Model, name: str = "denoising_gan"):
        super().__init__(name=name)
        self.generator = generator
        self.discriminator: keras.Model | None = None
        self.training_trackers = {
            key: keras.metrics.Mean(name=key)
            for key in (
                "g_reconstruction_loss",
                "g_adversarial_loss",
                "g_regularization_loss",
                "d_loss",
            )
        } | {
            key: keras.metrics.BinaryAccuracy(name=key, threshold=0.0)
            for key in ("d_real_accuracy", "d_fake_accuracy")
        }
        self.quality_trackers = {"psnr": PSNR(), "ssim": SSIM(), "mse": MSE()}
        self.multiple = promises(generator).multiple
        # Complete ones, as of the last save; -1 where nobody counted them.
        self.epochs = self._state("epochs", (), "int64")
        # Of the reconstruction's and the adversarial loss' gradients at the output.
        self.gradient_lengths = self._state("gradient_lengths", (2,))
        self.averaged_statistics: list[Any] = []
        self.built = True

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "DenoisingGAN":
        networks = {
            key: keras.saving.deserialize_keras_object(config[key], custom_objects)
            for key in ("generator", "discriminator")
            if key in config
        }
        gan = cls(networks["generator"], name=config["name"])
        # The first version's models name it here; now it is part of what they are compiled with.
        gan.discriminator = networks.get("discriminator")
        return gan

    @classmethod
    def from_run_config(
        cls,
        config: RunConfig,
        total_steps: int | None = None,
        *,
        generator: keras.Model | None = None,
    ) -> "DenoisingGAN":
        """Builds and compiles the GAN that a run configuration describes.

        Args:
            config: the configuration.
            total_steps: steps of the whole run, for learning-rate schedules.
            generator: a network to train in the place of the configuration's.

        Returns:
            A compiled model, untrained.
        """
        data, precision = config.data, config.precision
        adversary = None
        with computing_in(precision):
            gan = cls(generator or build_generator(config.generator, data.channels))
            if config.adversary.weight:
                discriminator = build_discriminator(
                    config.discriminator, data.patch_size, data.channels, config.noise
                )
                adversary = Adversary(discriminator, **dataclasses.asdict(config.adversary))
        gan.compile(
            optimizer=build_optimizer(
                config.g_optimizer, total_steps, precision, last_convolutions(gan.generator)
            ),
            d_optimizer=build_optimizer(config.d_optimizer, total_steps, precision),
            adversary=adversary,
            reconstruction=config.reconstruction,
            suspects_of=config.noise if config.suspects_only else None,
        )
        return gan

    @classmethod
    def from_preset(
        cls,
        name: str,
        *,
        channels: int = 1,
        patch_size: int | None = None,
        total_steps: int | None = None,
    ) -> "DenoisingGAN":
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
        optimizer: Any = None,
        d_optimizer: Any = None,
        *,
        adversary: Adversary | None = None,
        reconstruction: Any = "mse",
        suspects_of: Noise | None = None,
        loss: Any = None,
        jit_compile: bool = False,
        run_eagerly: bool = False,
    ) -> None:
        """Configures training.

        Args:
            optimizer: the generator's optimizer, `g_optimizer`; Keras' callbacks find it under this
                name. None takes the reference recipe's Adam.
            d_optimizer: the discriminator's optimizer; None likewise.
            adversary: the discriminator and what its judgement is worth; None trains without.
            reconstruction: "mse", "mae", "charbonnier", "rmse", "psnr" or a Keras loss; see
                `losses.reconstruction_loss`.
            suspects_of: the noise over whose suspects the reconstruction loss is averaged; None
                averages it over all pixels.
            loss: Keras' own name for `reconstruction`; where it is given, it counts.
            jit_compile: whether XLA compiles the step. On a CPU the plain graph is faster.
            run_eagerly: whether the step runs without a graph, for debugging.

        Raises:
            ValueError: if `reconstruction` has another name, or a network has no weights yet.
        """
        reconstruction = reconstruction if loss is None else loss
        self.reconstruction_loss = reconstruction_loss(reconstruction, suspects_of)
        for network in (self.generator, *([] if adversary is None else [adversary.discriminator])):
            if not network.built:
                raise ValueError(f"{network.name} has no weights yet: call it once on images")
        reference = OptimizerConfig()
        super().compile(
            optimizer=keras.optimizers.get(optimizer or build_optimizer(reference)),
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
            # Keras searches for a scale: that skips steps, and hides the optimizer's averages.
            auto_scale_loss=False,
        )
        self.reconstruction = reconstruction
        self.suspects_of = suspects_of
        self.adversary = adversary
        self.discriminator = None
        self.d_optimizer: Any = None
        # Built here, inside the strategy's scope if there is one: inside the step it is too late.
        self.g_optimizer.build(self.generator.trainable_variables)
        if adversary is not None:
            self.discriminator = adversary.discriminator
            self.d_optimizer = keras.optimizers.get(d_optimizer or build_optimizer(reference))
            self.d_optimizer.build(self.discriminator.trainable_variables)
        if self.g_optimizer.use_ema and not self.averaged_statistics:
            self.averaged_statistics = [
                self._state(f"average_{number}", statistic.shape)
                for number, statistic in enumerate(self._statistics)
            ]

    def _state(self, name: str, shape: tuple[int, ...], dtype: str = "float32") -> Any:
        """A variable that is saved with the model; NaN, or -1, until it is first assigned."""
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=dtype,
            initializer=keras.initializers.Constant(-1 if dtype == "int64" else math.nan),
            trainable=False,
            aggregation="mean",
        )

    @property
    def g_optimizer(self) -> Any:
        """The generator's optimizer."""
        return self.optimizer

    @property
    def _statistics(self) -> list[Any]:
        """What normalisations of the generator have seen: no weights, but as needed."""
        return [
            variable
            for variable in self.generator.non_trainable_variables
            if "float" in variable.dtype
        ]

    def load_own_variables(self, store: Any) -> None:
        if store.keys():  # The first version kept none.
            super().load_own_variables(store)

    def get_compile_config(self) -> dict[str, Any]:
        values = {
            "optimizer": self.optimizer,
            "d_optimizer": self.d_optimizer,
            "adversary": self.adversary,
            "reconstruction": self.reconstruction,
        }
        return {
            **{key: keras.saving.serialize_keras_object(value) for key, value in values.items()},
            "suspects_of": None if self.suspects_of is None else self.suspects_of.to_dict(),
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        config = dict(config)
        if "adversarial_weight" in config:  # The first version's.
            weight = config.pop("adversarial_weight")
            own: dict[str, Any] = {
                "adversary": Adversary(self.discriminator, weight=weight) if weight else None,
                "suspects_of": SaltAndPepper((0.0, 1.0)) if config.pop("suspects_only") else None,
            }
        else:
            noise = config.pop("suspects_of")
            own = {"suspects_of": None if noise is None else noise_from_dict(noise)}
        rest = {key: keras.saving.deserialize_keras_object(value) for key, value in config.items()}
        self.compile(**rest, **own)

    def call(self, noisy: Any, training: bool = False) -> Any:
        """Restores images: float (N, H, W, C) in [0, 1] to the same.

        Raises:
            ValueError: if height and width are no multiples of what the generator needs.
        """
        height, width = noisy.shape[1:3]
        if (height or 0) % self.multiple or (width or 0) % self.multiple:
            raise ValueError(
                f"images of {height}×{width} do not fit this generator: height and width must be "
                f"multiples of {self.multiple}. kerasgan.Restorer takes any size"
            )
        return self.generator(noisy, training=training)

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().fit(*args, **kwargs)
        except tf.errors.InvalidArgumentError as error:
            if _OUT_OF_RANGE in str(error):
                raise ValueError(_OUT_OF_RANGE) from None
            raise

    def train_step(self, data: Any) -> dict[str, Any]:
        noisy, clean, weight = keras.utils.unpack_x_y_sample_weight(data)
        tf.debugging.assert_less(tf.reduce_max(clean), _SURELY_OUT, _OUT_OF_RANGE)
        with tf.GradientTape() as g_tape:
            restored = self.generator(noisy, training=True)
        if self.adversary is not None:
            self._update_discriminator(self.adversary, noisy, clean, restored, weight)
        with g_tape:
            losses, adversarial_weight = self._generator_losses(noisy, clean, restored, weight)
            g_loss = losses["g_reconstruction_loss"]
            if self.adversary is not None:
                g_loss += adversarial_weight * losses["g_adversarial_loss"]
            if self.generator.losses:
                penalties = tf.add_n(self.generator.losses)
                losses["g_regularization_loss"] = tf.nn.scale_regularization_loss(penalties)
                g_loss += losses["g_regularization_loss"]
            scaled = self.g_optimizer.scale_loss(g_loss)
        variables = self.generator.trainable_variables
        self.g_optimizer.apply(g_tape.gradient(scaled, variables), variables)
        self._average_statistics()
        self._track(**losses)
        return self._training_logs(losses.keys(), adversarial_weight)

    def _generator_losses(
        self, noisy: Any, clean: Any, restored: Any, weight: Any
    ) -> tuple[dict[str, Any], Any]:
        """The parts of the generator's loss, and what the adversarial one is multiplied by."""
        adversary = self.adversary
        balanced = adversary is not None and adversary.balance == "gradient"
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            if balanced:
                tape.watch(restored)
            of_each = self.reconstruction_loss(noisy, clean, restored)
            losses = {"g_reconstruction_loss": tf.nn.compute_average_loss(of_each, weight)}
            if adversary is not None:
                of_each = adversary.generator_losses(noisy, clean, restored)
                losses["g_adversarial_loss"] = tf.nn.compute_average_loss(of_each, weight)
        if adversary is None or not balanced:
            return losses, adversary and adversary.weight
        slopes = [tape.gradient(loss, restored) for loss in losses.values()]
        return losses, adversary.weight * self._ratio_of_lengths(slopes)

    def _ratio_of_lengths(self, slopes: list[Any]) -> Any:
        """How many times as long the first gradient is as the second, by running means."""
        squares = tf.stack([tf.reduce_sum(tf.square(slope)) for slope in slopes])
        context = tf.distribute.get_replica_context()
        now = tf.sqrt(context.all_reduce(tf.distribute.ReduceOp.SUM, tf.stop_gradient(squares)))
        self.gradient_lengths.assign(_moved(self.gradient_lengths.value, now, 1.0 - _MOMENTUM))
        return tf.math.divide_no_nan(*tf.unstack(self.gradient_lengths.value))

    def _update_discriminator(
        self, adversary: Adversary, noisy: Any, clean: Any, restored: Any, weight: Any
    ) -> None:
        with tf.GradientTape() as d_tape:
            judgement = adversary.judge(noisy, clean, restored)
            # Averaged over the global batch: Keras sums gradients over replicas.
            d_loss = tf.nn.compute_average_loss(judgement.losses, weight)
            scaled = self.d_optimizer.scale_loss(d_loss)
        variables = adversary.discriminator.trainable_variables
        self.d_optimizer.apply(d_tape.gradient(scaled, variables), variables)
        self._track(d_loss=d_loss)
        for key, logits, label in (
            ("d_real_accuracy", judgement.real_logits, ops.ones_like),
            ("d_fake_accuracy", judgement.fake_logits, ops.zeros_like),
        ):
            self.training_trackers[key].update_state(label(logits), logits)

    def _track(self, **losses: Any) -> None:
        # Each replica holds its share of the global mean; Keras averages what replicas report.
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        for key, loss in losses.items():
            self.training_trackers[key].update_state(loss * replicas)

    def _training_logs(self, parts: Any, adversarial_weight: Any) -> dict[str, Any]:
        means = {key: tracker.result() for key, tracker in self.training_trackers.items()}
        # Of the means: the graph optimizer reorders the step's own sum now and then, by one bit.
        g_loss = means["g_reconstruction_loss"]
        logs = {"g_reconstruction_loss": g_loss}
        if self.adversary is not None:
            g_loss += adversarial_weight * means["g_adversarial_loss"]
            logs |= {
                key: means[key]
                for key in ("g_adversarial_loss", "d_loss", "d_real_accuracy", "d_fake_accuracy")
            }
            if self.adversary.balance == "gradient":
                logs["g_adversarial_weight"] = adversarial_weight
        if "g_regularization_loss" in parts:
            g_loss += means["g_regularization_loss"]
            logs["g_regularization_loss"] = means["g_regularization_loss"]
        return _reported({"g_loss": g_loss} | logs)

    def _average_statistics(self) -> None:
        """Averages what normalisations have seen as the optimizer averages weights."""
        for average, statistic in zip(self.averaged_statistics, self._statistics, strict=False):
            share = 1.0 - self.g_optimizer.ema_momentum
            average.assign(_moved(average.value, statistic.value, share))

    def test_step(self, data: Any) -> dict[str, Any]:
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

    def finalize_averages(self) -> None:
        """Puts moving averages in the place of the generator's weights, where there are any."""
        if not getattr(getattr(self, "optimizer", None), "use_ema", False):
            return
        self.g_optimizer.finalize_variable_values(self.generator.trainable_variables)
        for average, statistic in zip(self.averaged_statistics, self._statistics, strict=True):
            statistic.assign(tf.where(tf.math.is_nan(average.value), statistic.value, average))

    @contextlib.contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Puts the moving average of the generator's weights in their place for a while.

        Without a moving average (`use_ema` of the generator's optimizer) it changes nothing.
        `evaluate` and `predict` do this themselves.
        """
        variables = [*self.generator.trainable_variables, *self._statistics]
        values = [tf.identity(variable.value) for variable in variables]
        self.finalize_averages()
        try:
            yield
        finally:
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        with self.averaged_weights():
            return super().evaluate(*args, **kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        with self.averaged_weights():
            return super().predict(*args, **kwargs)

    def export(self, *args: Any, **kwargs: Any) -> Any:
        """Exports the generator, as `keras.Model.export` does."""
        with self.averaged_weights():
            return self.generator.export(*args, **kwargs)

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Does nothing: everything is built when it is compiled.

        Keras would reduce a batch over replicas, which fails for those of several workers.
        """

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "generator": keras.saving.serialize_keras_object(self.generator),
        }


def _moved(average: Any, value: Any, share: float) -> Any:
    """A running mean after one more value; the value itself where there was none before."""
    return tf.where(tf.math.is_nan(average), value, average + share * (value - average))


def _reported(results: dict[str, Any]) -> dict[str, Any]:
    """Gives logs the form in which Keras takes them: it averages those of workers over axis 0."""
    strategy = tf.distribute.get_strategy()
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return results
    # It asks the logs for the device to do that on.
    with tf.device(strategy.extended.worker_devices[0]):
        return {key: ops.reshape(value, (1,)) for key, value in results.items()}
