"""Training with the rounding that an 8-bit file will do."""

import keras
import tensorflow as tf
from keras import layers, ops

from kerasgan.graph import Graph

# What an 8-bit file keeps in memory, unless a ReLU that alone reads it is computed with it.
_ROUNDED = (layers.Add, layers.BatchNormalization, layers.ReLU)


def rounding_to_8_bits(generator):
    """Copies a generator, so that training feels the 8 bits of features.

    Args:
        generator: a functional model.

    Returns:
        A model of the same weights, in the same order, which rounds when it is called with
        `training=True` alone.

    Source: Jacob et al., Quantization and training of neural networks for efficient
    integer-arithmetic-only inference, CVPR 2018, 3; ranges are those of the batch.
    """
    graph = Graph(generator)
    rounded = {
        graph.maker(tensor).name
        for tensor in graph.tensors
        if type(graph.maker(tensor)) in _ROUNDED and not graph.within_relu(tensor)
    }

    def rounding(operation, *args, **kwargs):
        values = operation(*args, **kwargs)
        return RoundTo8Bits()(values) if operation.name in rounded else values

    copy = keras.models.clone_model(generator, call_function=rounding)
    copy.set_weights(generator.get_weights())
    return copy


@keras.saving.register_keras_serializable(package="kerasgan")
class RoundTo8Bits(layers.Layer):
    """Rounds to 256 levels between the extremes of a batch, in training; passes gradients on."""

    def call(self, values, training=False):
        if not training:
            return values
        values32 = ops.cast(values, "float32")
        # A range holds zero, exactly, and is not empty.
        low = ops.minimum(ops.min(values32), 0.0)
        high = ops.maximum(ops.max(values32), 1e-6)
        rounded = tf.quantization.fake_quant_with_min_max_vars(
            values32, tf.stop_gradient(low), tf.stop_gradient(high)
        )
        return ops.cast(rounded, values.dtype)
