"""Restoring images of any size, grey or colour, with a trained generator."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kerasgan.errors import ModelError
from kerasgan.images.pixels import Pixels
from kerasgan.restore.files import load_file, load_files, load_precision
from kerasgan.restore.precision import IN_KERAS, preferred
from kerasgan.restore.tiling import Restoring, restore_in_tiles
from kerasgan.startup import import_tensorflow
from kerasgan.store.bundle import Bundle, is_bundle
from kerasgan.store.machine import processors
from kerasgan.store.zoo import find_model

_LOG = logging.getLogger(__name__)


def load_restorer(
    path: str | Path,
    sharpness: float = 1.0,
    *,
    precision: str | None = None,
    threads: int | None = None,
    start: Callable[[], Any] = import_tensorflow,
) -> "Restorer":
    """Loads whatever restores images; of a bundle, one of its files, without TensorFlow.

    Which file that is says `preferred`. Images of more than 8 bits may be restored by another file,
    or by the Keras model, which is loaded for the first of them; the log says so.

    Args:
        path: a run folder, a .keras file, a .tflite file, a bundle, or the name of a saved model.
        sharpness: from 0, faithful, to 1, as the model was trained; for run folders and bundles, as
            `load_generator` says. What a bundle was not exported at needs its Keras model.
        precision: what of a bundle restores everything: "keras", or the name of one of its files.
        threads: how many threads a .tflite file may use; None for all processors.
        start: imports TensorFlow, where a Keras model is loaded.

    Returns:
        A `Restorer`.

    Raises:
        ModelError: naming the file and what is wrong with it.
        ValueError: if `sharpness` does not lie in [0, 1].
    """
    path, threads = find_model(path), threads or processors()
    if is_bundle(path):
        return _of_bundle(Bundle.read(path), sharpness, precision, threads, start)
    if precision is not None:
        raise ModelError(f"{path} is no bundle, which alone has precisions to choose from")
    if path.suffix == ".tflite" and sharpness == 1.0:
        return Restorer(load_file(path, threads=threads))
    return Restorer(_load_keras(path, sharpness, start))


def _of_bundle(
    bundle: Bundle,
    sharpness: float,
    precision: str | None,
    threads: int,
    start: Callable[[], Any],
) -> "Restorer":
    if sharpness == bundle.manifest.get("sharpness", 1.0):
        sharpness = 1.0  # That is what it holds.
    elif sharpness != 1.0 and precision not in (None, IN_KERAS):
        raise ModelError(
            f"the files of {bundle.path} have the sharpness of their export; another one takes "
            f"--precision {IN_KERAS}"
        )

    def load(precision: str) -> Any:
        if precision == IN_KERAS:
            return _load_keras(bundle.path, sharpness, start)
        return load_precision(bundle, precision, threads=threads)

    if precision is not None or sharpness != 1.0:
        return Restorer(load(precision or IN_KERAS))
    precision, deeper = preferred(bundle)

    def load_deeper() -> Any:
        file = "" if deeper == IN_KERAS else bundle.manifest["files"][deeper]["file"]
        by = file or "Keras, which takes seconds to start"
        _LOG.warning("Pictures of more than 8 bits are restored by %s", by)
        return load(deeper)

    return Restorer(load(precision), deeper=None if deeper == precision else load_deeper)


def _load_keras(path: Path, sharpness: float, start: Callable[[], Any]) -> Any:
    start()
    from kerasgan.model.loading import load_generator

    return load_generator(path, sharpness)


def load_restorers(path: str | Path, sharpness: float = 1.0) -> dict[str, "Restorer"]:
    """Loads everything in a bundle that restores images, or the one thing that a path names.

    Args:
        path: as for `load_restorer`.
        sharpness: as for `load_restorer`.

    Returns:
        A dictionary of `Restorer`: "keras" and the quantisations of a bundle, else "restored".
        Where `sharpness` is another than 1, and than that of the bundle's export, "keras" alone:
        its files have that of their export.

    Raises:
        ModelError: naming the file and what is wrong with it.
        ValueError: if `sharpness` does not lie in [0, 1].
    """
    path = find_model(path)
    if not is_bundle(path):
        return {"restored": load_restorer(path, sharpness)}
    keras = {IN_KERAS: load_restorer(path, sharpness, precision=IN_KERAS)}
    bundle = Bundle.read(path)
    if sharpness not in (1.0, bundle.manifest.get("sharpness", 1.0)):
        return keras
    models = load_files(bundle, threads=processors())
    return {**keras, **{name: Restorer(model) for name, model in models}}


class Restorer:
    """Restores whole images with a generator.

    Args:
        generator: a generator, a `DenoisingGAN`, whose generator is taken, or a `TFLiteModel`.
        deeper: loads another one, for images that are not of 8 bits; called when the first of them
            is met. None where `generator` restores them, too.

    Attributes:
        channels: 1 for grey, 3 for colour.

    Example:
        >>> restored = Restorer(gan)(noisy)
    """

    def __init__(self, generator: Any, *, deeper: Callable[[], Any] | None = None):
        self._model = _restoring(generator)
        self._load_deeper, self._loading = deeper, threading.Lock()
        self._deeper: Restoring | None = None
        self.channels: int = self._model.channels

    def twin(self, threads: int = 1) -> "Restorer":
        """Makes another one of the same model, for another thread of the program.

        Args:
            threads: how many threads a .tflite file may use.

        Returns:
            A restorer that gives the same images.

        Raises:
            ModelError: if the model's file has changed.
        """
        deeper = self._load_deeper and (lambda: self._that_takes(np.uint16).twin(threads))
        return Restorer(self._model.twin(threads), deeper=deeper)

    def _that_takes(self, dtype: npt.DTypeLike) -> Restoring:
        if self._load_deeper is None or dtype == np.uint8:
            return self._model
        with self._loading:
            if self._deeper is None:
                self._deeper = _restoring(self._load_deeper())
        return self._deeper

    def __call__(
        self,
        noisy: Pixels,
        advance: Callable[[float], Any] = lambda share: None,
        *,
        strength: float = 1.0,
    ) -> Pixels:
        """Restores one image.

        Large images are restored in overlapping tiles. A grey generator restores a colour image
        channel by channel; a colour generator sees a grey image as colour.

        Args:
            noisy: array (H, W), (H, W, 1) or (H, W, 3): uint8, uint16, or float in [0, 1], which is
                worked on as float32.
            advance: called again and again with the share of the image that was restored since;
                what it raises ends the restoring.
            strength: how far to go from the noisy image to the restored one, in [0, 1]: 0 leaves
                it as it is, 1 restores it whole.

        Returns:
            Array of the same shape and type.

        Raises:
            ValueError: for other shapes, types and ranges.
            DataError: if the model takes 8-bit images alone, and this is none.
        """
        noisy = np.asarray(noisy)
        if noisy.ndim == 2:
            return self(noisy[..., np.newaxis], advance, strength=strength)[..., 0]
        if noisy.ndim != 3 or noisy.shape[-1] not in (1, 3) or 0 in noisy.shape:
            raise ValueError(f"an image must be (H, W), (H, W, 1) or (H, W, 3), got {noisy.shape}")
        if noisy.dtype.kind == "f" and not (noisy.min() >= 0.0 and noisy.max() <= 1.0):
            raise ValueError("a float image must lie in [0, 1]")
        if not 0.0 <= strength <= 1.0:
            raise ValueError(f"strength must lie in [0, 1], got {strength}")
        model = self._that_takes(noisy.dtype)
        if noisy.shape[-1] == self.channels:
            return restore_in_tiles(model, noisy, advance, strength=strength)
        if self.channels == 1:
            planes = [
                restore_in_tiles(model, plane, lambda share: advance(share / 3), strength=strength)
                for plane in np.split(noisy, 3, axis=-1)
            ]
            return np.concatenate(planes, axis=-1)
        # Of three equal values the median is that value: certain pixels stay exact.
        colored = np.repeat(noisy, 3, axis=-1)
        restored = restore_in_tiles(model, colored, advance, strength=strength)
        return np.median(restored, axis=-1, keepdims=True).astype(noisy.dtype)


def _restoring(generator: Any) -> Restoring:
    generator = getattr(generator, "generator", generator)
    if hasattr(generator, "window"):
        return generator
    from kerasgan.restore.graph import KerasGraph

    return KerasGraph(generator)
