"""Batch normalization: by the one operation of TensorFlow, and the first statistics of new ones."""

import functools
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
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


def settle_statistics(network: keras.Model, batches: Iterable[Any]) -> None:
    """Gives normalizations that have seen nothing the statistics of what they would see.

    A trained network that was given new blocks needs them where statistics are kept, as
    `frozen_statistics` keeps them: features are wide, and a block that adds what it makes of them
    as they are does harm at first, and learns to be silent for good. What never changes, as behind
    a kernel of zeros, is left as it is.

    Args:
        network: a functional model whose features are (N, H, W, C). New blocks do not see each
            other's output.
        batches: iterable of its inputs, (N, H, W, C).
    """
    new = [
        layer
        for layer in network.layers
        if type(layer) is keras.layers.BatchNormalization
        and not np.any(layer.moving_mean)
        and np.all(np.equal(layer.moving_variance, 1.0))
    ]
    if not new:
        return
    observer = keras.Model(network.input, [layer.input for layer in new])

    @tf.function
    def moments(batch: Any) -> Any:
        seen = keras.tree.flatten(observer(batch, training=False))
        return [tf.nn.moments(tf.cast(features, tf.float32), (0, 1, 2)) for features in seen]

    found = [moments(batch) for batch in batches]
    for layer, own in zip(new, zip(*found, strict=True), strict=True):
        means, variances = (np.stack(parts) for parts in zip(*own, strict=True))
        variance = variances.mean(axis=0) + means.var(axis=0)
        if np.all(variance > 0.0):
            layer.moving_mean.assign(means.mean(axis=0))
            layer.moving_variance.assign(variance)


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
