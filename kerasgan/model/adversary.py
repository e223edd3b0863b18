"""What trains a generator besides the reconstruction: a discriminator, and what it is worth."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

import keras
import tensorflow as tf
from keras import ops

from kerasgan.config import Balance, Objective
from kerasgan.decoding import decode
from kerasgan.noise.base import Noise


@dataclass(frozen=True)
class Judgement:
    """What a discriminator said in one update of its own.

    Attributes:
        losses: its loss of each image, (N,).
        real_logits: of the clean images, (N, …).
        fake_logits: of the restored ones, the same shape.
        right: 1 for each image, (N,), whose clean form has the higher mean logit, else 0.
        importance: by how much each image counts, (N,).
    """

    losses: Any
    real_logits: Any
    fake_logits: Any
    right: Any
    importance: Any


@keras.saving.register_keras_serializable(package="kerasgan")
class Adversary:
    """A discriminator, what both sides are after, and what its judgement is worth.

    Args:
        discriminator: a model from [noisy, image] to logits (N, …), one or one per place: the
            higher, the more it takes the image for a clean one. Each image counts by their mean.
        objective: "bce", binary cross-entropy (Goodfellow et al., NeurIPS 2014, the non-saturating
            form); "hinge" (Lim & Ye, Geometric GAN, 2017); "relativistic", by how much a clean
            image's logit exceeds that of the same image restored (Jolicoeur-Martineau, ICLR 2019).
        weight: λ in generator loss = reconstruction + λ · adversarial, positive.
        penalty: weight of the squared gradient of a clean image's logit with respect to the image,
            half of which is added to the discriminator's loss (R1; Mescheder et al., ICML 2018).
        balance: "fixed" takes λ as it is. "gradient" scales it, so that the adversarial part's
            gradient at the generator's output is λ times as long as the reconstruction's, by
            running means of both lengths; see `model.balance`.
        suspects_of: the noise by whose suspects logits of places are weighed within an image: where
            nothing was lost, there is nothing to judge. None weighs all alike.
        fade: each image counts by its share of suspects to this power, so that sparse noise, which
            the reconstruction undoes best, is left to it; 0 counts all images alike.
        feature_matching: weight, balanced like λ, of the distance between the discriminator's
            features of the restored and of the clean image: what it looks at before each halving of
            the resolution and before its logits (Salimans et al., Improved techniques for training
            GANs, NeurIPS 2016; per image, as Wang et al., pix2pixHD, CVPR 2018). 0 for none.
        clip: how many times the root mean square of an image's adversarial gradients any pixel's
            may be, so that no single pixel is set alone; 0 for no limit.
        frozen_statistics: whether the generator's normalisations keep, against the discriminator,
            the statistics of what they saw before.

    Raises:
        ValueError: if a name is none of these, or a number is not in its range.
    """

    def __init__(
        self,
        discriminator: keras.Model,
        *,
        objective: Objective = "bce",
        weight: float = 0.01,
        penalty: float = 0.0,
        balance: Balance = "fixed",
        suspects_of: Noise | None = None,
        fade: float = 0.0,
        feature_matching: float = 0.0,
        clip: float = 0.0,
        frozen_statistics: bool = False,
    ):
        for name, value, known in (
            ("objective", objective, get_args(Objective)),
            ("balance", balance, get_args(Balance)),
        ):
            if value not in known:
                raise ValueError(f"no {name} {value!r}; there are {', '.join(known)}")
        if not 0 < weight < float("inf"):
            raise ValueError(f"weight must be positive, got {weight}; without, give no adversary")
        for name, number in (
            ("penalty", penalty),
            ("fade", fade),
            ("feature_matching", feature_matching),
            ("clip", clip),
        ):
            if not 0 <= number < float("inf"):
                raise ValueError(f"{name} must not be negative, got {number}")
        if fade and suspects_of is None:
            raise ValueError("fade needs suspects_of: the noise by whose share it fades")
        self.discriminator = discriminator
        self.objective = objective
        self.weight = weight
        self.penalty = penalty
        self.balance = balance
        self.suspects_of = suspects_of
        self.fade = fade
        self.feature_matching = feature_matching
        self.clip = clip
        self.frozen_statistics = frozen_statistics
        self._looking = None
        if feature_matching:
            outputs = [discriminator.output, *_stages(discriminator)]
            self._looking = keras.Model(discriminator.inputs, outputs)

    @property
    def paired(self) -> bool:
        """Whether restored images are judged beside the clean ones, not each by itself."""
        return _OBJECTIVES[self.objective].paired

    @property
    def factors(self) -> dict[str, float]:
        """What each part of `generator_losses` is multiplied by, before it is balanced."""
        parts = {"adversarial": self.weight, "features": self.feature_matching}
        return {name: factor for name, factor in parts.items() if factor}

    def judge(self, noisy: Any, clean: Any, restored: Any) -> Judgement:
        """Computes the discriminator's losses.

        Args:
            noisy: images (N, H, W, C) in [0, 1].
            clean: the same without noise.
            restored: what the generator made of them.

        Returns:
            Losses of each image, the logits, and whether they are right.
        """
        if self.penalty:
            with tf.GradientTape() as tape:
                tape.watch(clean)
                real_logits = self.discriminator([noisy, clean], training=True)
                of_each = _mean_of_each(real_logits)
            slope = tape.gradient(of_each, clean)
        else:
            real_logits = self.discriminator([noisy, clean], training=True)
        fake_logits = self.discriminator([noisy, tf.stop_gradient(restored)], training=True)
        importance = self.importance(noisy)

        def mean(of_logits: Any) -> Any:
            return self._mean(of_logits, noisy)

        objective = _OBJECTIVES[self.objective]
        losses = importance * objective.discriminator(real_logits, fake_logits, mean)
        if self.penalty:
            losses += 0.5 * self.penalty * ops.sum(ops.square(slope), axis=(1, 2, 3))
        right = ops.cast(mean(real_logits) > mean(fake_logits), losses.dtype)
        return Judgement(losses, real_logits, fake_logits, right, importance)

    def generator_losses(self, noisy: Any, clean: Any, restored: Any) -> dict[str, Any]:
        """Computes what the generator's images lose in the discriminator's eyes.

        Args:
            noisy: images (N, H, W, C) in [0, 1].
            clean: the same without noise.
            restored: what the generator made of them.

        Returns:
            The losses of each image, (N,): "adversarial", and "features" where they are matched.
        """
        objective = _OBJECTIVES[self.objective]
        importance = self.importance(noisy)
        fake_logits, fake = self._look(noisy, restored)
        real_logits, real = None, []
        if objective.paired or self.feature_matching:
            real_logits, real = tf.nest.map_structure(tf.stop_gradient, self._look(noisy, clean))
        judged = objective.generator(
            real_logits, fake_logits, lambda of_logits: self._mean(of_logits, noisy)
        )
        losses = {"adversarial": importance * judged}
        if self.feature_matching:
            losses["features"] = importance * _distance(real, fake)
        return losses

    def _look(self, noisy: Any, image: Any) -> tuple[Any, list[Any]]:
        """Logits, and the features that are matched."""
        if self._looking is None:
            return self.discriminator([noisy, image], training=True), []
        logits, *features = self._looking([noisy, image], training=True)
        return logits, features

    def importance(self, noisy: Any) -> Any:
        """By how much each image counts.

        Args:
            noisy: images (N, H, W, C) in [0, 1].

        Returns:
            (N,): the share of suspects to the power of `fade`; 1 where it does not fade.
        """
        if self.suspects_of is None:
            return ops.ones(ops.shape(noisy)[:1])
        return ops.mean(self.suspects(noisy), axis=(1, 2, 3)) ** self.fade

    def suspects(self, noisy: Any) -> Any:
        """1 where the noise may have changed a pixel, else 0: (N, H, W, 1)."""
        if self.suspects_of is None:
            return ops.ones_like(noisy[..., :1])
        suspects = ops.any(self.suspects_of.suspects(noisy), axis=-1, keepdims=True)
        return ops.cast(suspects, noisy.dtype)

    def _mean(self, values: Any, noisy: Any) -> Any:
        """From one value a logit (N, …) to one an image (N,), by the suspects of each place."""
        if self.suspects_of is None or len(values.shape) != 4:
            return _mean_of_each(values)
        cell = noisy.shape[1] // values.shape[1]
        of_cells = ops.average_pool(self.suspects(noisy), cell, cell)
        total = ops.maximum(ops.sum(of_cells, axis=(1, 2, 3)), 1e-6)
        return ops.sum(values * of_cells, axis=(1, 2, 3)) / total

    def get_config(self) -> dict[str, Any]:
        """Returns what `from_config` takes."""
        return {
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "objective": self.objective,
            "weight": self.weight,
            "penalty": self.penalty,
            "balance": self.balance,
            "suspects_of": None if self.suspects_of is None else self.suspects_of.to_dict(),
            "fade": self.fade,
            "feature_matching": self.feature_matching,
            "clip": self.clip,
            "frozen_statistics": self.frozen_statistics,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Adversary":
        """Makes the adversary that `get_config` described."""
        noise = config["suspects_of"]
        parts = {
            "discriminator": keras.saving.deserialize_keras_object(config["discriminator"]),
            "suspects_of": None if noise is None else decode(Noise, noise, "noise"),
        }
        return cls(**{**config, **parts})


@dataclass(frozen=True)
class _Losses:
    """Both sides' losses of images, from real and fake logits and how to average over those."""

    discriminator: Callable[[Any, Any, Callable[[Any], Any]], Any]
    generator: Callable[[Any, Any, Callable[[Any], Any]], Any]
    # Whether the generator is judged beside the clean image.
    paired: bool = False


