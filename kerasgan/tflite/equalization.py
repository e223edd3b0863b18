"""Giving the channels of a tensor the same range, since 8 bits hold them with one scale."""

import keras
import numpy as np

# Of the widest channel: what is narrower still is not widened further.
_LEAST = 1 / 64


def equalize(generator, pictures):
    """Copies a generator, with the channels before its ReLUs scaled to one range.

    A ReLU passes a positive scale on. So whatever a channel of a normalisation is multiplied by,
    the kernel of the one convolution that reads it can be divided by: the network computes the
    same, and a channel of small values is no longer rounded to the steps of the widest. Where two
    normalisations are added before the ReLU, the wider of both decides.

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
    pairs = _pairs(equal)
    if not pairs:
        return equal
    observer = keras.Model(equal.input, [[layer.output for layer in before] for before, _ in pairs])
    widths = [np.zeros(convolution.kernel.shape[2]) for _, convolution in pairs]
    for picture in pictures:
        for width, seen in zip(widths, observer(picture[np.newaxis]), strict=True):
            for values in seen:
                np.maximum(width, np.abs(values).max(axis=(0, 1, 2)), out=width)
    for (before, convolution), width in zip(pairs, widths, strict=True):
        share = np.maximum(width / max(width.max(), 1e-12), _LEAST).astype(np.float32)
        for normalization in before:
            normalization.gamma.assign(normalization.gamma / share)
            normalization.beta.assign(normalization.beta / share)
        convolution.kernel.assign(convolution.kernel * share[:, np.newaxis])
    return equal


def _pairs(generator):
    """Normalisations that a ReLU joins, each list with the one convolution that reads the ReLU."""
    readers = {}
    for layer in generator.layers:
        for tensor in keras.tree.flatten(layer.input):
            readers.setdefault(id(tensor), []).append(layer)
    by_output = {id(layer.output): layer for layer in generator.layers}
    pairs = []
    for layer in generator.layers:
        if type(layer) is not keras.layers.ReLU or len(readers[id(layer.output)]) != 1:
            continue
        [reader] = readers[id(layer.output)]
        before = [by_output[id(layer.input)]]
        if type(before[0]) is keras.layers.Add and len(readers[id(before[0].output)]) == 1:
            before = [by_output[id(tensor)] for tensor in before[0].input]
        alone = all(len(readers[id(part.output)]) == 1 for part in before)
        normalizations = all(type(part) is keras.layers.BatchNormalization for part in before)
        if type(reader) is keras.layers.Conv2D and alone and normalizations:
            pairs.append((before, reader))
    return pairs
