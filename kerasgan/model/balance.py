"""How the parts of a generator's loss share its gradient, whatever their scales are."""

from typing import Any

import tensorflow as tf

# Decay of the running means of lengths.
_MOMENTUM = 0.99


def clipped(slopes: Any, suspects: Any, limit: float) -> Any:
    """Cuts gradients off, pixel by pixel, where they tower above those of the same image.

    A discriminator's gradient has peaks, and a generator that follows them sets single pixels.

    Args:
        slopes: gradients at images, (N, H, W, C).
        suspects: 1 where they can move anything, else 0, (N, H, W, 1).
        limit: the most that is left, in root mean squares of an image's gradient at suspects.

    Returns:
        Gradients of the same shape.
    """
    axes = (1, 2, 3)
    count = tf.reduce_sum(suspects, axes, keepdims=True) * slopes.shape[-1]
    squares = tf.reduce_sum(tf.square(slopes * suspects), axes, keepdims=True)
    largest = limit * tf.sqrt(tf.math.divide_no_nan(squares, count))
    return tf.clip_by_value(slopes, -largest, largest)


def mean_lengths(slopes: list[Any], suspects: Any, importance: Any) -> Any:
    """Measures gradients at images, by the images that the discriminator's judgement counts for.

    Args:
        slopes: gradients, each (N, H, W, C): of the reconstruction first; the others' losses hold
            `importance` already.
        suspects: 1 where they can move anything, else 0, (N, H, W, 1).
        importance: by how much each image counts, (N,).

    Returns:
        For each of the slopes, the sum of their lengths over all replicas' images.
    """
    lengths = [tf.sqrt(tf.reduce_sum(tf.square(slope * suspects), (1, 2, 3))) for slope in slopes]
    lengths[0] *= importance
    now = tf.stack([tf.reduce_sum(tf.stop_gradient(length)) for length in lengths])
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, now)


def follow(average: Any, value: Any, momentum: float = _MOMENTUM) -> None:
    """Moves a running mean by one more value, which it becomes where there was none before.

    What is no finite number, of a step that overflowed and is not taken, moves nothing.

    Args:
        average: a variable, NaN until its first value.
        value: a tensor or variable of the same shape.
        momentum: what the mean keeps of itself.
    """
    moved = average.value + (1.0 - momentum) * (value - average.value)
    moved = tf.where(tf.math.is_nan(average.value), value, moved)
    average.assign(tf.where(tf.math.is_finite(value), moved, average.value))
