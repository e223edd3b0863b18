"""Networks that restore images: functional Keras models built from small blocks.

All of them are made of Keras' own layers and operations, so a saved generator opens in Keras 3 on
TensorFlow, with or without kerasgan installed.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import layers, ops

from kerasgan.config import Activation, GeneratorConfig
from kerasgan.model.blocks import Block, conv_norm, normalize, residual_block, unet, upsample
from kerasgan.model.filling import fill_gaps

# The layer that says how likely each value is noise, as logits.
GATE = "noise"
# What activations cut features off at.
_LARGEST = {"relu": None, "relu6": 6.0}
# Its logit before training: a share near 1, so that what is corrected teaches the network.
_OPEN = 3.0


def build_generator(config: GeneratorConfig, channels: int = 1) -> keras.Model:
    """Builds the network that restores images.

    Args:
        config: the architecture and its widths.
        channels: 1 for grey, 3 for colour.

    Returns:
        A functional model from `noisy` to `restored`, both float (N, H, W, channels) in [0, 1], for
        any H and W that are multiples of `promises(model).multiple`.
    """
    builders = {
        "classic": build_classic,
        "selective": build_selective,
        "residual": build_residual,
    }
    options: dict[str, Any] = {"channels": channels, "activation": config.activation}
    if config.detail:
        options["detail"] = config.detail
    if config.gated:
        options["gated"] = True
    if config.decoder_blocks > 1:
        options["decoder_blocks"] = config.decoder_blocks
    return builders[config.architecture](config.filters, **options)


def build_classic(
    filters: Sequence[int], *, channels: int = 1, activation: Activation = "relu"
) -> keras.Model:
    """Builds the reference recipe's U-Net: one level, sigmoid output.

    Args:
        filters: channels at full resolution, at half of it, and of the bottleneck.
        channels: 1 for grey, 3 for colour.
        activation: of every convolution but the last.

    Returns:
        As `build_generator`.
    """
    narrow, middle, wide = filters
    conv = {"padding": "same", "activation": activation}
    noisy = keras.Input((None, None, channels), name="noisy")
    encoded = layers.Conv2D(narrow, 3, **conv)(noisy)
    x = layers.Conv2D(middle, 3, strides=2, **conv)(encoded)
    x = layers.Conv2D(wide, 3, **conv)(x)
    x = layers.Conv2DTranspose(middle, 3, strides=2, **conv)(x)
    x = layers.Concatenate()([x, encoded])
    x = layers.Conv2D(narrow, 3, **conv)(x)
    restored = layers.Conv2D(
        channels, 3, padding="same", activation="sigmoid", dtype="float32", name="restored"
    )(x)
    return keras.Model(noisy, restored, name="classic_generator")


def build_selective(
    filters: Sequence[int],
    *,
    channels: int = 1,
    activation: Activation = "relu",
    detail: int = 0,
    gated: bool = False,
    decoder_blocks: int = 1,
    block: Block = residual_block,
    fill: Callable[[Any, Any, int], Any] = fill_gaps,
) -> keras.Model:
    """Builds a U-Net that corrects a filled-in picture where pixels may be impulses, only there.

    The U-Net works at half resolution and below, where a convolution costs a quarter; one more at
    full resolution, beside the filled-in picture, adds the detail.

    Args:
        filters: channels of each level, from full resolution down; the last is the bottleneck.
        channels: 1 for grey, 3 for colour.
        activation: what activations cut features off at.
        detail: channels inside a residual block at full resolution, before the last convolution:
            what draws fine lines; 0 for none. It starts as doing nothing, so that a trained network
            can be given one.
        gated: whether the network also says how likely each value is noise, and changes it by that
            much: what is black or white on purpose can then come back as it came.
        decoder_blocks: how many blocks each level has on the way up.
        block: what each level of the U-Net is made of.
        fill: what fills the gaps, called as `fill_gaps`.

    Returns:
        As `build_generator`.
    """
    noisy = keras.Input((None, None, channels), name="noisy")
    certain = ops.logical_and(ops.greater(noisy, 0.0), ops.less(noisy, 1.0))
    filled = fill(noisy, certain, len(filters) - 1)
    # The noisy picture itself tells a white or black area from noise.
    seen = layers.Concatenate()([filled, _indicator(certain, noisy), noisy])
    features = _features(seen, filters, activation, detail, decoder_blocks, block)
    # Clipped in this order, an 8-bit model clips and rounds while it adds, and only there.
    corrected = ops.minimum(ops.relu(filled + _head(features, channels, "residual")), 1.0)
    if gated:
        corrected = _gated(noisy, corrected, features)
    restored = ops.where(certain, noisy, corrected)
    return keras.Model(noisy, restored, name="selective_generator")


def build_residual(
    filters: Sequence[int],
    *,
    channels: int = 1,
    activation: Activation = "relu",
    detail: int = 0,
    gated: bool = False,
    decoder_blocks: int = 1,
) -> keras.Model:
    """Builds a U-Net that corrects every pixel: for noise that spares none.

    Args:
        filters: as of `build_selective`.
        channels: 1 for grey, 3 for colour.
        activation: what activations cut features off at.
        detail: as of `build_selective`.
        gated: as of `build_selective`.
        decoder_blocks: as of `build_selective`.

    Returns:
        As `build_generator`.

    Source: Zhang et al., Beyond a Gaussian denoiser, TIP 2017, for the residual; the same, FFDNet,
    TIP 2018, for half the resolution.
    """
    noisy = keras.Input((None, None, channels), name="noisy")
    features = _features(noisy, filters, activation, detail, decoder_blocks, residual_block)
    restored = ops.minimum(ops.relu(noisy + _head(features, channels, "residual")), 1.0)
    if gated:
        restored = _gated(noisy, restored, features)
    return keras.Model(noisy, restored, name="residual_generator")


def _features(
    seen: Any,
    filters: Sequence[int],
    activation: Activation,
    detail: int,
    decoder_blocks: int,
    block: Block,
) -> Any:
    """What a U-Net knows of each pixel, (N, H, W, filters[0]), by what it sees."""
    full, half, *lower = filters
    rectify = functools.partial(layers.ReLU, max_value=_LARGEST[activation])
    x = normalize(layers.Conv2D(half, 4, strides=2, padding="same", use_bias=False)(seen))
    x = unet(x, (half, *lower), rectify, block, decoder_blocks)
    x = upsample(x, full)
    # Two convolutions, and not one of both concatenated: 8-bit integers would then have to share a
    # scale, and the picture, whose values all lie in [0, 1], would lose most.
    x = rectify()(layers.Add()([conv_norm(x, full), conv_norm(seen, full)]))
    if detail:
        y = rectify()(conv_norm(x, detail))
        y = conv_norm(y, full, kernel_initializer="zeros")
        x = rectify()(layers.Add()([x, y]))
    return x


def _head(features: Any, channels: int, name: str, bias: float = 0.0) -> Any:
    """Reads values of each pixel out of features: the bias alone before training."""
    return layers.Conv2D(
        channels,
        3,
        padding="same",
        kernel_initializer="zeros",
        bias_initializer=keras.initializers.Constant(bias),
        dtype="float32",
        name=name,
    )(features)


def _gated(noisy: Any, corrected: Any, features: Any) -> Any:
    """Changes each value by as much as the network takes it for noise."""
    noise = ops.sigmoid(_head(features, noisy.shape[-1], GATE, _OPEN))
    return noisy + noise * (corrected - noisy)


def _indicator(condition: Any, like: Any) -> Any:
    # A selection between constants: unlike a cast, it stays integer in an 8-bit model.
    return ops.where(condition, ops.ones_like(like), 0.0)
