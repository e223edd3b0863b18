"""Restoring images of any size, grey or colour, with a trained generator."""

import json
import math
import os
import zipfile

import keras
import numpy as np
import tensorflow as tf

from kerasgan.errors import ModelError, first_line
from kerasgan.gan import DenoisingGAN
from kerasgan.images import to_float
from kerasgan.networks import size_multiple
from kerasgan.run_folder import RunFolder
from kerasgan.tflite.bundle import Bundle, is_bundle, load_file
from kerasgan.tiling import Window, restore_in_tiles
from kerasgan.zoo import find_model

# Tiles join without seams because each is restored together with a margin wider than the network
# looks: with strides of 8, 23 pixels for the filling and 46 for the U-Net.
TILE = 512
_LEAST_MARGIN, _MARGIN_PER_MULTIPLE = 72, 9


def load_generator(path):
    """Loads the generator of a training run or bundle.

    Args:
        path: a run folder, a bundle, a generator.keras, a model.keras, or the name of a saved
            model.

    Returns:
        The generator, a Keras model; with averaged weights where the run averages them.

    Raises:
        ModelError: naming the file, if it is missing, damaged, no restorer of images, or cannot be
            read by this version of Keras.
    """
    path = find_model(path)
    if is_bundle(path):
        path = Bundle.read(path).generator
    elif path.is_dir():
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


def load_restorer(path):
    """Loads whatever restores images.

    Args:
        path: a run folder, a .keras file, a .tflite file, a bundle, whose Keras model is taken, or
            the name of a saved model.

    Returns:
        A `Restorer`.

    Raises:
        ModelError: naming the file and what is wrong with it.
    """
    path = find_model(path)
    if path.suffix == ".tflite":
        return Restorer(load_file(path, threads=os.cpu_count() or 1))
    return Restorer(load_generator(path))


def load_restorers(path):
    """Loads everything in a bundle that restores images, or the one thing that a path names.

    Args:
        path: as for `load_restorer`.

    Returns:
        A dictionary of `Restorer`: "keras" and the quantisations of a bundle, else "restored".

    Raises:
        ModelError: naming the file and what is wrong with it.
    """
    path = find_model(path)
    if not is_bundle(path):
        return {"restored": load_restorer(path)}
    models = Bundle.read(path).models(threads=os.cpu_count() or 1)
    files = {name: Restorer(model) for name, model in models}
    return {"keras": load_restorer(path), **files}


class Restorer:
    """Restores whole images with a generator.

    Args:
        generator: a generator, a `DenoisingGAN`, whose generator is taken, or a `TFLiteModel`.

    Attributes:
        channels: 1 for grey, 3 for colour.

    Example:
        >>> restored = Restorer(gan)(noisy)
    """

    def __init__(self, generator):
        generator = getattr(generator, "generator", generator)
        self._model = _Graph(generator) if isinstance(generator, keras.Model) else generator
        self.channels = self._model.channels

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
            DataError: if the model takes 8-bit images alone, and this is none.
        """
        noisy = np.asarray(noisy)
        if noisy.ndim == 2:
            return self(noisy[..., np.newaxis])[..., 0]
        if noisy.ndim != 3 or noisy.shape[-1] not in (1, 3) or 0 in noisy.shape:
            raise ValueError(f"an image must be (H, W), (H, W, 1) or (H, W, 3), got {noisy.shape}")
        if noisy.dtype.kind == "f" and not (noisy.min() >= 0.0 and noisy.max() <= 1.0):
            raise ValueError("a float image must lie in [0, 1]")
        if noisy.shape[-1] == self.channels:
            return restore_in_tiles(self._model, noisy)
        if self.channels == 1:
            planes = [
                restore_in_tiles(self._model, noisy[..., channel, np.newaxis])
                for channel in range(3)
            ]
            return np.concatenate(planes, axis=-1)
        # Of three equal values the median is that value: certain pixels stay exact.
        restored = restore_in_tiles(self._model, np.repeat(noisy, 3, axis=-1))
        return np.median(restored, axis=-1, keepdims=True).astype(noisy.dtype)


class _Graph:
    """A Keras generator as one graph for every size."""

    def __init__(self, generator):
        self.channels = generator.input_shape[-1]
        self._multiple = size_multiple(generator)
        self._margin = max(_LEAST_MARGIN, _MARGIN_PER_MULTIPLE * self._multiple)
        self._run = tf.function(
            lambda noisy: generator(noisy, training=False),
            autograph=False,
            input_signature=[tf.TensorSpec((None, None, None, self.channels), tf.float32)],
        )

    def window(self, height, width):
        largest = TILE + 2 * self._margin
        height, width = (
            math.ceil(min(extent, largest) / self._multiple) * self._multiple
            for extent in (height, width)
        )
        return Window(height, width, self._margin, self._multiple)

    def run(self, noisy, window):
        values = noisy if noisy.dtype.kind == "f" else to_float(noisy)
        return self._run(values[np.newaxis])[0].numpy()
