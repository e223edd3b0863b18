"""Networks that tell clean images from restored ones."""

from typing import Any

import keras
from keras import layers, ops

from kerasgan.config import DiscriminatorConfig
from kerasgan.noise.base import Noise


@keras.saving.register_keras_serializable(package="kerasgan")
class SpectralConv2D(layers.Conv2D):
    """A convolution whose kernel, as a matrix, is divided by its largest singular value.

    A kernel (height, width, in, out) is a matrix of height · width · in rows. The value is followed
    by one step of power iteration a call in training, and gradients pass through the division;
    Keras' `SpectralNormalization` overwrites the kernel instead, behind its optimizer's back.

    Source: Miyato et al., Spectral normalization for generative adversarial networks, ICLR 2018.
    """

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.direction = self.add_weight(
            name="direction",
            shape=(1, self.filters),
            initializer="random_normal",
            dtype="float32",
            trainable=False,
            aggregation="only_first_replica",
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        matrix = ops.reshape(ops.cast(self.kernel, "float32"), (-1, self.filters))
        left = ops.normalize(ops.matmul(self.direction, ops.transpose(matrix)))
        right = ops.normalize(ops.matmul(left, matrix))
        left, right = ops.stop_gradient(left), ops.stop_gradient(right)
        if training:
            self.direction.assign(right)
        largest = ops.sum(ops.matmul(left, matrix) * right)
        kernel = ops.reshape(matrix / largest, self.kernel.shape)
        outputs = self.convolution_op(inputs, ops.cast(kernel, inputs.dtype))
        return outputs + ops.cast(self.bias, inputs.dtype)

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        store["direction"] = self.direction

    def load_own_variables(self, store: Any) -> None:
        super().load_own_variables(store)
        self.direction.assign(store["direction"])


def build_discriminator(
    config: DiscriminatorConfig, patch_size: int, channels: int = 1, noise: Noise | None = None
) -> keras.Model:
    """Builds the network that tells clean images from restored ones, given the noisy one.

    Args:
        config: its architecture and widths.
        patch_size: height and width of the images it sees.
        channels: 1 for grey, 3 for colour.
        noise: by whose suspects "patch" is told what is certain; None takes nothing for certain.

    Returns:
        A functional model from [noisy, image], float (N, patch_size, patch_size, channels) in
        [0, 1], to logits (N, 1) or, of "patch", (N, h, w, 1); their sigmoid is the probability that
        the image is a clean one.
    """
    shape = (patch_size, patch_size, channels)
    noisy, image = keras.Input(shape, name="noisy"), keras.Input(shape, name="image")
    if config.architecture == "classic":
        logits = _classic(config, noisy, image)
    else:
        logits = _patch(config, noisy, image, noise)
    return keras.Model([noisy, image], logits, name="discriminator")


def _classic(
    config: DiscriminatorConfig, noisy: keras.KerasTensor, image: keras.KerasTensor
) -> keras.KerasTensor:
    """The reference recipe's: strided convolutions, batch normalisation, dropout, one logit."""
    x = layers.Concatenate()([noisy, image])
    for level, filters in enumerate(config.filters):
        # A bias that a normalisation takes away again has no gradient but rounding errors, which
        # Adam makes steps of: replicas would drift apart.
        x = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=level == 0)(x)
        if level > 0:
            x = layers.BatchNormalization(synchronized=True)(x)
        x = _leaky(x)
        x = layers.Dropout(config.dropout)(x)
    return layers.Dense(1, dtype="float32", name="logits")(layers.Flatten()(x))


def _patch(
    config: DiscriminatorConfig,
    noisy: keras.KerasTensor,
    image: keras.KerasTensor,
    noise: Noise | None,
) -> keras.KerasTensor:
    """Full resolution first, no normalisation, a logit for every cell, and told what is certain.

    Raw impulses of 0 and 1 beside the image would drown what sets the two apart, and a strided
    first layer would lose the high frequencies in which they differ.

    Only the layers between the first and the last can be limited in their norm.

    Source: the logits are PatchGAN's (Isola et al., CVPR 2017).
    """
    if noise is None:
        certain = ops.zeros_like(noisy)
    else:
        certain = ops.cast(ops.logical_not(noise.suspects(noisy)), noisy.dtype)
    seen = [2.0 * image - 1.0, certain * (2.0 * noisy - 1.0), certain]
    first, *deeper = config.filters
    x = _leaky(_conv(first, 3)(layers.Concatenate()(seen)))
    inner = _spectral if config.spectral_norm else _conv
    for filters in deeper:
        x = _leaky(inner(filters, 4, strides=2)(x))
        x = _leaky(inner(filters, 3)(x))
    return _conv(1, 3, dtype="float32", name="logits")(x)


def _conv(filters: int, size: int, **options: Any) -> layers.Layer:
    return layers.Conv2D(filters, size, padding="same", kernel_initializer="he_normal", **options)


def _spectral(filters: int, size: int, **options: Any) -> layers.Layer:
    # All singular values alike from the start, so that the largest is known after one step.
    return SpectralConv2D(filters, size, padding="same", kernel_initializer="orthogonal", **options)


def _leaky(x: keras.KerasTensor) -> keras.KerasTensor:
    # LeakyReLU(0.2), whose own layer trips TensorFlow's graph optimizer into printing an error.
    return ops.maximum(x, 0.2 * x)
