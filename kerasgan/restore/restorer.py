"""Restoring images of any size, grey or colour, with a trained generator."""

from pathlib import Path
from typing import Any

import numpy as np

from kerasgan.images.pixels import Pixels
from kerasgan.restore.litert import load_file, load_files
from kerasgan.restore.tiling import restore_in_tiles
from kerasgan.startup import import_tensorflow
from kerasgan.store.bundle import Bundle, is_bundle
from kerasgan.store.machine import processors
from kerasgan.store.zoo import find_model


def load_restorer(path: str | Path, sharpness: float = 1.0) -> "Restorer":
    """Loads whatever restores images.

    Args:
        path: a run folder, a .keras file, a .tflite file, a bundle, whose Keras model is taken, or
            the name of a saved model.
        sharpness: from 0, faithful, to 1, as the model was trained; for run folders and bundles, as
            `load_generator` says.

    Returns:
        A `Restorer`.

    Raises:
        ModelError: naming the file and what is wrong with it.
        ValueError: if `sharpness` does not lie in [0, 1].
    """
    path = find_model(path)
    if path.suffix == ".tflite" and sharpness == 1.0:
        return Restorer(load_file(path, threads=processors()))
    import_tensorflow()
    from kerasgan.model.loading import load_generator

    return Restorer(load_generator(path, sharpness))


def load_restorers(path: str | Path, sharpness: float = 1.0) -> dict[str, "Restorer"]:
    """Loads everything in a bundle that restores images, or the one thing that a path names.

    Args:
        path: as for `load_restorer`.
        sharpness: as for `load_restorer`.

    Returns:
        A dictionary of `Restorer`: "keras" and the quantisations of a bundle, else "restored". Of a
        bundle at another sharpness than 1 "keras" alone: its files have the one of their export.

    Raises:
        ModelError: naming the file and what is wrong with it.
        ValueError: if `sharpness` does not lie in [0, 1].
    """
    path = find_model(path)
    if not is_bundle(path):
        return {"restored": load_restorer(path, sharpness)}
    if sharpness != 1.0:
        return {"keras": load_restorer(path, sharpness)}
    models = load_files(Bundle.read(path), threads=processors())
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

    def __init__(self, generator: Any):
        generator = getattr(generator, "generator", generator)
        if not hasattr(generator, "window"):
            from kerasgan.restore.graph import KerasGraph

            generator = KerasGraph(generator)
        self._model = generator
        self.channels = self._model.channels

    def __call__(self, noisy: Pixels) -> Pixels:
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
