"""Ranges of what flows between layers: 8 bits hold all channels of a tensor with one scale."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from keras import layers

# Of the widest channel: what is narrower still is not widened further.
_LEAST = 1 / 64


def equalize(generator, pictures):
    """Copies a generator, with the channels of each tensor scaled to one range.

    Additions and ReLUs pass a positive scale on. So whatever a channel of the normalisations that
    feed them is multiplied by, the kernels of the convolutions that read them can be divided by:
    the network computes the same, and a channel of small values is no longer rounded to the steps
    of the widest.

    Args:
        generator: a functional Keras model.
        pictures: list of float32 (height, width, C) in [0, 1], in which ranges are observed.

    Returns:
        A model of the same architecture, which computes the same.

    Source: Nagel et al., Data-free quantization through weight equalization and bias correction,
    ICCV 2019, with observed ranges.
    """
    equal = keras.models.clone_model(generator)
    equal.set_weights(generator.get_weights())
    graph = _Graph(equal)
    streams = graph.streams()
    if not streams:
        return equal
    ranges = graph.ranges([tensor for stream in streams for tensor in stream.tensors], pictures)
    for stream in streams:
        widths = [ranges[id(tensor)].widths for tensor in stream.tensors if id(tensor) in ranges]
        # The tensors of a stream share their channels' scales, but each has a range of its own.
        share = np.max([width / max(width.max(), 1e-12) for width in widths], axis=0)
        # A channel that no picture excites is left as it is.
        share = np.where(share > 0, np.maximum(share, _LEAST), 1.0).astype(np.float32)
        for normalization in stream.makers:
            normalization.gamma.assign(normalization.gamma / share)
            normalization.beta.assign(normalization.beta / share)
        for convolution in stream.readers:
            transposed = type(convolution) is layers.Conv2DTranspose
            by_input = share if transposed else share[:, np.newaxis]
            convolution.kernel.assign(convolution.kernel * by_input)
    return equal


def limit_ranges(generator, pictures):
    """Copies a generator, with ranges stated for what a ReLU cuts off after an addition.

    Below the negative of what is added to it, such a value cannot pass the ReLU, however far below
    it lies: no levels are spent on it.

    Args:
        generator: a functional Keras model.
        pictures: iterable of float32 (height, width, C) in [0, 1], in which ranges are observed.

    Returns:
        A model that computes the same to 8 bits, with operators that only converters see.
    """
    graph = _Graph(generator)
    cut = [tensor for tensor in graph.tensors if graph.added_before_relu(tensor)]
    if not cut:
        return generator
    observed = graph.ranges(cut, pictures)
    ranges = {graph.maker(tensor).name: observed[id(tensor)] for tensor in cut}

    def stating_range(operation, *args, **kwargs):
        values = operation(*args, **kwargs)
        if operation.name not in ranges:
            return values
        own = ranges[operation.name]
        return _Stated(float(own.low.min()), float(own.high.max()))(values)

    limited = keras.models.clone_model(generator, call_function=stating_range)
    limited.set_weights(generator.get_weights())
    return limited


class _Stated(layers.Layer):
    """States the range of its input to the converter."""

    def __init__(self, low, high):
        super().__init__()
        # A range holds zero and is not empty.
        self._range = min(low, 0.0), max(high, 1e-6)

    def call(self, values):
        return tf.quantization.fake_quant_with_min_max_args(values, *self._range)


@dataclass
class _Range:
    """The lowest and highest value that each channel of a tensor takes, of those that count."""

    low: np.ndarray
    high: np.ndarray

    @property
    def widths(self):
        return np.maximum(np.maximum(-self.low, self.high), 0.0)


@dataclass
class _Stream:
    """Tensors whose channels must keep one scale, what makes them, and what reads them."""

    tensors: list
    makers: list
    readers: list


class _Graph:
    """Who makes and who reads the tensors of a functional model."""

    def __init__(self, model):
        self._model = model
        self._makers, self._readers, self._tensors = {}, {}, {}
        for operation in model.operations:
            for tensor in keras.tree.flatten(operation.output):
                self._makers[id(tensor)] = operation
                self._tensors[id(tensor)] = tensor
                self._readers.setdefault(id(tensor), [])
            if not isinstance(operation, layers.InputLayer):
                for tensor in keras.tree.flatten(operation.input):
                    self._readers.setdefault(id(tensor), []).append(operation)

    @property
    def tensors(self):
        return list(self._tensors.values())

    def maker(self, tensor):
        return self._makers[id(tensor)]

    def streams(self):
        """The streams that normalisations alone make, and convolutions alone read."""
        stream_of = {key: {key} for key in self._tensors}
        for operation in self._model.operations:
            if _passes_scale_on(operation):
                tensors = [*keras.tree.flatten(operation.input), operation.output]
                joined = set().union(*(stream_of[id(tensor)] for tensor in tensors))
                stream_of.update(dict.fromkeys(joined, joined))
        streams = []
        for keys in {id(keys): keys for keys in stream_of.values()}.values():
            keys = [key for key in self._tensors if key in keys]
            makers = [self._makers[key] for key in keys]
            readers = [reader for key in keys for reader in self._readers[key]]
            makers, readers = (
                [part for part in parts if not _passes_scale_on(part)]
                for parts in (makers, readers)
            )
            normalized = all(type(part) is layers.BatchNormalization for part in makers)
            convolved = all(
                type(part) in (layers.Conv2D, layers.Conv2DTranspose) for part in readers
            )
            if normalized and convolved and readers:
                tensors = [self._tensors[key] for key in keys]
                streams.append(_Stream(tensors, makers, readers))
        return streams

    def added_before_relu(self, tensor):
        """Whether an addition, whose sum a ReLU alone reads, alone reads a tensor."""
        reader = self._only_reader(tensor)
        return type(reader) is layers.Add and self._within_relu(reader.output)

    def _within_relu(self, tensor):
        return type(self._only_reader(tensor)) is layers.ReLU

    def _only_reader(self, tensor):
        readers = self._readers[id(tensor)]
        return readers[0] if len(readers) == 1 else None

    def ranges(self, tensors, pictures):
        """Observes ranges, by the tensors' id; without tensors that exist within a ReLU alone."""
        tensors = {id(tensor): tensor for tensor in tensors if not self._within_relu(tensor)}
        added = [
            other
            for tensor in tensors.values()
            if self.added_before_relu(tensor)
            for other in self._only_reader(tensor).input
        ]
        observed = tensors | {id(tensor): tensor for tensor in added}
        observer = keras.Model(self._model.input, list(observed.values()))
        low, high = (
            {key: np.full(tensor.shape[-1], start) for key, tensor in observed.items()}
            for start in (np.inf, -np.inf)
        )
        for picture in pictures:
            for key, seen in zip(observed, observer(picture[np.newaxis]), strict=True):
                low[key] = np.minimum(low[key], np.min(seen, axis=(0, 1, 2)))
                high[key] = np.maximum(high[key], np.max(seen, axis=(0, 1, 2)))
        ranges = {}
        for key, tensor in tensors.items():
            ranges[key] = _Range(low[key], high[key])
            if self.added_before_relu(tensor):
                others = [id(other) for other in self._only_reader(tensor).input]
                others.remove(key)
                most = sum(high[other] for other in others)
                ranges[key].low = np.maximum(low[key], -np.maximum(most, 0.0))
        return ranges


def _passes_scale_on(operation):
    return type(operation) in (layers.ReLU, layers.Add)
