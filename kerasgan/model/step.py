"""One step of training: the discriminator is updated, then the generator against it."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from kerasgan.config import Phase
from kerasgan.model.adversary import Adversary
from kerasgan.model.averages import AveragedGenerator
from kerasgan.model.balance import clipped, follow, mean_lengths
from kerasgan.model.metrics import MSE, PSNR, SSIM

# Beyond 0 and 1 by more than what rounding or a sloppy resize makes, and by more than noise does.
_SURELY_OUT, _SURELY_OUT_WITH_NOISE = 0.5, 3.0
OUT_OF_RANGE = "images must lie in [0, 1], noisy and clean: divide 8-bit pixels by 255"
_PARTS = ("reconstruction", "adversarial", "features", "regularization")
_ACCURACIES = ("d_real_accuracy", "d_fake_accuracy")


class AdversarialStep(AveragedGenerator):
    """What a denoising GAN does with a batch, when it is trained and when it is measured.

    Attributes:
        adversary: what trains it besides the reconstruction, or None.
        reconstruction_loss: from noisy, clean and restored images to a loss of each.
        d_optimizer: the discriminator's optimizer; the generator's is `optimizer`.
        frozen_statistics: whether the generator's normalisations keep their statistics in training.
        phase: what learns: "reconstruction", the generator as if there were no adversary;
            "discriminator", that alone; or "both".
        gradient_lengths: running means of the lengths of the gradients at the output, for an
            adversary that is balanced by them: those of the reconstruction, of the adversarial
            loss, and of feature matching.
    """

    adversary: Adversary | None
    reconstruction_loss: Callable[[Any, Any, Any], Any]
    d_optimizer: Any
    frozen_statistics: bool
    phase: Phase
    gradient_lengths: Any

    def __init__(self, name: str):
        super().__init__(name=name)
        self.phase = "both"
        losses = ("d_loss", *(f"g_{part}_loss" for part in _PARTS))
        self.training_trackers = {
            key: keras.metrics.Mean(name=key) for key in (*losses, "d_right_pairs")
        } | {key: keras.metrics.BinaryAccuracy(name=key, threshold=0.0) for key in _ACCURACIES}
        self.quality_trackers = {"psnr": PSNR(), "ssim": SSIM(), "mse": MSE()}

    def train_step(self, data: Any) -> dict[str, Any]:
        noisy, clean, weight = keras.utils.unpack_x_y_sample_weight(data)
        _check_range(clean, _SURELY_OUT)
        _check_range(noisy, _SURELY_OUT_WITH_NOISE)
        adversary = None if self.phase == "reconstruction" else self.adversary
        frozen = self.frozen_statistics or self.phase == "discriminator"
        frozen = frozen or (adversary is not None and adversary.frozen_statistics)
        with tf.GradientTape() as tape:
            restored = self.generator(noisy, training=not frozen)
            penalties = [tf.add_n(self.generator.losses)] if self.generator.losses else []
            penalties = [tf.nn.scale_regularization_loss(penalty) for penalty in penalties]
            scaled = [self.g_optimizer.scale_loss(penalty) for penalty in penalties]
        logs = {}
        if adversary is not None:
            logs = self._update_discriminator(adversary, noisy, clean, restored, weight)
            if self.phase == "discriminator":
                return _reported(logs)
        slope, factors = self._output_gradient(adversary, noisy, clean, restored, weight)
        variables = self.generator.trainable_variables
        gradients = tape.gradient(
            [restored, *scaled],
            variables,
            output_gradients=[self.g_optimizer.scale_loss(slope), *map(tf.ones_like, scaled)],
        )
        self.g_optimizer.apply(gradients, variables)
        self._average_statistics()
        if penalties:
            self._track("g_regularization_loss", penalties[0])
            factors["regularization"] = 1.0
        return _reported(self._generator_logs(factors) | logs)

    def _output_gradient(
        self, adversary: Adversary | None, noisy: Any, clean: Any, restored: Any, weight: Any
    ) -> tuple[Any, dict[str, Any]]:
        """The gradient of the generator's loss at its output, and each part's factor in it."""
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(restored)
            of_each = {"reconstruction": self.reconstruction_loss(noisy, clean, restored)}
            if adversary is not None:
                of_each |= adversary.generator_losses(noisy, clean, restored)
            losses = {
                part: tf.nn.compute_average_loss(values, weight) for part, values in of_each.items()
            }
            # Where a discriminator computes in float16, its gradient would else be lost in it.
            scaled = {part: self.g_optimizer.scale_loss(loss) for part, loss in losses.items()}
        for part, loss in losses.items():
            self._track(f"g_{part}_loss", loss)
        scale = self.g_optimizer.scale_loss(1.0)
        slopes = {part: tape.gradient(loss, restored) / scale for part, loss in scaled.items()}
        factors: dict[str, Any] = {"reconstruction": 1.0}
        if adversary is not None:
            suspects = adversary.suspects(noisy)
            factors |= adversary.factors
            if adversary.clip:
                for part in adversary.factors:
                    slopes[part] = clipped(slopes[part], suspects, adversary.clip)
            if adversary.balance == "gradient":
                importance = adversary.importance(noisy)
                lengths = mean_lengths([*slopes.values()], suspects, importance)
                unused = self.gradient_lengths.shape[0] - len(slopes)
                follow(self.gradient_lengths, tf.pad(lengths, [[0, unused]]))
                wanted, *own = tf.unstack(self.gradient_lengths.value)
                for part, length in zip(adversary.factors, own, strict=False):
                    factors[part] *= tf.math.divide_no_nan(wanted, length)
        return tf.add_n([factors[part] * slopes[part] for part in factors]), factors

    def _update_discriminator(
        self, adversary: Adversary, noisy: Any, clean: Any, restored: Any, weight: Any
    ) -> dict[str, Any]:
        with tf.GradientTape() as d_tape:
            judgement = adversary.judge(noisy, clean, restored)
            # Averaged over the global batch: Keras sums gradients over replicas.
            d_loss = tf.nn.compute_average_loss(judgement.losses, weight)
            scaled = self.d_optimizer.scale_loss(d_loss)
        variables = adversary.discriminator.trainable_variables
        self.d_optimizer.apply(d_tape.gradient(scaled, variables), variables)
        self._track("d_loss", d_loss)
        trackers = self.training_trackers
        trackers["d_right_pairs"].update_state(judgement.right, judgement.importance)
        keys = ["d_loss"]
        if not adversary.paired:
            real, fake = judgement.real_logits, judgement.fake_logits
            for key, label, own in zip(_ACCURACIES, (1.0, 0.0), (real, fake), strict=True):
                trackers[key].update_state(ops.full_like(own, label), own)
            keys += _ACCURACIES
        logs = {key: trackers[key].result() for key in keys}
        return logs | {"d_right_pairs": _mean_of_all(trackers["d_right_pairs"])}

    def _track(self, key: str, loss: Any) -> None:
        # Each replica holds its share of the global mean; Keras averages what replicas report.
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        self.training_trackers[key].update_state(loss * replicas)

    def _generator_logs(self, factors: dict[str, Any]) -> dict[str, Any]:
        """The generator's losses, and the factors that change from step to step."""
        means = {part: self.training_trackers[f"g_{part}_loss"].result() for part in factors}
        # Of the means: the graph optimizer reorders the step's own sum now and then, by one bit.
        g_loss = tf.add_n([factors[part] * mean for part, mean in means.items()])
        logs = {"g_loss": g_loss} | {f"g_{part}_loss": mean for part, mean in means.items()}
        moving = {part: factor for part, factor in factors.items() if tf.is_tensor(factor)}
        return logs | {f"g_{part}_weight": factor for part, factor in moving.items()}

    def test_step(self, data: Any) -> dict[str, Any]:
        """Measures PSNR, SSIM and MSE as users see them: clipped and rounded to 8 bits."""
        noisy, clean, weight = keras.utils.unpack_x_y_sample_weight(data)
        restored = ops.round(ops.clip(self.generator(noisy, training=False), 0.0, 1.0) * 255) / 255
        for tracker in self.quality_trackers.values():
            tracker.update_state(clean, restored, sample_weight=weight)
        means = {key: _mean_of_all(tracker) for key, tracker in self.quality_trackers.items()}
        return _reported(means)


def _check_range(images: Any, beyond: float) -> None:
    tf.debugging.assert_greater(tf.reduce_min(images), -beyond, OUT_OF_RANGE)
    tf.debugging.assert_less(tf.reduce_max(images), 1.0 + beyond, OUT_OF_RANGE)


def _mean_of_all(tracker: Any) -> Any:
    """The mean over all replicas' images, by however many each had, or however much they count."""
    context = tf.distribute.get_replica_context()
    seen = [tf.identity(tracker.total.value), tf.identity(tracker.count.value)]
    return tf.math.divide_no_nan(*context.all_reduce(tf.distribute.ReduceOp.SUM, seen))


def _reported(results: dict[str, Any]) -> dict[str, Any]:
    """Gives logs the form in which Keras takes them: it averages those of workers over axis 0."""
    strategy = tf.distribute.get_strategy()
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return results
    # It asks the logs for the device to do that on.
    with tf.device(strategy.extended.worker_devices[0]):
        return {key: ops.reshape(value, (1,)) for key, value in results.items()}
