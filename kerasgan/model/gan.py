"""The denoising GAN: one generator, one adversary, both updated in one training step."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasgan.config import OptimizerConfig, Phase, RunConfig
from kerasgan.decoding import decode
from kerasgan.model.adversary import Adversary
from kerasgan.model.discriminators import build_discriminator
from kerasgan.model.generators import build_generator
from kerasgan.model.losses import reconstruction_loss
from kerasgan.model.normalization import fuse_normalizations
from kerasgan.model.optimizers import build_optimizer
from kerasgan.model.precision import computing_in
from kerasgan.model.promises import last_convolutions, promises
from kerasgan.model.step import OUT_OF_RANGE, AdversarialStep
from kerasgan.noise.base import Noise
from kerasgan.presets import PRESETS
from kerasgan.store.zoo import read_saved_model, saved_models


@keras.saving.register_keras_serializable(package="kerasgan")
class DenoisingGAN(AdversarialStep):
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
        >>> gan = DenoisingGAN.from_preset("selective-gan")
        >>> config = preset("selective-gan")
        >>> phases = Phases(config)
        >>> gan.fit(pairs, steps_per_epoch=100, epochs=config.epochs, callbacks=[phases])
        >>> restored = gan.predict(noisy)
    """

    def __init__(self, generator: keras.Model, name: str = "denoising_gan"):
        super().__init__(name)
        self.generator = generator
        self.discriminator: keras.Model | None = None
        self.multiple = promises(generator).multiple
        # Complete ones, as of the last save; -1 where nobody counted them.
        self.epochs = self._state("epochs", (), "int64")
        self.gradient_lengths = self._state("gradient_lengths", (3,))
        self.averaged_statistics = []
        self.built = True

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "DenoisingGAN":
        generator = keras.saving.deserialize_keras_object(config["generator"], custom_objects)
        return cls(generator, name=config["name"])

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

        def steps_without(phase: Phase) -> int | None:
            apart = config.epochs_of(phase)
            return total_steps and total_steps * (config.epochs - apart) // config.epochs

        adversary = None
        with computing_in(precision):
            gan = cls(generator or build_generator(config.generator, data.channels))
            if config.adversary.weight:
                discriminator = build_discriminator(
                    config.discriminator, data.patch_size, data.channels, config.noise
                )
                adversary = _adversary(discriminator, config)
        gan.compile(
            optimizer=build_optimizer(
                config.g_optimizer,
                steps_without("discriminator"),
                precision,
                last_convolutions(gan.generator),
            ),
            d_optimizer=build_optimizer(
                config.d_optimizer, steps_without("reconstruction"), precision
            ),
            adversary=adversary,
            reconstruction=config.reconstruction,
            suspects_of=config.noise if config.suspects_only else None,
            frozen_statistics=config.frozen_statistics,
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
            name: "selective-gan", "selective", "selective-small", "residual" or "classic"; or a
                saved model, such as "selective-fer2013", whose generator is taken as it is.
            channels: 1 for grey, 3 for colour.
            patch_size: height and width of the training images; None takes the preset's.
            total_steps: how many steps training will take, in the preset's phases, over which the
                generator's learning rate falls to zero; None holds it constant.

        Returns:
            A compiled model.

        Raises:
            ValueError: if there is no preset or saved model of that name, or the saved model has
                another number of channels.
        """
        if name not in PRESETS and name not in saved_models():
            known = ", ".join((*PRESETS, *saved_models()))
            raise ValueError(f"no preset or saved model {name!r}; there are {known}")
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
        frozen_statistics: bool = False,
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
            frozen_statistics: whether the generator's normalisations keep their statistics, as of a
                network that is fine-tuned.
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
            fuse_normalizations(network)
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
        self.frozen_statistics = frozen_statistics
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
                for number, statistic in enumerate(self.statistics)
            ]
        # Of an optimizer before this one.
        for average in self.averaged_statistics:
            average.assign(tf.fill(average.shape, math.nan))

    def _state(self, name: str, shape: tuple[int, ...], dtype: str = "float32") -> Any:
        """A variable that is saved with the model; NaN, or -1, until it is first assigned."""
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=dtype,
            initializer=keras.initializers.Constant(-1 if dtype == "int64" else math.nan),
            trainable=False,
            aggregation="only_first_replica",
        )

    def load_own_variables(self, store: Any) -> None:
        # Of a model that was compiled again without averages, those of before are left over.
        own = map(str, range(len(self._non_trainable_variables)))
        super().load_own_variables({key: np.asarray(store[key]) for key in own})

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
            "frozen_statistics": self.frozen_statistics,
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        config = dict(config)
        noise = config.pop("suspects_of")
        rest = {key: keras.saving.deserialize_keras_object(value) for key, value in config.items()}
        self.compile(**rest, suspects_of=None if noise is None else decode(Noise, noise, "noise"))

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
        pairs = args[0] if args else kwargs.get("x")
        if isinstance(pairs, tf.data.Dataset | tf.distribute.DistributedDataset):
            # Pairs come shuffled; Keras would only warn that it does not.
            kwargs.setdefault("shuffle", False)
        try:
            return super().fit(*args, **kwargs)
        except tf.errors.InvalidArgumentError as error:
            if OUT_OF_RANGE in str(error):
                raise ValueError(OUT_OF_RANGE) from None
            raise

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Does nothing: everything is built when it is compiled.

        Keras would reduce a batch over replicas, which fails for those of several workers.
        """

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "generator": keras.saving.serialize_keras_object(self.generator),
        }


def _adversary(discriminator: keras.Model, config: RunConfig) -> Adversary:
    own = config.adversary
    return Adversary(
        discriminator,
        objective=own.objective,
        weight=own.weight,
        penalty=own.penalty,
        balance=own.balance,
        suspects_of=config.noise if own.suspects_only else None,
        fade=own.fade,
        feature_matching=own.feature_matching,
        clip=own.clip,
        frozen_statistics=own.frozen_statistics,
    )
