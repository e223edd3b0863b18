"""Between a faithful and a sharp generator: one network, whose weights lie between theirs."""

from typing import Any

import keras
import numpy as np

from kerasgan.errors import ModelError

# A residual block's weights: two kernels, each with the four arrays of a normalisation.
_CONVOLUTION = 5


def blend(faithful: keras.Model, sharp: keras.Model, sharpness: float) -> keras.Model:
    """Makes the network between two whose weights are a mean of theirs, statistics included.

    No restorer is both as near to the truth and as natural as can be; the best that lie between are
    means of what those two restore. Means of their weights come near that where one network was
    fine-tuned from the other, and cost a single network to run.

    Args:
        faithful: a generator that learnt from the reconstruction alone.
        sharp: the generator that was fine-tuned from it, against a discriminator; it may have
            residual blocks that `faithful` lacks, which then do nothing at that end.
        sharpness: from 0, which restores exactly as `faithful`, to 1, which does as `sharp`.

    Returns:
        A new network, built as `sharp`.

    Raises:
        ModelError: if the networks do not fit.
        ValueError: if `sharpness` does not lie in [0, 1].

    Source: Wang et al., ESRGAN, ECCV workshops 2018, 3.4, for the means of weights; Freirich et
    al., A theory of the distortion-perception tradeoff in Wasserstein space, NeurIPS 2021, for
    those of restored images.
    """
    if not 0.0 <= sharpness <= 1.0:
        raise ValueError(f"sharpness must lie between 0 and 1, got {sharpness}")
    return mix(faithful, sharp, sharpness)


def mix(faithful: keras.Model, sharp: keras.Model, share: float) -> keras.Model:
    """Makes the network that lies on the way from one to another, or beyond.

    Args:
        faithful: the first network.
        sharp: one that was fine-tuned from it; as in `blend`.
        share: how far to go: from 1 on, what was learnt is carried on.

    Returns:
        A new network, built as `sharp`.

    Raises:
        ModelError: if the networks do not fit.
    """
    ends = zip(faithful_weights(faithful, sharp), sharp.get_weights(), strict=True)
    mixed = keras.models.clone_model(sharp)
    # Both ends exactly, which their difference, added to one of them, would not give.
    mixed.set_weights([(1.0 - share) * first + share * last for first, last in ends])
    return mixed


def faithful_weights(faithful: keras.Model, sharp: keras.Model) -> list[Any]:
    """Finds the weights by which one network restores exactly as another one.

    Args:
        faithful: the network whose weights they are.
        sharp: the network that they are for; as in `blend`.

    Returns:
        A list of arrays, for the `set_weights` of `sharp`.

    Raises:
        ModelError: if the networks do not fit.
    """
    if _limits(faithful) == _limits(sharp):
        weights = _grown(faithful.get_weights(), sharp.get_weights())
        if weights is not None:
            return weights
    raise ModelError(
        f"{faithful.name} and {sharp.name} are not one network before and after its fine-tuning: "
        "their layers are of other sizes, or cut features off elsewhere"
    )


def _grown(given: list[Any], own: list[Any]) -> list[Any] | None:
    """The first weights, and between them residual blocks of the second that do nothing then."""
    weights: list[Any] = []
    left = list(given)
    while len(weights) < len(own):
        rest = own[len(weights) :]
        block = rest[: 2 * _CONVOLUTION]
        if left and left[0].shape == rest[0].shape:
            weights.append(left.pop(0))
        elif _is_block(block):
            # The second normalisation gives what it adds to its scaled input, less its mean.
            kernel, gamma, beta, mean, variance = block[_CONVOLUTION:]
            silent = [np.zeros_like(kernel), gamma, np.zeros_like(beta), np.zeros_like(mean)]
            weights += [*block[:_CONVOLUTION], *silent, variance]
        else:
            return None
    return None if left else weights


def _is_block(weights: list[Any]) -> bool:
    """Whether arrays can be a residual block's, by their shapes."""
    if not weights or weights[0].ndim != 4:
        return False
    height, width, outside, inside = weights[0].shape
    back = [(height, width, inside, outside), *[(outside,)] * 4]
    return [array.shape for array in weights] == [weights[0].shape, *[(inside,)] * 4, *back]


def _limits(network: keras.Model) -> set[float | None]:
    return {layer.max_value for layer in network.layers if type(layer) is keras.layers.ReLU}
