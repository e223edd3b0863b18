"""What networks compute in."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import layers

from kerasgan.config import Precision


@contextlib.contextmanager
def computing_in(precision: Precision) -> Iterator[None]:
    """Builds networks, while it lasts, that compute in fewer bits.

    What decides pixels stays float32: filling, residual, and the discriminator's logits.

    Args:
        precision: "float16" or "bfloat16"; "float32" leaves it to Keras' global policy.
    """
    before = keras.config.dtype_policy()
    if precision != "float32":
        keras.config.set_dtype_policy(f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def in_float32(model: keras.Model) -> keras.Model:
    """Copies a model so that all of it computes in float32.

    Args:
        model: a functional model.

    Returns:
        A model with the same weights.
    """

    def changed(operation: Any) -> Any:
        if not isinstance(operation, layers.Layer):
            return operation
        return type(operation).from_config({**operation.get_config(), "dtype": "float32"})

    copy = keras.models.clone_model(model, clone_function=changed)
    copy.set_weights(model.get_weights())
    return copy
