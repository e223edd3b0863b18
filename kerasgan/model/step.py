"""One step of training: the discriminator is updated, then the generator against it."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from kerasgan.model.adversary import Adversary
from kerasgan.model.metrics import MSE, PSNR, SSIM

# Decay of the running means by which an adversary's weight is balanced.
_MOMENTUM = 0.99
# Beyond what rounding or a sloppy resize can make of 1.
_SURELY_OUT = 1.5
OUT_OF_RANGE = "images must lie in [0, 1]: divide 8-bit pixels by 255"
_PARTS = ("g_reconstruction_loss", "g_adversarial_loss", "g_regularization_loss", "d_loss")
_ACCURACIES = ("d_real_accuracy", "d_fake_accuracy")


class AdversarialStep(keras.Model):
    """What a denoising GAN does with a batch, when it is trained and when it is measured.

    Attributes:
        generator: a model from `noisy` to `restored`.
        adversary: what trains it besides the reconstruction, or None.
        reconstruction_loss: from noisy, clean and restored images to a loss of each.
        d_optimizer: the discriminator's optimizer; the generator's is `optimizer`.
        gradient_lengths: running means of the lengths of the reconstruction's and the adversarial
            loss' gradients at the output, for an adversary that is balanced by them.
        averaged_statistics: running means of what the generator's normalisations have seen, where
            its optimizer averages its weights.
    """

    generator: keras.Model
    adversary: Adversary | None
    reconstruction_loss: Callable[[Any, Any, Any], Any]
    d_optimizer: Any
    gradient_lengths: Any
    averaged_statistics: list[Any]

    def __init__(self, name: str):
        super().__init__(name=name)
        self.training_trackers = {key: keras.metrics.Mean(name=key) for key in _PARTS} | {
            key: keras.metrics.BinaryAccuracy(name=key, threshold=0.0) for key in _ACCURACIES
        }
        self.quality_trackers = {"psnr": PSNR(), "ssim": SSIM(), "mse": MSE()}

    @property
    def g_optimizer(self) -> Any:
        """The generator's optimizer."""
        return self.optimizer

    @property
    def statistics(self) -> list[Any]:
        """What the generator's normalisations have seen: no weights, but needed like them."""
        return [
            variable
            for variable in self.generator.non_trainable_variables
            if "float" in variable.dtype
        ]

    def train_step(self, data: Any) -> dict[str, Any]:
        noisy, clean, weight = keras.utils.unpack_x_y_sample_weight(data)
        tf.debugging.assert_less(tf.reduce_max(clean), _SURELY_OUT, OUT_OF_RANGE)
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
        logits, labels = (
            (judgement.real_logits, judgement.fake_logits),
            (ops.ones_like, ops.zeros_like),
        )
        for key, own, label in zip(_ACCURACIES, logits, labels, strict=True):
            self.training_trackers[key].update_state(label(own), own)

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
            logs |= {key: means[key] for key in ("g_adversarial_loss", "d_loss", *_ACCURACIES)}
            if self.adversary.balance == "gradient":
                logs["g_adversarial_weight"] = adversarial_weight
        if "g_regularization_loss" in parts:
            g_loss += means["g_regularization_loss"]
            logs["g_regularization_loss"] = means["g_regularization_loss"]
        return _reported({"g_loss": g_loss} | logs)

    def _average_statistics(self) -> None:
        """Averages what normalisations have seen as the optimizer averages weights."""
        for average, statistic in zip(self.averaged_statistics, self.statistics, strict=False):
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
