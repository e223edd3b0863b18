"""The operations that noise is made of, by NumPy and by TensorFlow, with the same results."""

import functools
import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from kerasgan.noise import philox


class Arrays(NamedTuple):
    """What a formula needs of a library, under one name in both.

    Attributes:
        array: makes an array of whatever holds numbers.
        cast: changes the type of one, to the type given.
        shape: of one.
        where: takes from one where a condition holds, from another elsewhere.
        sqrt: of each value.
        exp: of each value.
        stack: joins arrays along a new last axis.
        range: the integers from 0 to below a number.
        einsum: sums products over indices, as np.einsum writes them.
        pad: mirrors an array at its edges, by a number of values before and after each axis.
        each: applies a function to each of the arrays along the first axis.
        jpeg: what a JPEG file of an image (H, W, C) in [0, 1], of a quality of 1 to 100, holds.
        clip: cuts values off at a lowest and a highest one.
        fold_in: derives a seed from a seed and a number.
        uniform: draws float32 in [0, 1), of a shape and a seed.
        normal: draws float32 of mean 0 and variance 1, of a shape and a seed; to the accuracy of
            float32 the same.
    """

    array: Callable[[Any], Any]
    cast: Callable[[Any, Any], Any]
    shape: Callable[[Any], Any]
    where: Callable[[Any, Any, Any], Any]
    sqrt: Callable[[Any], Any]
    exp: Callable[[Any], Any]
    stack: Callable[[Any], Any]
    range: Callable[[Any], Any]
    einsum: Callable[..., Any]
    pad: Callable[[Any, Any], Any]
    each: Callable[[Callable[[Any], Any], Any], Any]
    jpeg: Callable[[Any, Any], Any]
    clip: Callable[[Any, Any, Any], Any]
    fold_in: Callable[[Any, Any], Any]
    uniform: Callable[[Any, Any], Any]
    normal: Callable[[Any, Any], Any]


def arrays_of(*values: Any) -> Arrays:
    """Chooses who computes: NumPy where all values are its arrays, else TensorFlow.

    Args:
        values: what a result is computed of, a seed among them.

    Returns:
        The operations.
    """
    if all(isinstance(value, np.ndarray) for value in values):
        return _NUMPY
    import tensorflow as tf

    return Arrays(
        array=tf.convert_to_tensor,
        cast=tf.cast,
        shape=tf.shape,
        where=tf.where,
        sqrt=tf.sqrt,
        exp=tf.exp,
        stack=functools.partial(tf.stack, axis=-1),
        range=tf.range,
        einsum=tf.einsum,
        pad=functools.partial(tf.pad, mode="symmetric"),
        each=tf.map_fn,
        # Accurate, unlike the default, which takes a level from red and one from blue.
        jpeg=lambda image, quality: tf.image.adjust_jpeg_quality(
            tf.round(255.0 * image) / 255.0, quality, dct_method="INTEGER_ACCURATE"
        ),
        clip=tf.clip_by_value,
        fold_in=lambda seed, number: tf.random.experimental.stateless_fold_in(
            tf.cast(seed, tf.int64), tf.cast(number, tf.int64)
        ),
        uniform=tf.random.stateless_uniform,
        normal=tf.random.stateless_normal,
    )


def _jpeg(image: Any, quality: Any) -> Any:
    file = io.BytesIO()
    pixels = np.rint(255.0 * image).astype(np.uint8)
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(
        file, "JPEG", quality=int(quality)
    )
    return (np.asarray(Image.open(file), np.float32) / 255.0).reshape(image.shape)


def per_image(of: Arrays, level: Any) -> Any:
    """Gives levels of images, (...), the shape that goes with their values, (..., 1, 1, 1)."""
    return of.cast(level, np.float32)[..., None, None, None]


def compressed(of: Arrays, pictures: Any, quality: Any) -> Any:
    """Takes pictures, (..., H, W, C) in [0, 1], each by itself through a JPEG of a quality."""
    if len(pictures.shape) == 3:
        return of.jpeg(pictures, quality)
    return of.each(lambda inner: compressed(of, inner, quality), pictures)


_NUMPY = Arrays(
    array=np.asarray,
    cast=np.asarray,
    shape=np.shape,
    where=np.where,
    sqrt=np.sqrt,
    exp=np.exp,
    stack=functools.partial(np.stack, axis=-1),
    range=np.arange,
    einsum=functools.partial(np.einsum, optimize=True),
    pad=functools.partial(np.pad, mode="symmetric"),
    each=lambda function, arrays: np.stack([function(array) for array in arrays]),
    jpeg=_jpeg,
    clip=np.clip,
    fold_in=philox.fold_in,
    uniform=philox.uniform,
    normal=philox.normal,
)
