"""Loading .tflite files, by what the manifest of their bundle tells."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kerasgan.errors import ModelError
from kerasgan.restore.litert import TFLiteModel, check_file
from kerasgan.restore.precision import IN_KERAS
from kerasgan.restore.trial import try_out
from kerasgan.store.bundle import Bundle, hash_of, is_bundle


def load_file(path: Path, *, threads: int = 1, sound: bool = False) -> TFLiteModel:
    """Loads a .tflite file, by the manifest beside it where that lists it.

    Any other file is tried in a process of its own first, which takes a second.

    Args:
        path: the file.
        threads: how many threads it may use.
        sound: whether it is known that the file can be run, as from an earlier call.

    Returns:
        The model.

    Raises:
        ModelError: naming what is wrong with the file or the manifest.
    """
    path = Path(path)
    if is_bundle(path.parent):
        bundle = Bundle.read(path.parent)
        for entry in bundle.manifest["files"].values():
            if entry["file"] == path.name:
                return _load_entry(bundle, entry, threads)
    check_file(path, None)
    if sound:
        return TFLiteModel(path, threads=threads, sha256=hash_of(path))
    try_out(path)
    return TFLiteModel(path, threads=threads)


def load_files(bundle: Bundle, *, threads: int = 1) -> Iterator[tuple[str, TFLiteModel]]:
    """Loads the files of a bundle, one after the other.

    Args:
        bundle: what to load.
        threads: how many threads each may use.

    Yields:
        Pairs of a quantisation and its model.

    Raises:
        ModelError: naming the first file that is missing, damaged or another one.
    """
    for name, entry in bundle.manifest["files"].items():
        yield name, _load_entry(bundle, entry, threads)


def load_precision(bundle: Bundle, precision: str, *, threads: int = 1) -> TFLiteModel:
    """Loads one file of a bundle.

    Args:
        bundle: what it belongs to.
        precision: one of `PRECISIONS`, except Keras.
        threads: how many threads it may use.

    Returns:
        The model.

    Raises:
        ModelError: if the bundle has no such file, naming those that it has, or if that is missing,
            damaged or another one.
    """
    files = bundle.manifest["files"]
    if precision not in files:
        raise ModelError(
            f"{bundle.path} has no {precision} file; it has {', '.join((IN_KERAS, *files))}, and "
            "kerasgan export makes the others"
        )
    return _load_entry(bundle, files[precision], threads)


def _load_entry(bundle: Bundle, entry: dict[str, Any], threads: int) -> TFLiteModel:
    manifest = bundle.manifest
    return TFLiteModel(
        bundle.path / entry["file"],
        threads=threads,
        sha256=entry["sha256"],
        multiple=manifest["multiple"],
        reach=manifest.get("reach"),
    )
