"""Reading trained generators from disk."""

import json
import zipfile
from pathlib import Path

import keras

from kerasgan.errors import ModelError, first_line
from kerasgan.model.blending import blend
from kerasgan.model.gan import DenoisingGAN
from kerasgan.model.precision import in_float32
from kerasgan.store.bundle import Bundle, is_bundle
from kerasgan.store.faithful import find_faithful
from kerasgan.store.run_folder import RunFolder
from kerasgan.store.zoo import find_model

# Of a .keras file; the weights may be as large as they are.
_MEMBERS = ("config.json", "metadata.json")
# In bytes: a hundred times what networks of this kind have.
_LARGEST_MEMBER = 2**24


def load_generator(path: str | Path, sharpness: float = 1.0) -> keras.Model:
    """Loads the generator of a training run or bundle.

    Args:
        path: a run folder, a bundle, a generator.keras, a model.keras, or the name of a saved
            model.
        sharpness: of a run folder or bundle of a GAN that was fine-tuned from a faithful generator:
            from 0, as that one restores, to 1, as it was trained; see `blend`.

    Returns:
        The generator, a Keras model; with averaged weights where the run averages them.

    Raises:
        ModelError: naming the file, if it is missing, damaged, no restorer of images, or cannot be
            read by this version of Keras; or if its sharpness cannot be changed.
        ValueError: if `sharpness` does not lie in [0, 1].
    """
    path = find_model(path)
    if sharpness == 1.0:
        return _load(path)
    if (faithful := find_faithful(path)) is None:
        raise ModelError(_why_fixed(path, sharpness))
    try:
        return blend(_load(faithful), _load(path), sharpness)
    except ModelError as error:
        raise ModelError(f"the sharpness of {path} cannot be changed: {error}") from error


def _why_fixed(path: Path, sharpness: float) -> str:
    """Says why a model has one sharpness, and what to do about it."""
    if not path.exists():
        return f"there is no model {path}"
    if not path.is_dir():
        return (
            f"{path} is a single file, whose sharpness cannot be changed; name the run folder or "
            "bundle that it comes from, or make a bundle of that sharpness: kerasgan export MODEL "
            f"--tflite --sharpness {sharpness:g}"
        )
    if is_bundle(path) and (own := Bundle.read(path).manifest.get("sharpness", 1.0)) != 1.0:
        return f"{path} was exported at sharpness {own:g}, and holds nothing else; export it anew"
    return (
        f"the sharpness of {path} cannot be changed: it has no faithful end, as it was not "
        "fine-tuned against a discriminator from a generator that is known"
    )


def _load(path: Path) -> keras.Model:
    if is_bundle(path):
        path = Bundle.read(path).generator
    elif path.is_dir():
        path = RunFolder(path).generator
        if not path.is_file():
            raise ModelError(
                f"there is no {path}: no run folder, or its first epoch is not complete"
            )
    if not path.is_file():
        reason = "is no regular file" if path.exists() else "does not exist"
        raise ModelError(f"there is no model {path}: it {reason}")
    version = _keras_version(path)
    try:
        model = keras.models.load_model(path)
    except MemoryError:
        raise
    except Exception as error:  # Whatever the layers named in the file raise on what they read.
        raise ModelError(
            f"cannot load {path}, written by Keras {version}, with Keras {keras.__version__}: "
            f"{first_line(error)}"
        ) from error
    if isinstance(model, DenoisingGAN):
        model.finalize_averages()
        model = in_float32(model.generator)
    shape, restored = (getattr(model, f"{end}_shape", None) for end in ("input", "output"))
    if shape not in [(None, None, None, 1), (None, None, None, 3)] or restored != shape:
        raise ModelError(f"{path} restores no images of any size: its input has the shape {shape}")
    return model


def _keras_version(path: Path) -> str:
    """Reads who wrote a file, and refuses what Keras would only notice after it has read it all."""
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist()}
            if not sizes.keys() >= set(_MEMBERS):
                raise ModelError(f"{path} is a zip file, but no Keras model")
            for name in _MEMBERS:
                if sizes[name] > _LARGEST_MEMBER:
                    raise ModelError(f"{path} is damaged: its {name} has {sizes[name]:,} bytes")
            _, metadata = (json.loads(archive.read(name)) for name in _MEMBERS)
    except (ModelError, MemoryError):
        raise
    except PermissionError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    except Exception as error:  # Besides zipfile's own, what each kind of compression raises.
        raise ModelError(f"{path} is no Keras model file, or a damaged one") from error
    if not isinstance(metadata, dict) or "keras_version" not in metadata:
        raise ModelError(f"{path} is a zip file, but no Keras model")
    return str(metadata["keras_version"])
