"""Ranges of what flows between layers: 8 bits hold all channels of a tensor with one scale."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from scipy import optimize, special

from kerasgan.images.pixels import Pixels

# Of the widest channel: what is narrower still is not widened further.
_LEAST = 1 / 64
# What a convolution sums up has a step, its input's times its kernel's; XNNPACK takes none that is
# 256 times its output's, or more.
_LARGEST_RATIO = 128
_KERNEL_LEVELS = 127
# The power by which a mean stands for a maximum, while scales are sought.
_POWER = 64


def equalize(
    generator: keras.Model, pictures: Sequence[Pixels], sample: Sequence[Pixels]
) -> keras.Model:
    """Copies a generator, with the channels of each tensor scaled to what 8 bits hold best.

    Additions and ReLUs without a limit pass a positive scale on. So whatever a channel of the
    normalisations that feed them is multiplied by, the kernels of the convolutions that read them
    can be divided by: the network computes the same, and a channel of small values is no longer
    rounded to the steps of the widest. Scales are those at which rounding changes the output least,
    as far as the output is linear in it: a channel that is wide where little depends on it, and
    narrow where much does, is scaled for the latter.

    Args:
        generator: a functional Keras model.
        pictures: list of float32 (height, width, C) in [0, 1], in which ranges are observed.
        sample: some of them, or parts of them, on which the output's changes are observed.

    Returns:
        A model of the same architecture, which computes the same.

    Source: Nagel et al., Data-free quantization through weight equalization and bias correction,
    ICCV 2019, with observed ranges and gradients in place of one range for all.
    """
    equal = keras.models.clone_model(generator)
    equal.set_weights(generator.get_weights())
    graph = _Graph(equal)
    streams = graph.streams()
    if not streams:
        return equal
    tensors = [tensor for stream in streams for tensor in stream.tensors]
    ranges = graph.ranges(tensors, pictures)
    gains = graph.gains([tensor for tensor in tensors if id(tensor) in ranges], sample)
    for stream in streams:
        rounded = [id(tensor) for tensor in stream.tensors if id(tensor) in ranges]
        scales = quietest_scales(
            np.array([ranges[key].widths for key in rounded]),
            np.array([gains[key] for key in rounded]),
        )
        for normalization in stream.makers:
            normalization.gamma.assign(normalization.gamma / scales)
            normalization.beta.assign(normalization.beta / scales)
        for convolution in stream.readers:
            transposed = type(convolution) is layers.Conv2DTranspose
            by_input = scales if transposed else scales[:, np.newaxis]
            convolution.kernel.assign(convolution.kernel * by_input)
    return equal


def quietest_scales(widths: Pixels, gains: Pixels) -> Pixels:
    """What to divide channels by, for the least noise of rounding at the output.

    A tensor is rounded to steps as wide as its widest channel, once divided, and a channel's
    rounding grows by its scale again on its way to the output. A channel's best scale is the least
    with which it exceeds no tensor's width; which widths are best is a convex problem in their
    logarithms.

    Args:
        widths: (tensors, channels), the largest magnitude that each tensor's channel takes.
        gains: the same shape, the output's squared change with the channel's squared change.

    Returns:
        Scales, float32 (channels,), in (0, 1]; 1 for channels that no picture excites.
    """
    scales = np.ones(widths.shape[1], np.float32)
    excited = widths.max(axis=0) > 0
    if not excited.any():
        return scales
    logs = np.log(np.maximum(widths[:, excited], 1e-12))
    # A network that is not trained may depend on nothing.
    gains = gains[:, excited] / max(gains.max(), 1e-30) + 1e-9

    def noise(widest: Pixels) -> Any:
        scale = special.logsumexp(_POWER * (logs - widest[:, np.newaxis]), axis=0) / _POWER
        return special.logsumexp(2 * (widest[:, np.newaxis] + scale), b=gains)

    widest = optimize.minimize(noise, logs.max(axis=1)).x
    found = (logs - widest[:, np.newaxis]).max(axis=0)
    scales[excited] = np.maximum(np.exp(found - found.max()), _LEAST)
    return scales


def limit_ranges(generator: keras.Model, pictures: Iterable[Pixels]) -> keras.Model:
    """Copies a generator, with ranges stated that converters would not choose.

    Below the negative of what is added to it, a value before a ReLU cannot pass it, however far
    below it lies, nor can it where a ReLU6 cuts off: no levels are spent on it. And features that
    the pictures hardly excite, or never, get no finer steps than XNNPACK computes.

    Args:
        generator: a functional Keras model.
        pictures: iterable of float32 (height, width, C) in [0, 1], in which ranges are observed.

    Returns:
        A model that computes the same to 8 bits, with operators that only converters see.
    """
    graph = _Graph(generator)
    cut = [tensor for tensor in graph.tensors if graph.added_before_relu(tensor)]
    rectified = list(graph.rectified())
    tensors = [*cut, *(tensor for *ends, _ in rectified for tensor in ends)]
    if not tensors:
        return generator
    observed = graph.ranges(tensors, pictures)
    ranges = {graph.maker(tensor).name: observed[id(tensor)] for tensor in cut}
    for read, made, weight in rectified:
        width = observed[id(read)].widths.max() * weight / (_KERNEL_LEVELS * _LARGEST_RATIO)
        if observed[id(made)].widths.max() < width:
            ranges[graph.maker(made).name] = _Range(np.zeros(1), np.array([width]))

    def stating_range(operation: Any, *args: Any, **kwargs: Any) -> Any:
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

    def __init__(self, low: float, high: float):
        super().__init__()
        # A range holds zero and is not empty.
        self._range = min(low, 0.0), max(high, 1e-6)

    def call(self, values: Any) -> Any:
        return tf.quantization.fake_quant_with_min_max_args(values, *self._range)


@dataclass
class _Range:
    """The lowest and highest value that each channel of a tensor takes, of those that count."""

    low: Pixels
    high: Pixels

    @property
    def widths(self) -> Pixels:
        return np.maximum(np.maximum(-self.low, self.high), 0.0)


@dataclass
class _Stream:
    """Tensors whose channels must keep one scale, what makes them, and what reads them."""

    tensors: list[Any]
    makers: list[Any]
    readers: list[Any]


class _Graph:
    """Who makes and who reads the tensors of a functional model."""

    def __init__(self, model: keras.Model):
        self._model = model
        self._makers: dict[int, Any] = {}
        self._readers: dict[int, list[Any]] = {}
        self._tensors: dict[int, Any] = {}
        for operation in model.operations:
            for tensor in keras.tree.flatten(operation.output):
                self._makers[id(tensor)] = operation
                self._tensors[id(tensor)] = tensor
                self._readers.setdefault(id(tensor), [])
            if not isinstance(operation, layers.InputLayer):
                for tensor in keras.tree.flatten(operation.input):
                    self._readers.setdefault(id(tensor), []).append(operation)

    @property
    def tensors(self) -> list[Any]:
        return list(self._tensors.values())

    def maker(self, tensor: Any) -> Any:
        return self._makers[id(tensor)]

    def streams(self) -> list[_Stream]:
        """The streams that normalisations alone make, and convolutions alone read."""
        stream_of = {key: {key} for key in self._tensors}
        for operation in self._model.operations:
            if _passes_scale_on(operation):
                tensors = [*keras.tree.flatten(operation.input), operation.output]
                joined = set().union(*(stream_of[id(tensor)] for tensor in tensors))
                stream_of.update(dict.fromkeys(joined, joined))
        streams = []
        for joined in {id(keys): keys for keys in stream_of.values()}.values():
            keys = [key for key in self._tensors if key in joined]
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

    def rectified(self) -> Iterator[tuple[Any, Any, float]]:
        """What every convolution before a ReLU reads, what both make, and its largest weight."""
        for made in self.tensors:
            if type(relu := self._makers[id(made)]) is not layers.ReLU:
                continue
            normalization = self._makers[id(relu.input)]
            if type(normalization) is not layers.BatchNormalization:
                continue
            convolution = self._makers[id(normalization.input)]
            if type(convolution) is layers.Conv2D:
                deviation = np.sqrt(normalization.moving_variance + normalization.epsilon)
                kernel = convolution.kernel * (normalization.gamma / deviation)
                yield convolution.input, made, float(np.abs(kernel).max())

    def added_before_relu(self, tensor: Any) -> bool:
        """Whether an addition, whose sum a ReLU alone reads, alone reads a tensor."""
        reader = self._only_reader(tensor)
        return type(reader) is layers.Add and self._within_relu(reader.output)

    def _within_relu(self, tensor: Any) -> bool:
        return type(self._only_reader(tensor)) is layers.ReLU

    def _only_reader(self, tensor: Any) -> Any:
        readers = self._readers[id(tensor)]
        return readers[0] if len(readers) == 1 else None

    def ranges(self, tensors: Sequence[Any], pictures: Iterable[Pixels]) -> dict[int, _Range]:
        """Observes ranges, by the tensors' id; without tensors that exist within a ReLU alone."""
        kept = {id(tensor): tensor for tensor in tensors if not self._within_relu(tensor)}
        added = [
            other
            for tensor in kept.values()
            if self.added_before_relu(tensor)
            for other in self._only_reader(tensor).input
        ]
        observed = kept | {id(tensor): tensor for tensor in added}
        observer = keras.Model(self._model.input, list(observed.values()))

        # As one graph for every size: by itself, Keras takes most of the time to call layers.
        @tf.function(input_signature=[tf.TensorSpec(observer.input_shape, tf.float32)])
        def extremes(picture: Any) -> Any:
            return [
                (tf.reduce_min(seen, axis=(0, 1, 2)), tf.reduce_max(seen, axis=(0, 1, 2)))
                for seen in keras.tree.flatten(observer(picture))
            ]

        low, high = (
            {key: np.full(tensor.shape[-1], start) for key, tensor in observed.items()}
            for start in (np.inf, -np.inf)
        )
        for picture in pictures:
            for key, (least, most) in zip(observed, extremes(picture[np.newaxis]), strict=True):
                low[key] = np.minimum(low[key], least)
                high[key] = np.maximum(high[key], most)
        ranges = {}
        for key, tensor in kept.items():
            ranges[key] = _Range(low[key], high[key])
            if self.added_before_relu(tensor):
                addition = self._only_reader(tensor)
                others = [id(other) for other in addition.input]
                others.remove(key)
                top, bottom = (sum(end[other] for other in others) for end in (high, low))
                ranges[key].low = np.maximum(low[key], -np.maximum(top, 0.0))
                largest = self._only_reader(addition.output).max_value
                if largest is not None:
                    ranges[key].high = np.minimum(high[key], largest - np.minimum(bottom, 0.0))
        return ranges

    def gains(self, tensors: Sequence[Any], pictures: Iterable[Pixels]) -> dict[int, Pixels]:
        """The output's squared change with squared changes of channels, by the tensors' id.

        Summed over pixels and pictures; gradients of randomly signed sums of the output have that
        as the mean of their squares.
        """
        observer = keras.Model(self._model.input, [*tensors, self._model.output])
        draw = np.random.default_rng(0)
        gains: dict[int, Any] = dict.fromkeys(map(id, tensors), 0.0)
        for picture in pictures:
            picture = tf.constant(picture[np.newaxis])
            with tf.GradientTape() as tape:
                tape.watch(picture)
                *values, output = observer(picture)
                signs = draw.choice(np.array([-1, 1], np.float32), output.shape)
                total = tf.reduce_sum(output * signs)
            slopes = tape.gradient(
                total, values, unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            for tensor, slope in zip(tensors, slopes, strict=True):
                gains[id(tensor)] += np.sum(np.square(slope), axis=(0, 1, 2))
        return gains


def _passes_scale_on(operation: Any) -> bool:
    if type(operation) is layers.ReLU:
        return operation.max_value is None
    return type(operation) is layers.Add
