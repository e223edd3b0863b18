"""The operations that noise is made of, by NumPy and by TensorFlow, with the same results."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kerasgan.noise import philox


class Arrays(NamedTuple):
    """What a formula needs of a library, under one name in both.

    Attributes:
        array: makes an array of whatever holds numbers.
        cast: changes the type of one, to the type given.
        shape: of one.
        where: takes from one where a condition holds, from another elsewhere.
        uniform: draws float32 in [0, 1), of a shape and a seed.
    """

    array: Callable[[Any], Any]
    cast: Callable[[Any, Any], Any]
    shape: Callable[[Any], Any]
    where: Callable[[Any, Any, Any], Any]
    uniform: Callable[[Any, Any], Any]


def arrays_of(*values: Any) -> Arrays:
    """Chooses who computes: NumPy where all values are its arrays, else TensorFlow.

    Args:
        values: what a result is computed of, a seed among them.

    Returns:
        The operations.
    """
    if all(isinstance(value, np.ndarray) for value in values):
        return Arrays(np.asarray, np.asarray, np.shape, np.where, philox.uniform)
    import tensorflow as tf

    return Arrays(tf.convert_to_tensor, tf.cast, tf.shape, tf.where, tf.random.stateless_uniform)
