"""Batch normalization by the one operation that TensorFlow has for it; Keras takes a dozen."""

import functools
from typing import Any

import keras
import tensorflow as tf

# What the operation computes with; scale and offset are float32.
_TYPES = ("float16", "bfloat16", "float32")


def fuse_normalizations(network: keras.Model) -> None:
    """Has a network's normalizations compute by one operation while they learn.

    They stay Keras' own layers, are saved as such, and answer the same up to rounding. Over several
    replicas, whose statistics have to meet, Keras computes on.

    Args:
        network: a model whose features are (N, H, W, C).
    """
    for layer in network.layers:
        if type(layer) is keras.layers.BatchNormalization and _is_usual(layer):
            layer.call = functools.partial(_normalized, layer)


def _is_usual(layer: Any) -> bool:
    whole = layer.scale and layer.center and not layer.renorm
    computable = layer.variable_dtype == "float32" and layer.compute_dtype in _TYPES
    return layer.input_spec.ndim == 4 and layer.axis in (-1, 3) and whole and computable


def _normalized(layer: Any, inputs: Any, training: Any = None, mask: Any = None) -> Any:
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    if not training or not layer.trainable or mask is not None or replicas > 1:
        return keras.layers.BatchNormalization.call(layer, inputs, training=training, mask=mask)
    normalized, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=layer.gamma,
        offset=layer.beta,
        mean=(),
        variance=(),
        epsilon=layer.epsilon,
        is_training=True,
    )
    # Keras' moving variance is that of the batch, not the estimate of what it was drawn from.
    count = tf.cast(tf.size(inputs) // inputs.shape[-1], variance.dtype)
    for moving, now in (
        (layer.moving_mean, mean),
        (layer.moving_variance, variance * (count - 1.0) / count),
    ):
        moving.assign(moving * layer.momentum + now * (1.0 - layer.momentum))
    return normalized
