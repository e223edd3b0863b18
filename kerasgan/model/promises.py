"""What a generator promises, computed from its graph.

A generator is a functional Keras model, so its graph tells which input pixels an output pixel
depends on, and which of them pass through untouched. Nothing is read from names.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

_WINDOWED = (
    layers.Conv2D,
    layers.DepthwiseConv2D,
    layers.SeparableConv2D,
    layers.MaxPooling2D,
    layers.AveragePooling2D,
)
# Operations that look at one pixel alone, by their class in keras.ops or keras.layers.
_POINTWISE = frozenset(
    "Abs Absolute Activation Add BatchNormalization Cast Clip Concatenate Dropout ELU Elu Equal "
    "Exp GELU Gelu GetItem Greater GreaterEqual HardSigmoid HardSwish InputLayer Less LessEqual "
    "LeakyReLU LeakyRelu Log LogicalAnd LogicalNot LogicalOr Maximum Minimum Multiply Negative "
    "NotEqual OnesLike PReLU ReLU Relu Relu6 Rescaling Round Sigmoid Silu Softplus Split Sqrt "
    "Square Subtract Swish Tanh TrueDivide Where ZerosLike".split()
)


@dataclass(frozen=True)
class Promises:
    """What can be relied on in a generator.

    Attributes:
        multiple: what the height and width of its input must be multiples of.
        reach: how many pixels away an input pixel can be and still change an output pixel; None
            where the graph does not tell.
        certain_exact: whether values strictly between 0 and 1 come back as they came.
    """

    multiple: int
    reach: int | None
    certain_exact: bool


class Field(NamedTuple):
    """What a tensor's cell i depends on: input pixels from i · stride + first to … + last.

    Attributes:
        stride: how many pixels wide and high a cell is.
        first: of the pixels, relative to where the cell begins.
        last: of the pixels.
    """

    stride: int
    first: int
    last: int


def promises(generator: keras.Model) -> Promises:
    """Computes what a generator promises.

    Args:
        generator: a model from (N, H, W, C) to the same.

    Returns:
        Its promises; of a model that is not functional, none.
    """
    if not hasattr(generator, "operations"):
        return Promises(multiple=1, reach=None, certain_exact=False)
    of_each = fields(generator)
    known = [field for field in of_each.values() if field is not None]
    output = of_each[id(generator.output)]
    return Promises(
        multiple=math.lcm(*(field.stride for field in known)),
        reach=None if output is None else max(-output.first, output.last),
        certain_exact=_certain_exact(generator),
    )


def last_convolutions(generator: keras.Model) -> list[str]:
    """Names the layers whose output no other layer with weights reads: they make the picture.

    Args:
        generator: a model; of one that is not functional, nothing is known.

    Returns:
        Their names.
    """
    if not hasattr(generator, "operations"):
        return []
    makers = {id(tensor): op for op in generator.operations for tensor in _outputs(op)}
    found: list[str] = []
    open_ends, seen = _flat(generator.output), set()
    while open_ends:
        tensor = open_ends.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        operation = makers[id(tensor)]
        if isinstance(operation, layers.Layer) and operation.weights:
            found.append(operation.name)
        else:
            open_ends += _inputs(operation)
    return found


def fields(generator: keras.Model) -> dict[int, Field | None]:
    """Computes what the tensors of a generator depend on.

    Args:
        generator: a functional model from (N, H, W, C) to the same.

    Returns:
        The field of each tensor, by the tensor's `id`; None where the graph does not tell.
    """
    found: dict[int, Field | None] = {}
    for operation in generator.operations:
        read = [found[id(tensor)] for tensor in _inputs(operation)]
        field = _field_after(operation, _union(read)) if all(read) else None
        found |= {id(tensor): field for tensor in _outputs(operation)}
    return found


def _field_after(operation: Any, field: Field) -> Field | None:
    """What a cell that an operation makes depends on, given that for the cells it reads."""
    stride, first, last = field
    if isinstance(operation, layers.Conv2DTranspose):
        own, kernel = operation.strides[0], operation.kernel_size[0]
        before = max(kernel - own, 0) // 2
        stride //= own
        return Field(stride, first + (before - kernel + 1) * stride, last + before * stride)
    if isinstance(operation, _WINDOWED):
        pooling = hasattr(operation, "pool_size")
        window = operation.pool_size[0] if pooling else operation.kernel_size[0]
        own = operation.strides[0]
        window += (window - 1) * (getattr(operation, "dilation_rate", (1, 1))[0] - 1)
        before = max(window - own, 0) // 2 if operation.padding == "same" else 0
        return Field(own * stride, first - before * stride, last + (window - 1 - before) * stride)
    kind = type(operation).__name__
    if kind == "DepthToSpace" or (
        isinstance(operation, layers.UpSampling2D) and operation.interpolation == "nearest"
    ):
        own = operation.block_size if kind == "DepthToSpace" else operation.size[0]
        return Field(stride // own, first - (own - 1) * stride // own, last)
    if kind == "SpaceToDepth":
        own = operation.block_size
        return Field(own * stride, first, last + (own - 1) * stride)
    return field if kind in _POINTWISE else None


def _union(fields: list[Any]) -> Field:
    if not fields:
        return Field(1, 0, 0)
    strides, firsts, lasts = zip(*fields, strict=True)
    return Field(max(strides), min(firsts), max(lasts))


def _certain_exact(generator: keras.Model) -> bool:
    """Whether the output is chosen between the input, where it is certain, and something else."""
    operation = next(op for op in generator.operations if op.output is generator.output)
    if type(operation).__name__ != "Where":
        return False
    condition, chosen, _ = operation._inbound_nodes[0].arguments.args
    if chosen is not generator.input:
        return False
    levels = np.arange(1, 255, dtype=np.float32).reshape(1, 1, -1, 1) / 255
    levels = np.repeat(levels, generator.input.shape[-1], axis=-1)
    return bool(np.all(keras.Model(generator.input, condition)(levels)))


def _inputs(operation: Any) -> list[Any]:
    return [] if isinstance(operation, layers.InputLayer) else _flat(operation.input)


def _outputs(operation: Any) -> list[Any]:
    return _flat(operation.output)


def _flat(tensors: Any) -> list[Any]:
    return list(keras.tree.flatten(tensors))
