"""A bundle: one generator in several .tflite files, with what there is to know of each."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasgan.config import RunConfig, parse_record
from kerasgan.errors import ModelError, OutputError
from kerasgan.store.run_folder import RunFolder

MANIFEST, CARD, KERAS = "manifest.json", "MODEL_CARD.md", "generator.keras"
SAMPLES = "samples"
_VERSION = 1


@dataclass(frozen=True)
class Bundle:
    """A folder that `kerasgan export` wrote.

    Attributes:
        path: the folder.
        manifest: the content of its manifest.json.
    """

    path: Path
    manifest: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Bundle":
        """Reads the manifest of a bundle.

        Args:
            path: the folder.

        Returns:
            The bundle; its files are checked when they are loaded.

        Raises:
            ModelError: if it has no manifest, or one that is damaged or of another version.
        """
        file = Path(path) / MANIFEST
        try:
            manifest = json.loads(file.read_text(encoding="utf-8"))
            if manifest["training"] is not None:
                parse_record(manifest["training"], file)
            version = manifest["version"]
            files = manifest["files"].values()
            complete = all(
                Path(entry["file"]).name == entry["file"] and isinstance(entry["sha256"], str)
                for entry in (*files, manifest["generator"])
            ) and isinstance(manifest["multiple"], int)
        except ModelError:
            raise
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{file} is damaged or none of kerasgan's: {error!r}") from error
        if version != _VERSION:
            raise ModelError(f"{file} is of version {version}; this kerasgan reads {_VERSION}")
        if not complete:
            raise ModelError(f"{file} is damaged: it lists files that are none")
        return cls(Path(path), manifest)

    @property
    def generator(self) -> Path:
        """The Keras model, checked against its hash.

        Raises:
            ModelError: if it is missing, or another file.
        """
        entry = self.manifest["generator"]
        path = self.path / entry["file"]
        if not path.is_file():
            raise ModelError(f"there is no {path}, which {MANIFEST} lists")
        if hash_of(path) != entry["sha256"]:
            raise ModelError(f"{path} is not the file that {MANIFEST} lists: the hashes differ")
        return path

    @property
    def config(self) -> RunConfig:
        """The configuration that the generator was trained with.

        Raises:
            ModelError: if the bundle does not know it.
        """
        if self.manifest["training"] is None:
            raise ModelError(f"{self.path} does not tell how it was trained")
        return parse_record(self.manifest["training"], self.path / MANIFEST)[0]


def training_record(path: Path) -> dict[str, Any] | None:
    """Finds the record of the training run that a model comes from.

    Args:
        path: a run folder, a bundle, or a file in one of them.

    Returns:
        The content of the run's config.json, or None where there is none.

    Raises:
        ModelError: if the record's file is damaged.
    """
    folder = path if path.is_dir() else path.parent
    if is_bundle(folder):
        return Bundle.read(folder).manifest["training"]
    file = RunFolder(folder).config
    if not file.is_file():
        return None
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        parse_record(record, file)
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} is damaged: {error}") from error
    return record


def is_bundle(path: Path) -> bool:
    """Tells whether a path is a folder with a manifest."""
    return (Path(path) / MANIFEST).is_file()


def check_replaceable(path: Path, *, overwrite: bool = False) -> None:
    """Checks that a bundle may be put here.

    Args:
        path: the folder.
        overwrite: whether a bundle that stands there may be replaced.

    Raises:
        OutputError: if there is something else, or `overwrite` is not given.
    """
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} is a file, not a folder")
    if path.resolve() == Path.cwd():
        raise OutputError("the current folder cannot be replaced; name a new one: --output")
    if not path.exists() or not any(path.iterdir()):
        return
    if not overwrite:
        raise OutputError(f"{path} is not empty; choose another --output, or --overwrite it")
    own = {MANIFEST, CARD, KERAS, SAMPLES}
    if is_bundle(path):
        own |= {entry["file"] for entry in Bundle.read(path).manifest["files"].values()}
    others = sorted(file.name for file in path.iterdir() if file.name not in own)
    if others:
        raise OutputError(f"{path} holds {others[0]}, which is no part of a bundle; move it away")


def hash_of(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
