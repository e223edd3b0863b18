"""The optimizers that a configuration names."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasgan.config import OptimizerConfig, Precision

# What the learning rate of Muon's matrices is multiplied by for everything that is none.
_ADAM_RATE = 0.3
# Of Muon's matrices: normalisation hides how large they grow, but 8-bit arithmetic does not.
_WEIGHT_DECAY = 0.1
# What losses are multiplied by, and gradients divided by, where float16 would round small gradients
# to zero. A constant: a factor that is searched for while training skips steps.
_FLOAT16_LOSS_SCALE = 2.0**12


@keras.saving.register_keras_serializable(package="kerasgan")
class Muon(keras.optimizers.Muon):
    """Muon for convolutions: kernels are orthogonalised as matrices, the rest is left to Adam.

    Keras' own optimizer does so for matrices alone. A kernel (height, width, in, out) is one of
    height · width · in rows; biases, scales and layers in `exclude_layers` get Adam.

    Source: Jordan et al., Muon: an optimizer for hidden layers in neural networks, 2024,
    https://kellerjordan.github.io/posts/muon; scaled as in Liu et al., arXiv 2502.16982.
    """

    def _should_use_adamw(self, variable: Any) -> bool:
        excluded = not {*self.exclude_layers}.isdisjoint(variable.path.split("/"))
        return len(variable.shape) != 4 or excluded

    def _muon_update_step(self, gradient: Any, variable: Any, lr: Any, m: Any) -> None:
        self.assign_add(m, gradient + m * (self.momentum - 1))
        direction = gradient + self.momentum * m if self.nesterov else m
        matrix = ops.reshape(direction, (-1, variable.shape[-1]))
        update = self.zeropower_via_newtonschulz5(matrix, self.ns_steps)
        scale = self.rms_rate * max(matrix.shape) ** 0.5
        self.assign_sub(variable, ops.reshape(lr * scale * update, variable.shape))


def build_optimizer(
    config: OptimizerConfig,
    total_steps: int | None = None,
    precision: Precision = "float32",
    left_to_adam: Sequence[str] = (),
) -> keras.optimizers.Optimizer:
    """Builds an optimizer.

    Args:
        config: its settings.
        total_steps: steps of the whole run, over which a "cosine" schedule falls to zero; None
            keeps the rate constant.
        precision: what the network computes in: "float32", "float16" or "bfloat16".
        left_to_adam: layers whose kernels Muon leaves to Adam, since they are no maps between
            features; see `promises.last_convolutions`.

    Returns:
        A Keras optimizer.
    """
    rate = config.learning_rate
    if config.schedule == "cosine" and total_steps:
        rate = keras.optimizers.schedules.CosineDecay(rate, total_steps)
    common = {
        "loss_scale_factor": _FLOAT16_LOSS_SCALE if precision == "float16" else None,
        "use_ema": config.ema_momentum is not None,
        "ema_momentum": config.ema_momentum or 0.99,
    }
    if config.algorithm == "adam":
        return keras.optimizers.Adam(rate, config.beta_1, config.beta_2, **common)
    return Muon(
        rate,
        adam_beta_1=config.beta_1,
        adam_beta_2=config.beta_2,
        adam_lr_ratio=_ADAM_RATE,
        weight_decay=_WEIGHT_DECAY,
        adam_weight_decay=None,
        exclude_layers=list(left_to_adam),
        **common,
    )
