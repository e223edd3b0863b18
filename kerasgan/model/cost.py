"""What a generator costs, counted from its graph."""

import math
from dataclasses import dataclass

import keras
from keras import layers

from kerasgan.model.promises import calls


@dataclass(frozen=True)
class Cost:
    """What a generator costs, whatever runs it.

    Attributes:
        weights: how many numbers it has.
        multiply_accumulates: of its convolutions, for each pixel of a picture; what pooling,
            selecting and adding cost comes on top. None where the graph does not tell.
    """

    weights: int
    multiply_accumulates: float | None


def cost(generator: keras.Model) -> Cost:
    """Counts what a generator costs.

    A convolution multiplies its whole kernel for every cell that it makes, a transposed one for
    every cell that it reads, and a cell of n × n pixels is one for n² of them.

    Args:
        generator: a model from (N, H, W, C) to the same.

    Returns:
        Its cost; of a model that is not functional, the weights alone.
    """
    weights = generator.count_params()
    if not hasattr(generator, "operations"):
        return Cost(weights, None)
    total = 0.0
    for operation, read, made in calls(generator)[0]:
        if numbers := _kernel_numbers(operation):
            field = read if isinstance(operation, layers.Conv2DTranspose) else made
            if not field.is_known:
                return Cost(weights, None)
            total += numbers / field.stride**2
    return Cost(weights, total)


def _kernel_numbers(operation: keras.Operation) -> int:
    """How many numbers there are in an operation's kernels: what has more axes than channels."""
    weights = getattr(operation, "weights", ())
    return sum(math.prod(weight.shape) for weight in weights if len(weight.shape) > 1)
