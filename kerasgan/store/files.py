"""Writing files so that a reader never meets half of one."""

import contextlib
import io
import json
import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from kerasgan.errors import OutputError

# Far more than any manifest or record has, in bytes.
_LARGEST_JSON = 2**22


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Gives a path beside `path` to write to, and renames it into place once that went well.

    Args:
        path: the file to write or replace; its folder is made where it is missing.

    Yields:
        A hidden path in the same folder, with the same suffix.

    Raises:
        OutputError: if the place cannot be written to; nothing is left behind.
    """
    # What a link stands for is replaced, not the link; and whoever may read it still may.
    path = Path(os.path.realpath(path)) if Path(path).is_symlink() else Path(path)
    # Short, so that a long but legal name stays legal; the same suffix, because writers go by it.
    temporary = path.with_name(f".{secrets.token_hex(6)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        if path.is_file():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
        _flush_folder(path.parent)
    except OutputError:
        raise
    except OSError as error:
        file = next((folder for folder in path.parents if folder.is_file()), None)
        reason = f"{file} is a file, no folder" if file else error.strerror or error
        raise OutputError(f"cannot write {path}: {reason}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Gives a folder beside `path` to fill, and renames it into place once that went well.

    Args:
        path: the folder to make or replace, with everything in it.

    Yields:
        A hidden, empty folder beside it.

    Raises:
        OutputError: if the place cannot be written to; nothing is left behind.
    """
    path = Path(path).resolve()
    temporary, old = (path.with_name(f".{secrets.token_hex(6)}") for _ in range(2))
    try:
        temporary.mkdir(parents=True)
        yield temporary
        for inner in temporary.rglob("*"):
            _flush_folder(inner) if inner.is_dir() else _flush(inner)
        _flush_folder(temporary)
        if path.exists():
            path.rename(old)
        try:
            temporary.rename(path)
        except BaseException:
            if old.exists():
                old.rename(path)
            raise
        _flush_folder(path.parent)
        shutil.rmtree(old, ignore_errors=True)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _flush(path: Path) -> None:
    """Waits until a file's content is on the disk: without that, a name may outlive a power cut."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    """Waits until the names in a folder are on the disk, where the system can."""
    with contextlib.suppress(OSError):
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def write_text(path: Path, text: str) -> None:
    """Writes a text file in UTF-8, whole or not at all.

    Args:
        path: the file to write or replace.
        text: its contents.

    Raises:
        OutputError: if the place cannot be written to.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(file: Path) -> Any:
    """Reads a JSON file that may be anything.

    Args:
        file: the file.

    Returns:
        Its content.

    Raises:
        OSError: if it is no regular file, or cannot be read.
        ValueError: if it is no JSON, nested too deeply, or larger than any of kerasgan's.
    """
    if not file.is_file():
        raise FileNotFoundError("there is no such file")
    if file.stat().st_size > _LARGEST_JSON:
        raise ValueError(f"it has more than {_LARGEST_JSON:,} bytes")
    try:
        return json.loads(file.read_bytes())
    except RecursionError as error:
        raise ValueError("its values are nested too deeply") from error


def holds_keys(file: Path, keys: Sequence[str]) -> bool:
    """Tells a JSON file of kerasgan's, damaged or not, by the keys that stand in it.

    Args:
        file: which need not be there.
        keys: that tell ours from what others call by the same name.

    Returns:
        Whether all of them stand in it.
    """
    try:
        with file.open("rb") if file.is_file() else io.BytesIO() as content:
            text = content.read(_LARGEST_JSON)
    except OSError:
        return False
    return all(f'"{key}"'.encode() in text for key in keys)


def check_folder(
    path: Path, own: Callable[[], Collection[str]], noun: str, *, overwrite: bool
) -> None:
    """Checks, before long work, that a folder may be made or replaced with everything in it.

    Args:
        path: the folder.
        own: finds the names in it that may be lost, where there are any.
        noun: what is made, for messages.
        overwrite: whether such a folder may be replaced.

    Raises:
        OutputError: if there is something else, or `overwrite` is not given.
    """
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} is a file, not a folder")
    if path.resolve() == Path.cwd():
        raise OutputError("the current folder cannot be replaced; name a new one")
    if not path.exists() or not any(path.iterdir()):
        return
    if not overwrite:
        raise OutputError(f"{path} is not empty; choose another folder, or --overwrite it")
    ours = own()
    others = sorted(file.name for file in path.iterdir() if file.name not in ours)
    if others:
        raise OutputError(f"{path} holds {others[0]}, which is no part of a {noun}; move it away")


def check_new(path: Path | None, *suffixes: str) -> None:
    """Checks, before long work, that its result may be written, and replaces nothing else.

    Args:
        path: where it will go, or None.
        suffixes: of files that it may replace.

    Raises:
        OutputError: if there is a folder, or a file of another kind.
    """
    if path is None or not path.exists():
        return
    if not path.is_file():
        raise OutputError(f"cannot write {path}: it is a folder")
    if path.suffix.lower() not in suffixes:
        raise OutputError(f"{path} is there already, and no {suffixes[0]} file; move it away")
