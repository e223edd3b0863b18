"""A bundle: one generator in several .tflite files, with what there is to know of each."""

import hashlib
import math
import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasgan.config import RunConfig
from kerasgan.decoding import decode
from kerasgan.errors import ModelError, first_line
from kerasgan.noise.base import Noise
from kerasgan.store.files import check_folder, holds_keys, read_json
from kerasgan.store.record import is_record, parse_record
from kerasgan.store.run_folder import RunFolder

MANIFEST, CARD, SAMPLES = "manifest.json", "MODEL_CARD.md", "samples"
KERAS, FAITHFUL = "generator.keras", "faithful.keras"
_VERSION = 1
# What tells our file from those that others call by the same name.
_MANIFEST_KEYS = ("version", "files", "signatures")
# Far more than networks and pictures have: eight strides of 2, and pixels a side.
_LARGEST_MULTIPLE, _LARGEST_EXTENT = 256, 2**16


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
            ModelError: if it has no manifest, or one that is damaged or of another version; the
                message names the file and the key.
        """
        file = Path(path) / MANIFEST
        try:
            manifest = read_json(file)
        except (OSError, ValueError) as error:
            raise ModelError(f"{file} is damaged: {first_line(error)}") from error
        if isinstance(manifest, dict) and manifest.get("version") != _VERSION:
            version = reprlib.repr(manifest.get("version"))
            raise ModelError(f"{file} is of version {version}; this kerasgan reads {_VERSION}")
        if (fault := next(_faults(manifest), None)) is not None:
            raise ModelError(f"{file} is damaged or none of kerasgan's: {fault}")
        if manifest["training"] is not None:
            parse_record(manifest["training"], file)
        return cls(Path(path), manifest)

    @property
    def generator(self) -> Path:
        """The Keras model, checked against its hash.

        Raises:
            ModelError: if it is missing, or another file.
        """
        return self.checked_file(self.manifest["generator"])

    def checked_file(self, entry: dict[str, Any]) -> Path:
        """Finds a file, and checks it against its hash.

        Args:
            entry: what the manifest tells of it.

        Returns:
            The file.

        Raises:
            ModelError: if it is missing, or another file.
        """
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

    @property
    def noise(self) -> Noise:
        """What the generator undoes.

        Raises:
            ModelError: if the bundle is of those that do not tell, and does not know its training.
        """
        values = self.manifest.get("noise")
        return self.config.noise if values is None else decode(Noise, values, "noise")


def _faults(manifest: Any) -> Iterator[str]:
    """Tells what in a manifest is not as `kerasgan export` writes it, of all that is read later.

    What comes later relies on what came before: only the first fault is sure to be one.
    """
    if not isinstance(manifest, dict):
        yield "it is no object"
    multiple = manifest.get("multiple")
    if not _is_whole(multiple, 1, _LARGEST_MULTIPLE):
        yield _must(f"multiple must be a whole number up to {_LARGEST_MULTIPLE}", multiple)
    if not ((reach := manifest.get("reach")) is None or _is_whole(reach, 0, _LARGEST_EXTENT)):
        yield _must("reach must be a whole number of pixels, or null", reach)
    if manifest.get("channels") not in (1, 3):
        yield _must("channels must be 1 or 3", manifest.get("channels"))
    if not _is_filled(manifest.get("signatures")):
        yield _must("signatures must name sizes", manifest.get("signatures"))
    for name, size in manifest["signatures"].items():
        if not (
            isinstance(size, list)
            and len(size) == 2
            and all(_is_whole(extent, 1, _LARGEST_EXTENT) for extent in size)
            and not any(extent % multiple for extent in size)
        ):
            yield _must(f"signatures.{name} must be a height and width, n × {multiple}", size)
    yield from _overlap_faults(manifest)
    if not _is_filled(manifest.get("files")):
        yield _must("files must name files", manifest.get("files"))
    for name, entry in manifest["files"].items():
        yield from _entry_faults(f"files.{name}", entry, ".tflite")
        for side in ("input", "output"):
            numbers = entry.get(side)
            if not isinstance(numbers, dict) or not isinstance(numbers.get("dtype"), str):
                yield _must(f"files.{name}.{side} must tell its dtype", numbers)
        psnr = entry.get("psnr")
        if not isinstance(psnr, dict) or not all(map(_is_psnr, psnr.items())):
            yield _must(f"files.{name}.psnr must hold decibels by levels", psnr)
    yield from _entry_faults("generator", manifest.get("generator"), ".keras")
    faithful = manifest.get("faithful")
    if isinstance(faithful, dict) and "model" in faithful:
        if not isinstance(faithful["model"], str):
            yield _must("faithful.model must be the name of a saved model", faithful["model"])
    elif faithful is not None:
        yield from _entry_faults("faithful", faithful, ".keras")
    if (cost := manifest.get("cost")) is not None and not _is_cost(cost):
        yield _must("cost must hold weights and multiply_accumulates", cost)
    sharpness = manifest.get("sharpness", 1.0)
    if type(sharpness) not in (int, float) or not 0.0 <= sharpness <= 1.0:
        yield _must("sharpness must lie between 0 and 1", sharpness)
    if not isinstance(manifest.get("subject"), str | None):
        yield _must("subject must be a text", manifest["subject"])
    try:
        if manifest.get("noise") is not None:
            decode(Noise, manifest["noise"], "noise")
    except ValueError as error:
        yield first_line(error)
    checked = manifest.get("checked")
    if not isinstance(checked, dict) or not isinstance(checked.get("source"), str):
        yield _must("checked must name its source", checked)
    if not isinstance(manifest.get("training", 0), dict | None):
        yield _must("training must be a record or null", manifest.get("training"))


def _overlap_faults(manifest: dict[str, Any]) -> Iterator[str]:
    """Tells what is wrong with how tiles overlap, which bundles of before do not say."""
    overlaps, signatures = manifest.get("overlap"), manifest["signatures"]
    if overlaps is None:
        return
    if not isinstance(overlaps, dict) or overlaps.keys() != signatures.keys():
        yield _must("overlap must name a number for each of signatures", overlaps)
    for name, overlap in overlaps.items():
        step, most = 2 * manifest["multiple"], min(signatures[name]) - 1
        if not _is_whole(overlap, 0, most) or overlap % step:
            yield _must(f"overlap.{name} must be n × {step} pixels, at most {most}", overlap)


def _entry_faults(key: str, entry: Any, suffix: str) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield _must(f"{key} must be an object", entry)
    file, sha256 = entry.get("file"), entry.get("sha256")
    # A name alone, and none of another system's paths.
    if not isinstance(file, str) or set("/\\:\0") & set(file) or not file.endswith(suffix):
        yield _must(f"{key}.file must be the name of a {suffix} file", file)
    if not isinstance(sha256, str) or len(sha256) != 64:
        yield _must(f"{key}.sha256 must be a hash", sha256)
    if not _is_whole(entry.get("bytes"), 0, 2**63):
        yield _must(f"{key}.bytes must be a whole number", entry.get("bytes"))


def _must(demand: str, value: Any) -> str:
    return f"{demand}, not {reprlib.repr(value)}"


def _is_filled(value: Any) -> bool:
    return isinstance(value, dict) and bool(value)


def _is_whole(value: Any, lowest: int, highest: int) -> bool:
    return type(value) is int and lowest <= value <= highest


def _is_cost(value: Any) -> bool:
    if not isinstance(value, dict) or not _is_whole(value.get("weights"), 0, 2**63):
        return False
    counted = value.get("multiply_accumulates")
    return counted is None or (type(counted) in (int, float) and 0 <= counted < 2**63)


def _is_psnr(item: tuple[str, Any]) -> bool:
    level, values = item
    try:
        return all(map(math.isfinite, (float(level), values["file"], values["keras"])))
    except (ValueError, KeyError, TypeError, OverflowError):
        return False


def training_record(path: Path) -> dict[str, Any] | None:
    """Finds the record of the training run that a model comes from.

    Args:
        path: a run folder, a bundle, or a file in one of them.

    Returns:
        The content of the run's config.json, or None where there is none, or one of something else.

    Raises:
        ModelError: if the record's file is damaged.
    """
    folder = path if path.is_dir() else path.parent
    if is_bundle(folder):
        return Bundle.read(folder).manifest["training"]
    file = RunFolder(folder).config
    if not is_record(file):
        return None
    try:
        record = read_json(file)
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} is damaged: {first_line(error)}") from error
    parse_record(record, file)
    return record


def is_bundle(path: Path) -> bool:
    """Tells whether a path is a folder with a manifest of ours, damaged or not.

    Others' programs have such files, too, but not beside a generator.
    """
    manifest, generator = (Path(path) / name for name in (MANIFEST, KERAS))
    return holds_keys(manifest, _MANIFEST_KEYS) or (manifest.is_file() and generator.is_file())


def check_replaceable(path: Path, *, overwrite: bool = False) -> None:
    """Checks that a bundle may be put here.

    Args:
        path: the folder.
        overwrite: whether a bundle that stands there may be replaced.

    Raises:
        OutputError: if there is something else, or `overwrite` is not given.
    """

    def own() -> set[str]:
        names = {CARD, KERAS, FAITHFUL, SAMPLES}
        if is_bundle(path):
            files = Bundle.read(path).manifest["files"].values()
            names |= {MANIFEST, *(entry["file"] for entry in files)}
        return names

    check_folder(path, own, "bundle", overwrite=overwrite)


def hash_of(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
