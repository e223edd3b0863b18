"""Other parts that `selective` could be made of, for benchmarks/model_search.py to try."""

import keras
from keras import layers, ops

from kerasgan.model.blocks import conv_norm, normalize

SELECTIVE_SIZES = range(3, 17, 2)


def gated_block(x, filters, rectify):
    """A residual block whose first convolution is gated.

    Source: Yu et al., Free-form image inpainting with gated convolution, ICCV 2019.
    """
    gate = ops.sigmoid(layers.Conv2D(filters, 3, padding="same")(x))
    y = rectify()(conv_norm(x, filters)) * gate
    return rectify()(layers.Add()([x, conv_norm(y, filters)]))


def naf_block(x, filters, _rectify):
    """NAFNet's block, with batch normalisation and without attention to the picture's mean.

    Both would need operators, or a view of the whole picture, that tiles in 8 bits do not have.
    Twice, since one costs less than half of a residual block.

    Source: Chen et al., Simple baselines for image restoration, ECCV 2022.
    """
    for _ in range(2):
        y = layers.Conv2D(2 * filters, 1)(normalize(x))
        y = layers.DepthwiseConv2D(3, padding="same")(y)
        x = layers.Add()([x, layers.Conv2D(filters, 1)(_half_times_half(y))])
        y = layers.Conv2D(2 * filters, 1)(normalize(x))
        x = layers.Add()([x, layers.Conv2D(filters, 1)(_half_times_half(y))])
    return x


def _half_times_half(x):
    one, other = ops.split(x, 2, axis=-1)
    return one * other


@keras.saving.register_keras_serializable(package="benchmarks")
class SelectiveConvolution(layers.Layer):
    """Gives a suspect, 0, the weighted mean of what is known near it, if that is enough.

    It takes and gives pictures (N, H, W, 1) in [0, 1].

    Source: Rafiee & Farhang, Applied Soft Computing 145 (2023).
    """

    def __init__(self, size):
        super().__init__()
        self.size = size

    def build(self, shape):
        self.kernel = self.add_weight(shape=(self.size, self.size, 1, 1), initializer="ones")

    def call(self, image):
        known = ops.cast(ops.not_equal(image, 0.0), image.dtype)
        weight = ops.conv(known, self.kernel, padding="same")
        mean = ops.conv(image, self.kernel, padding="same") / ops.where(
            ops.equal(weight, 0.0), 1.0, weight
        )
        count = ops.conv(known, ops.ones_like(self.kernel), padding="same")
        enough = ops.cast(count >= self.size - 2, image.dtype)
        return image + (1.0 - known) * enough * mean


def selective_fill(images, certain, levels=3):
    """SeConvNet's seven convolutions in the place of `filling.fill_gaps`: a filling that learns.

    They are partial convolutions (Liu et al., ECCV 2018) of one channel, which pass on what is
    known by now.
    """
    filled = ops.where(certain, images, 0.0)
    for size in SELECTIVE_SIZES:
        filled = SelectiveConvolution(size)(filled)
    return filled
