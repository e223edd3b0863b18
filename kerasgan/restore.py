"""Restoring images of any size, grey or colour, with a trained generator."""

import json
import zipfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasgan.errors import ModelError, first_line
from kerasgan.gan import DenoisingGAN
from kerasgan.images import from_float, to_float
from kerasgan.networks import size_multiple
from kerasgan.run_folder import RunFolder

# Tiles join without seams because each is restored together with a margin wider than the network
# looks: the filling reaches 18 pixels, and each level of the U-Net doubles what the others reach.
TILE = 512
_LEAST_MARGIN, _MARGIN_PER_MULTIPLE = 64, 8


def load_generator(path):
    """Loads the generator of a training run.

    Args:
        path: a run folder, a generator.keras, or a model.keras.

    Returns:
        The generator, a Keras model; with averaged weights where the run averages them.

    Raises:
        ModelError: naming the file, if it is missing, damaged, no restorer of images, or cannot be
            read by this version of Keras.
    """
    path = Path(path)
    if path.is_dir():
        path = RunFolder(path).generator
        if not path.is_file():
            raise ModelError(
                f"there is no {path}: no run folder, or its first epoch is not complete"
            )
    if not path.is_file():
        raise ModelError(f"there is no model {path}")
    version = _keras_version(path)
    try:
        model = keras.models.load_model(path)
    except Exception as error:  # Whatever the layers named in the file raise on what they read.
        raise ModelError(
            f"cannot load {path}, written by Keras {version}, with Keras {keras.__version__}: "
            f"{first_line(error)}"
        ) from error
    if isinstance(model, DenoisingGAN):
        model.g_optimizer.finalize_variable_values(model.generator.trainable_variables)
        model = model.generator
    shape = getattr(model, "input_shape", None)
    if shape not in [(None, None, None, 1), (None, None, None, 3)] or model.output_shape != shape:
        raise ModelError(f"{path} restores no images of any size: its input has the shape {shape}")
    return model


def _keras_version(path):
    try:
        with zipfile.ZipFile(path) as archive:
            foreign = not {"metadata.json", "config.json"} <= set(archive.namelist())
            metadata = {} if foreign else json.loads(archive.read("metadata.json"))
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise ModelError(f"{path} is no Keras model file, or a damaged one") from error
    if "keras_version" not in metadata:
        raise ModelError(f"{path} is a zip file, but no Keras model")
    return metadata["keras_version"]


class Restorer:
    """Restores whole images with a generator.

    Args:
        generator: a generator, or a `DenoisingGAN`, whose generator is taken.

    Example:
        >>> restored = Restorer(gan)(noisy)
    """

    def __init__(self, generator):
        generator = getattr(generator, "generator", generator)
        self.channels = generator.input_shape[-1]
        self._multiple = size_multiple(generator)
        self._margin = max(_LEAST_MARGIN, _MARGIN_PER_MULTIPLE * self._multiple)
        # One graph for every size.
        self._run = tf.function(
            lambda noisy: generator(noisy, training=False),
            autograph=False,
            input_signature=[tf.TensorSpec((None, None, None, self.channels), tf.float32)],
        )

    def __call__(self, noisy):
        """Restores one image.

        Large images are restored in overlapping tiles. A grey generator restores a colour image
        channel by channel; a colour generator sees a grey image as colour.

        Args:
            noisy: array (H, W), (H, W, 1) or (H, W, 3): uint8, uint16, or float in [0, 1], which is
                worked on as float32.

        Returns:
            Array of the same shape and type.

        Raises:
            ValueError: for other shapes, types and ranges.
        """
        noisy = np.asarray(noisy)
        if noisy.ndim == 2:
            return self(noisy[..., np.newaxis])[..., 0]
        if noisy.ndim != 3 or noisy.shape[-1] not in (1, 3) or 0 in noisy.shape:
            raise ValueError(f"an image must be (H, W), (H, W, 1) or (H, W, 3), got {noisy.shape}")
        if noisy.dtype.kind == "f" and not (noisy.min() >= 0.0 and noisy.max() <= 1.0):
            raise ValueError("a float image must lie in [0, 1]")
        if noisy.shape[-1] == self.channels:
            return self._restore_tiles(noisy)
        if self.channels == 1:
            planes = [self._restore_tiles(noisy[..., channel, np.newaxis]) for channel in range(3)]
            return np.concatenate(planes, axis=-1)
        # Of three equal values the median is that value: certain pixels stay exact.
        restored = self._restore_tiles(np.repeat(noisy, 3, axis=-1))
        return np.median(restored, axis=-1, keepdims=True).astype(noisy.dtype)

    def _restore_tiles(self, noisy):
        restored = np.empty_like(noisy)
        height, width = noisy.shape[:2]
        for top in range(0, height, TILE):
            for left in range(0, width, TILE):
                rows, inner_rows = _window(top, height, self._margin)
                columns, inner_columns = _window(left, width, self._margin)
                tile = self._restore_tile(noisy[rows, columns])
                restored[top : top + TILE, left : left + TILE] = tile[inner_rows, inner_columns]
        return restored

    def _restore_tile(self, noisy):
        values = noisy if noisy.dtype.kind == "f" else to_float(noisy)
        height, width = noisy.shape[:2]
        padding = ((0, -height % self._multiple), (0, -width % self._multiple), (0, 0))
        values = np.pad(values.astype(np.float32), padding, mode="symmetric")
        restored = self._run(values[np.newaxis])[0, :height, :width].numpy()
        return (
            restored.astype(noisy.dtype)
            if noisy.dtype.kind == "f"
            else from_float(restored, noisy.dtype)
        )


def _window(start, extent, margin):
    """The tile at `start` with its margins inside the image, and the tile within that."""
    first = max(0, start - margin)
    window = slice(first, min(extent, start + TILE + margin))
    return window, slice(start - first, min(start + TILE, extent) - first)
