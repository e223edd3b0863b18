"""What trains a generator besides the reconstruction: a discriminator, and what it is worth."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

import keras
import tensorflow as tf
from keras import ops

from kerasgan.config import Balance, Objective
from kerasgan.noise.base import Noise
from kerasgan.noise.kinds import noise_from_dict


@dataclass(frozen=True)
class Judgement:
    """What a discriminator said in one update of its own.

    Attributes:
        losses: its loss of each image, (N,).
        real_logits: of the clean images, (N, …).
        fake_logits: of the restored ones, the same shape.
    """

    losses: Any
    real_logits: Any
    fake_logits: Any


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
            running means of both lengths.
        suspects_of: the noise by whose suspects logits of places are weighed within an image: where
            nothing was lost, there is nothing to judge. None weighs all alike.
        fade: each image counts by its share of suspects to this power, so that sparse noise, which
            the reconstruction undoes best, is left to it; 0 counts all images alike.

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
    ):
        for name, value, known in (
            ("objective", objective, get_args(Objective)),
            ("balance", balance, get_args(Balance)),
        ):
            if value not in known:
                raise ValueError(f"no {name} {value!r}; there are {', '.join(known)}")
        if not 0 < weight < float("inf"):
            raise ValueError(f"weight must be positive, got {weight}; without, give no adversary")
        for name, number in (("penalty", penalty), ("fade", fade)):
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

    def judge(self, noisy: Any, clean: Any, restored: Any) -> Judgement:
        """Computes the discriminator's losses.

        Args:
            noisy: images (N, H, W, C) in [0, 1].
            clean: the same without noise.
            restored: what the generator made of them.

        Returns:
            Losses of each image, and the logits.
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
        losses = _OBJECTIVES[self.objective].discriminator(
            real_logits, fake_logits, lambda of_logits: self._of_images(of_logits, noisy)
        )
        if self.penalty:
            losses += 0.5 * self.penalty * ops.sum(ops.square(slope), axis=(1, 2, 3))
        return Judgement(losses, real_logits, fake_logits)

    def generator_losses(self, noisy: Any, clean: Any, restored: Any) -> Any:
        """Computes what the generator's images lose in the discriminator's eyes.

        Args:
            noisy: images (N, H, W, C) in [0, 1].
            clean: the same without noise.
            restored: what the generator made of them.

        Returns:
            The adversarial losses, (N,).
        """
        fake_logits = self.discriminator([noisy, restored], training=True)
        objective = _OBJECTIVES[self.objective]
        real_logits = (
            tf.stop_gradient(self.discriminator([noisy, clean], training=True))
            if objective.paired
            else None
        )
        return objective.generator(
            real_logits, fake_logits, lambda of_logits: self._of_images(of_logits, noisy)
        )

    def _of_images(self, losses: Any, noisy: Any) -> Any:
        """From losses of logits (N, …) to losses of images (N,)."""
        if self.suspects_of is None:
            return _mean_of_each(losses)
        suspects = ops.any(self.suspects_of.suspects(noisy), axis=-1, keepdims=True)
        suspects = ops.cast(suspects, losses.dtype)
        if len(losses.shape) == 4:
            cell = noisy.shape[1] // losses.shape[1]
            of_cells = ops.average_pool(suspects, cell, cell)
            total = ops.maximum(ops.sum(of_cells, axis=(1, 2, 3)), 1e-6)
            means = ops.sum(losses * of_cells, axis=(1, 2, 3)) / total
        else:
            means = _mean_of_each(losses)
        return means * ops.mean(suspects, axis=(1, 2, 3)) ** self.fade

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
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Adversary":
        """Makes the adversary that `get_config` described."""
        noise = config["suspects_of"]
        parts = {
            "discriminator": keras.saving.deserialize_keras_object(config["discriminator"]),
            "suspects_of": None if noise is None else noise_from_dict(noise),
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
