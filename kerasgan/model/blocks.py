"""What the networks are built from."""

from collections.abc import Callable, Sequence
from typing import Any

from keras import layers

Rectifier = Callable[[], layers.Layer]
Block = Callable[[Any, int, Rectifier], Any]


def residual_block(x: Any, filters: int, rectify: Rectifier) -> Any:
    """Two convolutions and what they are given, added.

    Args:
        x: features (N, H, W, filters).
        filters: how many there are.
        rectify: makes a ReLU.

    Returns:
        Features of the same shape.

    Source: He et al., Deep residual learning for image recognition, CVPR 2016.
    """
    y = rectify()(conv_norm(x, filters))
    y = conv_norm(y, filters)
    return rectify()(layers.Add()([x, y]))


def unet(
    x: Any, filters: Sequence[int], rectify: Rectifier, block: Block, decoder_blocks: int = 1
) -> Any:
    """A U-Net (Ronneberger et al., MICCAI 2015) whose skips are added.

    Args:
        x: features of filters[0] channels.
        filters: channels of each level, from the finest down.
        rectify: makes a ReLU.
        block: from features, their number and `rectify` to as many features.
        decoder_blocks: how many of them follow each other at each level on the way up.

    Returns:
        Features of filters[0] channels, at the same resolution.
    """
    *outer, bottom = filters
    skips = []
    for width, below in zip(outer, filters[1:], strict=True):
        x = block(x, width, rectify)
        skips.append(x)
        x = downsample(x, below)
    x = block(x, bottom, rectify)
    for width, skip in zip(reversed(outer), reversed(skips), strict=True):
        x = layers.Add()([upsample(x, width), skip])
        for _ in range(decoder_blocks):
            x = block(x, width, rectify)
    return x


def upsample(x: Any, filters: int) -> Any:
    """Doubles the resolution and normalises."""
    return normalize(layers.Conv2DTranspose(filters, 2, strides=2, use_bias=False)(x))


def downsample(x: Any, filters: int) -> Any:
    """Halves the resolution and normalises."""
    return normalize(layers.Conv2D(filters, 2, strides=2, use_bias=False)(x))


def conv_norm(x: Any, filters: int, **options: Any) -> Any:
    """Convolves 3×3, with options of Keras' layer, and normalises."""
    return normalize(layers.Conv2D(filters, 3, padding="same", use_bias=False, **options)(x))


def normalize(x: Any) -> Any:
    """Normalises features: those of one size are what 8 bits can hold."""
    return layers.BatchNormalization(synchronized=True)(x)
