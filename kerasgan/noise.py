"""Noise models: pure, seeded tensor functions that work eagerly, in graphs and in tf.data."""

import tensorflow as tf


def _check_share(name, value):
    if isinstance(value, (int, float)) and not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} must be in [0, 1], got {value}")


def salt_and_pepper(images, amount, *, salt_vs_pepper=0.5, seed):
    """Replaces a random share of the pixels by black or white.

    Every pixel is drawn on its own; all channels of a pixel change together.

    Args:
        images: float tensor (..., H, W, C) in [0, 1].
        amount: share of pixels replaced, in [0, 1]; a scalar, or one per image, of shape (...).
        salt_vs_pepper: share of the replaced pixels that turn white, in [0, 1].
        seed: int tensor (2,); the same seed gives the same noise.

    Returns:
        Float tensor of the same shape, in [0, 1].

    Raises:
        ValueError: if `amount` or `salt_vs_pepper` is a number outside [0, 1], or the images are
            no floats.

    Source: Gonzalez & Woods, Digital Image Processing, section 5.2.

    Example:
        >>> noisy = salt_and_pepper(clean, 0.15, seed=(1, 2))
    """
    _check_share("amount", amount)
    _check_share("salt_vs_pepper", salt_vs_pepper)
    images = tf.convert_to_tensor(images)
    if not images.dtype.is_floating:
        raise ValueError(f"images must be float in [0, 1], got {images.dtype.name}")
    # One draw decides both: below `amount` the pixel is replaced, and where below says by what.
    draw = tf.random.stateless_uniform(tf.shape(images)[:-1], seed)[..., tf.newaxis]
    amount = tf.cast(amount, draw.dtype)[..., tf.newaxis, tf.newaxis, tf.newaxis]
    impulse = tf.cast(draw < amount * salt_vs_pepper, images.dtype)
    return tf.where(draw < amount, impulse, images)
