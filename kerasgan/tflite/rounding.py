"""Rounding kernels to 8 bits so that their errors make up for each other."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasgan.images.pixels import Pixels

_ROWS = 20_000
_LEVELS = 127
# Of the mean square of a layer's inputs: what keeps its matrix invertible.
_DAMPING = 0.01


def round_kernels(generator: keras.Model, pictures: Sequence[Pixels]) -> keras.Model:
    """Copies a generator, with the kernels of its convolutions at the values that 8 bits hold.

    Each output channel has a scale of its own, which the converter finds again. Weights are rounded
    one after the other; what one is off by, the ones after it make up for, as far as the inputs
    that the layer sees in the pictures allow. Rounding to the nearest value instead costs most in
    the first layer at full resolution, whose weights nearly cancel on areas of one brightness.

    Args:
        generator: a functional Keras model.
        pictures: list of float32 (height, width, C) in [0, 1].

    Returns:
        A model of the same architecture.

    Source: Frantar et al., GPTQ: accurate post-training quantization for generative pre-trained
    transformers, ICLR 2023, with one group for each output channel.
    """
    rounded = keras.models.clone_model(generator)
    rounded.set_weights(generator.get_weights())
    layers = [layer for layer in generator.layers if type(layer) is keras.layers.Conv2D]
    observer = keras.Model(generator.input, [layer.input for layer in layers])
    rows: list[list[Pixels]] = [[] for _ in layers]
    for picture in pictures:
        seen = observer(picture[np.newaxis])
        for layer, values, own in zip(layers, seen, rows, strict=True):
            own.append(_rows(layer, values, _ROWS // len(pictures)))
    for layer, own in zip(layers, rows, strict=True):
        kernel = layer.kernel.numpy()
        matrix = kernel.reshape(-1, kernel.shape[-1]).astype(np.float64)
        values = _rounded(matrix, np.concatenate(own).astype(np.float64))
        rounded.get_layer(layer.name).kernel.assign(values.reshape(kernel.shape))
    return rounded


def _rows(layer: keras.layers.Conv2D, seen: Any, most: int) -> Pixels:
    """The inputs that a kernel is multiplied with, one position per row, `most` at random."""
    size, stride = layer.kernel_size, layer.strides
    patches = tf.image.extract_patches(
        seen, (1, *size, 1), (1, *stride, 1), (1, 1, 1, 1), layer.padding.upper()
    )
    rows = patches.numpy().reshape(-1, patches.shape[-1])
    return np.random.default_rng(0).choice(rows, min(len(rows), most), replace=False)


def _rounded(matrix: Pixels, rows: Pixels) -> Pixels:
    """Rounds a matrix (inputs, outputs), column by column to a grid of its own."""
    square = rows.T @ rows / len(rows)
    square += (_DAMPING * np.mean(np.diag(square)) + 1e-9) * np.eye(len(square))
    inverse = np.linalg.cholesky(np.linalg.inv(square)).T
    largest = np.abs(matrix).argmax(axis=0)
    scales = np.maximum(np.abs(matrix).max(axis=0), 1e-12) / _LEVELS
    left, result = matrix.copy(), np.empty_like(matrix)
    for index, row in enumerate(left):
        levels = np.clip(np.rint(row / scales), -_LEVELS, _LEVELS)
        # The largest of a column stays where it is: it is what the converter finds the scale by.
        levels = np.where(largest == index, np.rint(matrix[index] / scales), levels)
        result[index] = levels * scales
        error = (row - result[index]) / inverse[index, index]
        left[index + 1 :] -= np.outer(inverse[index, index + 1 :], error)
    return result
