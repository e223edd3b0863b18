"""Reading trained generators from disk."""

import json
import zipfile
from pathlib import Path

import keras

from kerasgan.errors import ModelError, first_line
from kerasgan.model.gan import DenoisingGAN
from kerasgan.store.bundle import Bundle, is_bundle
from kerasgan.store.run_folder import RunFolder
from kerasgan.store.zoo import find_model


def load_generator(path: str | Path) -> keras.Model:
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
        model.finalize_averages()
        model = model.generator
    shape = getattr(model, "input_shape", None)
    if shape not in [(None, None, None, 1), (None, None, None, 3)] or model.output_shape != shape:
        raise ModelError(f"{path} restores no images of any size: its input has the shape {shape}")
    return model


def _keras_version(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            foreign = not {"metadata.json", "config.json"} <= set(archive.namelist())
            metadata = {} if foreign else json.loads(archive.read("metadata.json"))
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise ModelError(f"{path} is no Keras model file, or a damaged one") from error
    if "keras_version" not in metadata:
        raise ModelError(f"{path} is a zip file, but no Keras model")
    return metadata["keras_version"]
