"""The networks: functional Keras models built from small blocks.

All of them are made of Keras' own layers and operations, so a saved generator opens in any Keras 3,
with or without kerasgan installed.
"""

import contextlib
import functools

import keras
from keras import layers, ops

from kerasgan.config import DiscriminatorConfig, GeneratorConfig

# What activations cut features off at.
_LARGEST = {"relu": None, "relu6": 6.0}


def build_generator(config: GeneratorConfig, channels=1):
    """Builds the network that restores images.

    Args:
        config: the architecture and its widths.
        channels: 1 for grey, 3 for colour.

    Returns:
        A functional model from `noisy` to `restored`, both float (N, H, W, channels) in [0, 1], for
        any H and W that are multiples of `size_multiple(model)`.
    """
    builders = {"classic": _classic_generator, "selective": _selective_generator}
    return builders[config.architecture](config, channels)


def _classic_generator(config, channels):
    """The reference recipe's U-Net: one level, sigmoid output."""
    narrow, middle, wide = config.filters
    conv = {"padding": "same", "activation": config.activation}
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


def _selective_generator(config, channels):
    """A U-Net that corrects a filled-in picture where pixels may be impulses, and only there.

    The U-Net works at half resolution and below, where a convolution costs a quarter; one more at
    full resolution, beside the filled-in picture, adds the detail.
    """
    full, half, *lower = config.filters
    rectify = functools.partial(layers.ReLU, max_value=_LARGEST[config.activation])
    noisy = keras.Input((None, None, channels), name="noisy")
    certain = ops.logical_and(ops.greater(noisy, 0.0), ops.less(noisy, 1.0))
    filled = fill_gaps(noisy, certain, levels=len(config.filters) - 1)
    # The noisy picture itself tells a white or black area from noise.
    seen = layers.Concatenate()([filled, _indicator(certain, noisy), noisy])
    x = _normalize(layers.Conv2D(half, 4, strides=2, padding="same", use_bias=False)(seen))
    x = _unet(x, (half, *lower), rectify)
    x = _upsample(x, full)
    # Two convolutions, and not one of both concatenated: 8-bit integers would then have to share a
    # scale, and the picture, whose values all lie in [0, 1], would lose most.
    x = rectify()(layers.Add()([_conv_norm(x, full), _conv_norm(seen, full)]))
    # Starts at zero: the untrained network returns the filled-in picture.
    residual = layers.Conv2D(
        channels, 3, padding="same", kernel_initializer="zeros", dtype="float32", name="residual"
    )(x)
    # Clipped in this order, an 8-bit model clips and rounds while it adds, and only there.
    corrected = ops.minimum(ops.relu(filled + residual), 1.0)
    restored = ops.where(certain, noisy, corrected)
    return keras.Model(noisy, restored, name="selective_generator")


def fill_gaps(images, certain, levels=3):
    """Fills uncertain pixels with the mid-range of certain ones near them.

    A pixel takes the middle between the darkest and the brightest certain pixel of the 3×3 around
    it; where there is none, that of the 3×3 cells around it in a pyramid whose cells are 2, 4, 8 …
    pixels wide, from the first level that holds any. Means of 3×3 smooth every level. No weights
    and no division, so that it survives 8-bit integer arithmetic.

    Args:
        images: float tensor (N, H, W, C) in [0, 1]; H and W are multiples of 2 ** levels. Certain
            pixels are greater than 0 and less than 1.
        certain: boolean tensor of the same shape: whether the pixel can be trusted.
        levels: how many times the pyramid halves the picture.

    Returns:
        Float tensor of the same shape, in [0, 1]; certain pixels as they came, 0.5 where there is
        none near.

    Source: the pyramid is that of Gortler et al., The lumigraph, SIGGRAPH 1996, 3.4 (pull-push).
    """
    channels = images.shape[-1]
    # The brightest, and how far the darkest is from white: one pooling serves both.
    extremes = ops.concatenate(
        [ops.where(certain, images, 0.0), ops.where(certain, 1.0 - images, 0.0)], axis=-1
    )
    pyramid = [extremes]
    for _ in range(levels):
        pyramid.append(layers.MaxPooling2D(2, dtype="float32")(pyramid[-1]))
    filled = None
    for cells in reversed(pyramid):
        cells = layers.MaxPooling2D(3, strides=1, padding="same", dtype="float32")(cells)
        brightest, darkest = cells[..., :channels], 1.0 - cells[..., channels:]
        # Halved before they are added, which 8 bits hold without rounding twice.
        middle = 0.5 * brightest + 0.5 * darkest
        if filled is None:
            filled = middle
        else:
            # Each cell four times, side by side: twice as high and wide.
            coarser = _smooth(ops.depth_to_space(ops.concatenate([filled] * 4, axis=-1), 2))
            filled = ops.where(ops.greater(brightest, 0.0), middle, coarser)
    return ops.where(certain, images, _smooth(ops.where(certain, images, filled)))


