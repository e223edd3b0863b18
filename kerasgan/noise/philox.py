"""TensorFlow's stateless random numbers, without TensorFlow: counters that Philox4x32-10 scrambles.

Source: Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011; how seeds become keys
and counters, and bits become numbers, is TensorFlow's.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_KEY_STEPS, _ROUNDS = (0x9E3779B9, 0xBB67AE85), 10
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
# By which TensorFlow scrambles seeds.
_SEED_KEY = 0x3EC8F720, 0x02461E29
# Counters scrambled at once: as many as a processor's cache holds.
_BLOCKS = 2**14


def uniform(shape: Sequence[int], seed: Any) -> npt.NDArray[np.float32]:
    """Draws what `tf.random.stateless_uniform` draws, bit by bit.

    Args:
        shape: of the result.
        seed: two integers of 64 bits.

    Returns:
        float32 array in [0, 1).
    """
    return _drawn(shape, seed, _fractions)


def normal(shape: Sequence[int], seed: Any) -> npt.NDArray[np.float32]:
    """Draws what `tf.random.stateless_normal` draws, to the accuracy of float32.

    Args:
        shape: of the result.
        seed: two integers of 64 bits.

    Returns:
        float32 array of mean 0 and variance 1.

    Source: Box & Muller, A note on the generation of random normal deviates, 1958.
    """
    return _drawn(shape, seed, _deviates)


def _fractions(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
    # 23 bits of a word are the fraction of a number in [1, 2).
    numbers = (words & np.uint32(0x7FFFFF) | np.uint32(0x3F800000)).view(np.float32)
    return numbers - np.float32(1.0)


def _deviates(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
    first, second = np.moveaxis(_fractions(words).reshape(-1, 2, 2), -1, 0)
    length = np.sqrt(-2.0 * np.log(np.maximum(first, np.float32(1e-7))))
    angle = np.float32(2 * np.pi) * second
    pairs = np.stack([length * np.sin(angle), length * np.cos(angle)], axis=-1)
    return pairs.reshape(words.shape)


def _drawn(
    shape: Sequence[int],
    seed: Any,
    made: Callable[[npt.NDArray[np.uint32]], npt.NDArray[np.float32]],
) -> npt.NDArray[np.float32]:
    """Makes numbers of as many words as a shape needs."""
    size = math.prod(shape)
    blocks = -(-size // 4)
    drawn = np.empty((blocks, 4), np.float32)
    for start in range(0, blocks, _BLOCKS):
        words = _words(seed, start, min(start + _BLOCKS, blocks))
        drawn[start : start + _BLOCKS] = made(words)
    return drawn.reshape(-1)[:size].reshape(shape)


def fold_in(seed: Any, *numbers: int) -> npt.NDArray[np.int64]:
    """Derives seeds from seeds, as `tf.random.experimental.stateless_fold_in` does of int64.

    Args:
        seed: two integers of 64 bits.
        numbers: what to fold in, one after the other.

    Returns:
        int64 array (2,).
    """
    seed = np.asarray(seed, np.int64)
    for number in numbers:
        [scrambled] = _words(seed, 0, 1)[0, :2].astype("<u4").view("<i8")
        seed = np.array([scrambled, number], np.int64)
    return seed


def _words(seed: Any, start: int, stop: int) -> npt.NDArray[np.uint32]:
    """Scrambles the counters from `start` to before `stop`: (number, 4)."""
    first, second = (int(number) % 2**64 for number in seed)
    parts = [part for number in (first, second) for part in (number % 2**32, number >> 32)]
    mixed = _scrambled([np.array([part], np.uint64) for part in parts], _SEED_KEY)[0]
    counters = np.arange(start, stop, dtype=np.uint64)
    stream = [np.full_like(counters, word) for word in mixed[2:]]
    return _scrambled([counters & _LOW, counters >> _HALF, *stream], map(int, mixed[:2]))


def _scrambled(counter: list[npt.NDArray[np.uint64]], key: Any) -> npt.NDArray[np.uint32]:
    first, second = key
    a, b, c, d = counter
    for _ in range(_ROUNDS):
        one, other = _MULTIPLIERS[0] * a, _MULTIPLIERS[1] * c
        a, b = other >> _HALF ^ b ^ np.uint64(first), other & _LOW
        c, d = one >> _HALF ^ d ^ np.uint64(second), one & _LOW
        first, second = (first + _KEY_STEPS[0]) % 2**32, (second + _KEY_STEPS[1]) % 2**32
    return np.stack([a, b, c, d], axis=-1).astype(np.uint32)