def _mean_of_each(values: Any) -> Any:
    """From (N, …) to (N,)."""
    return ops.mean(ops.reshape(values, (ops.shape(values)[0], -1)), axis=-1)


def _stages(discriminator: keras.Model) -> list[Any]:
    """What a discriminator's strided convolutions read, and its last layer: all it looks at."""
    *others, last = discriminator.layers
    strided = [layer for layer in others if getattr(layer, "strides", (1, 1))[0] > 1]
    return [layer.input for layer in (*strided, last)]


def _distance(real: list[Any], fake: list[Any]) -> Any:
    """How far images are from others in their features, (N,), each stage by its own size."""
    context = tf.distribute.get_replica_context()
    total = 0.0
    for wanted, own in zip(real, fake, strict=True):
        wanted, own = (ops.cast(features, "float32") for features in (wanted, own))
        size = context.all_reduce(tf.distribute.ReduceOp.MEAN, ops.mean(ops.abs(wanted)))
        total += _mean_of_each(ops.abs(own - wanted)) / size
    return total


def _entropy(label: float, logits: Any) -> Any:
    return ops.binary_crossentropy(ops.full_like(logits, label), logits, from_logits=True)


_OBJECTIVES = {
    "bce": _Losses(
        lambda real, fake, mean: 0.5 * (mean(_entropy(1.0, real)) + mean(_entropy(0.0, fake))),
        lambda real, fake, mean: mean(_entropy(1.0, fake)),
    ),
    "hinge": _Losses(
        lambda real, fake, mean: 0.5 * (mean(ops.relu(1.0 - real)) + mean(ops.relu(1.0 + fake))),
        lambda real, fake, mean: -mean(fake),
    ),
    "relativistic": _Losses(
        lambda real, fake, mean: mean(ops.softplus(fake - real)),
        lambda real, fake, mean: mean(ops.softplus(real - fake)),
        paired=True,
    ),
}
