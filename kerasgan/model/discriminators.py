"""Networks that tell clean images from restored ones."""

from typing import Any

import keras
from keras import layers, ops

from kerasgan.config import DiscriminatorConfig
from kerasgan.noise.base import Noise


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

    Source: the logits are PatchGAN's (Isola et al., CVPR 2017); the norm, of the layers between the
    first and the last, is that of Miyato et al., Spectral normalization for generative adversarial
    networks, ICLR 2018.
    """
    if noise is None:
        certain = ops.zeros_like(noisy)
    else:
        certain = ops.cast(ops.logical_not(noise.suspects(noisy)), noisy.dtype)
    seen = [2.0 * image - 1.0, certain * (2.0 * noisy - 1.0), certain]
    first, *deeper = config.filters
    x = _leaky(_conv(first, 3)(layers.Concatenate()(seen)))
    limited = layers.SpectralNormalization if config.spectral_norm else lambda layer: layer
    for filters in deeper:
        x = _leaky(limited(_conv(filters, 4, strides=2))(x))
        x = _leaky(limited(_conv(filters, 3))(x))
    return _conv(1, 3, dtype="float32", name="logits")(x)


def _conv(filters: int, size: int, **options: Any) -> layers.Layer:
    return layers.Conv2D(filters, size, padding="same", kernel_initializer="he_normal", **options)


def _leaky(x: keras.KerasTensor) -> keras.KerasTensor:
    # LeakyReLU(0.2), whose own layer trips TensorFlow's graph optimizer into printing an error.
    return ops.maximum(x, 0.2 * x)