def _smooth(x):
    return layers.AveragePooling2D(3, strides=1, padding="same", dtype="float32")(x)


def _indicator(condition, like):
    # A selection between constants: unlike a cast, it stays integer in an 8-bit model.
    return ops.where(condition, ops.ones_like(like), 0.0)


def _normalize(x):
    # After every convolution but the last: features of one size are what 8 bits can hold.
    return layers.BatchNormalization(synchronized=True)(x)


def _conv_norm(x, filters):
    return _normalize(layers.Conv2D(filters, 3, padding="same", use_bias=False)(x))


def _downsample(x, filters):
    return _normalize(layers.Conv2D(filters, 2, strides=2, use_bias=False)(x))


def _upsample(x, filters):
    return _normalize(layers.Conv2DTranspose(filters, 2, strides=2, use_bias=False)(x))


def _residual_block(x, filters, rectify):
    """He et al., Deep residual learning for image recognition, CVPR 2016."""
    y = rectify()(_conv_norm(x, filters))
    y = _conv_norm(y, filters)
    return rectify()(layers.Add()([x, y]))


def _unet(x, filters, rectify):
    """A U-Net (Ronneberger et al., MICCAI 2015) of residual blocks, whose skips are added.

    Args:
        x: features of filters[0] channels.
        filters: channels of each level, from the finest down.
        rectify: makes a ReLU.

    Returns:
        Features of filters[0] channels, at the same resolution.
    """
    *outer, bottom = filters
    skips = []
    for width, below in zip(outer, filters[1:], strict=True):
        x = _residual_block(x, width, rectify)
        skips.append(x)
        x = _downsample(x, below)
    x = _residual_block(x, bottom, rectify)
    for width, skip in zip(reversed(outer), reversed(skips), strict=True):
        x = layers.Add()([_upsample(x, width), skip])
        x = _residual_block(x, width, rectify)
    return x


@contextlib.contextmanager
def computing_in(precision):
    """Builds networks, while it lasts, that compute in fewer bits.

    What decides pixels stays float32: filling, residual, and the discriminator's logits.

    Args:
        precision: "float32", "float16" or "bfloat16".
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def in_float32(model):
    """Copies a model so that all of it computes in float32.

    Args:
        model: a functional model.

    Returns:
        A model with the same weights.
    """

    def changed(operation):
        if not isinstance(operation, layers.Layer):
            return operation
        return type(operation).from_config({**operation.get_config(), "dtype": "float32"})

    copy = keras.models.clone_model(model, clone_function=changed)
    copy.set_weights(model.get_weights())
    return copy


def size_multiple(generator):
    """The number that the height and width of a generator's input must be multiples of.

    Args:
        generator: a model from `build_generator`.

    Returns:
        The product of the strides of its transposed convolutions, 1 where it has none.
    """
    multiple = 1
    for layer in generator.layers:
        if isinstance(layer, layers.Conv2DTranspose):
            multiple *= layer.strides[0]
    return multiple


def build_discriminator(config: DiscriminatorConfig, patch_size, channels=1):
    """Builds the network that tells clean images from restored ones, given the noisy one.

    Args:
        config: its widths and dropout.
        patch_size: height and width of the images it sees.
        channels: 1 for grey, 3 for colour.

    Returns:
        A functional model from [noisy, image], float (N, patch_size, patch_size, channels) in
        [0, 1], to logits (N, 1); their sigmoid is the probability that the image is a clean one.
    """
    shape = (patch_size, patch_size, channels)
    noisy, image = keras.Input(shape, name="noisy"), keras.Input(shape, name="image")
    x = layers.Concatenate()([noisy, image])
    for level, filters in enumerate(config.filters):
        # A bias that a normalisation takes away again has no gradient but rounding errors, which
        # Adam makes steps of: replicas would drift apart.
        x = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=level == 0)(x)
        if level > 0:
            x = layers.BatchNormalization(synchronized=True)(x)
        # LeakyReLU(0.2), whose own layer trips TensorFlow's graph optimizer into printing an error.
        x = ops.maximum(x, 0.2 * x)
        x = layers.Dropout(config.dropout)(x)
    logits = layers.Dense(1, dtype="float32", name="logits")(layers.Flatten()(x))
    return keras.Model([noisy, image], logits, name="discriminator")
