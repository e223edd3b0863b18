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
# What these have a value of for the height and one for the width.
_OF_BOTH_AXES = ("kernel_size", "pool_size", "strides", "dilation_rate", "size")
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
        stride: how many pixels wide and high a cell is, as far as the graph tells.
        first: of the pixels, relative to where the cell begins; infinite where it does not tell.
        last: of the pixels, likewise.
    """

    stride: int
    first: float
    last: float

    @property
    def is_known(self) -> bool:
        """Whether the graph tells."""
        return math.isfinite(self.first)


class Call(NamedTuple):
    """One call of an operation in a graph, those of nested models included.

    Attributes:
        operation: what is called.
        read: what the cells that it reads depend on.
        made: what those that it makes do.
    """

    operation: Any
    read: Field
    made: Field


# What a pixel of the picture itself depends on.
_PIXEL = Field(1, 0, 0)


def promises(generator: keras.Model) -> Promises:
    """Computes what a generator promises.

    Args:
        generator: a model from (N, H, W, C) to the same.

    Returns:
        Its promises; of a model that is not functional, none.
    """
    if not hasattr(generator, "operations"):
        return Promises(multiple=1, reach=None, certain_exact=False)
    every, output = calls(generator)
    return Promises(
        multiple=math.lcm(*(call.made.stride for call in every)),
        reach=int(max(-output.first, output.last)) if output.is_known else None,
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
    makers = _makers(generator)
    found: list[str] = []
    open_ends, seen = _flat(generator.output), set()
    while open_ends:
        tensor = open_ends.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        node = makers[id(tensor)]
        if (nested := _nested(node.operation)) is not None and nested.weights:
            found += last_convolutions(nested)
        elif isinstance(node.operation, layers.Layer) and node.operation.weights:
            found.append(node.operation.name)
        else:
            open_ends += node.input_tensors
    return found


def calls(generator: keras.Model, field: Field = _PIXEL) -> tuple[list[Call], Field]:
    """Computes what all that a generator calls depends on.

    Args:
        generator: a functional model from (N, H, W, C) to the same.
        field: what its input depends on, where it is part of another one.

    Returns:
        Its calls, in an order in which they can be made, and what its output depends on.
    """
    every: list[Call] = []
    found: dict[int, Field] = {}
    for node in _nodes(generator):
        read = _union([found[id(tensor)] for tensor in node.input_tensors] or [field])
        if (nested := _nested(node.operation)) is not None:
            inner, made = calls(nested, read)
            every += inner
        else:
            made = _field_after(node, read)
            every.append(Call(node.operation, read, made))
        found |= {id(tensor): made for tensor in node.outputs}
    return every, _union([found[id(tensor)] for tensor in _flat(generator.output)])


def _field_after(node: Any, field: Field) -> Field:
    """What a cell that a call makes depends on, given that for the cells it reads."""
    operation = node.operation
    stride, first, last = field
    sides = [getattr(operation, name, ()) for name in _OF_BOTH_AXES]
    if any(isinstance(side, tuple) and len({*side}) > 1 for side in sides):
        own = math.lcm(*operation.strides) if isinstance(operation, _WINDOWED) else 1
        return Field(own * stride, -math.inf, math.inf)
    if isinstance(operation, layers.Conv2DTranspose):
        own, kernel = operation.strides[0], operation.kernel_size[0]
        before = max(kernel - own, 0) // 2
        stride = max(1, stride // own)
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
        return Field(max(1, stride // own), first - (own - 1) * stride // own, last)
    if kind == "SpaceToDepth":
        own = operation.block_size
        return Field(own * stride, first, last + (own - 1) * stride)
    in_place = kind in _POINTWISE and _keeps_places(node)
    return field if in_place else Field(stride, -math.inf, math.inf)


def _keeps_places(node: Any) -> bool:
    """Whether what is cut or joined, if a call does that, are channels alone."""
    kind = type(node.operation).__name__
    if kind == "GetItem":
        key = node.arguments.args[1]
        keys = key if isinstance(key, tuple) else (key,)
        spatial = keys[1:-1] if keys[0] is Ellipsis else keys[1:3]
        return all(one == slice(None) for one in spatial)
    return kind not in ("Split", "Concatenate") or node.operation.axis in (-1, 3)


def _union(fields: list[Field]) -> Field:
    strides, firsts, lasts = zip(*fields, strict=True)
    return Field(max(strides), min(firsts), max(lasts))


def _certain_exact(generator: keras.Model) -> bool:
    """Whether the output is chosen between the input, where it is certain, and something else."""
    node = _makers(generator)[id(generator.output)]
    if type(node.operation).__name__ != "Where":
        return False
    condition, chosen, _ = node.arguments.args
    if chosen is not generator.input:
        return False
    levels = np.arange(1, 255, dtype=np.float32).reshape(1, 1, -1, 1) / 255
    levels = np.repeat(levels, generator.input.shape[-1], axis=-1)
    return bool(np.all(keras.Model(generator.input, condition)(levels)))


def _nodes(generator: keras.Model) -> list[Any]:
    """Calls of the graph's operations: a layer that is shared has several."""
    of_depths = sorted(generator._nodes_by_depth.items(), reverse=True)
    return [node for _, nodes in of_depths for node in nodes]


def _makers(generator: keras.Model) -> dict[int, Any]:
    return {id(tensor): node for node in _nodes(generator) for tensor in node.outputs}


def _nested(operation: Any) -> keras.Model | None:
    """The graph of a model that is called as a layer is, where it has one."""
    graph = getattr(operation, "_functional", operation)
    return graph if hasattr(graph, "operations") else None


def _flat(tensors: Any) -> list[Any]:
    return list(keras.tree.flatten(tensors))
