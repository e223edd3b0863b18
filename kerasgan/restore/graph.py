"""Running a Keras generator on pictures of any size."""

import math
from collections.abc import Sequence
from typing import Self

import keras
import numpy as np
import tensorflow as tf

from kerasgan.images.pixels import Pixels, to_float
from kerasgan.model.promises import promises
from kerasgan.restore.tiling import Window

TILE = 512
# Of networks whose graph does not tell how far they look.
_MARGIN = 72


class KerasGraph:
    """A Keras generator as one graph for every size."""

    def __init__(self, generator: keras.Model):
        self.channels: int = generator.input_shape[-1]
        promised = promises(generator)
        self._multiple = promised.multiple
        # Tiles join without seams: each is restored together with all that the network looks at.
        reach = _MARGIN if promised.reach is None else promised.reach
        self._margin = math.ceil(reach / self._multiple) * self._multiple
        self._run = tf.function(
            lambda noisy: generator(noisy, training=False),
            autograph=False,
            input_signature=[tf.TensorSpec((None, None, None, self.channels), tf.float32)],
        )

    def window(self, height: int, width: int) -> Window:
        largest = TILE + 2 * self._margin
        height, width = (
            math.ceil(min(extent, largest) / self._multiple) * self._multiple
            for extent in (height, width)
        )
        return Window(height, width, self._margin, self._multiple)

    def twin(self, threads: int) -> Self:
        """Returns itself: TensorFlow chooses its threads, and takes any number of calls."""
        return self

    def crew(self, most: int) -> Sequence[Self]:
        """Returns itself: TensorFlow has every core work on one window."""
        return [self]

    def run(self, noisy: Pixels, window: Window) -> Pixels:
        values = noisy if noisy.dtype.kind == "f" else to_float(noisy)
        return self._run(values[np.newaxis])[0].numpy()
