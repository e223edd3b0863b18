"""Which picture files are read and written, by the endings of their names and by their size."""

import importlib.util
from pathlib import Path

from kerasgan.errors import DataError

# Read and written.
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
LOSSY_SUFFIXES = (".jpg", ".jpeg")
TIFF_SUFFIXES = (".tif", ".tiff")
# What phones write; the package pillow-heif reads it.
HEIC_SUFFIXES = (".heic", ".heif")
READ_SUFFIXES = (*SUFFIXES, ".gif", *HEIC_SUFFIXES)
# What Pillow, as it comes, refuses as a decompression bomb.
MAX_PIXELS = 178_956_970


def find_images(folder: Path) -> list[Path]:
    """Lists the image files below a folder, in a fixed order.

    Args:
        folder: searched with all its subfolders; what is hidden is passed over.

    Returns:
        Paths of the files whose suffix is one of `SUFFIXES`, sorted.
    """
    return [path for path in find_files(folder) if path.suffix.lower() in SUFFIXES]


def find_files(folder: Path) -> list[Path]:
    """Lists the files below a folder, in a fixed order.

    Args:
        folder: searched with all its subfolders; what is hidden is passed over.

    Returns:
        Their paths, sorted.
    """
    return sorted(
        path
        for path in folder.rglob("*")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def why_unreadable(path: Path) -> str | None:
    """Tells by a file's name that it cannot be read.

    Args:
        path: the file.

    Returns:
        The reason, and what to install where that helps; None if it may be a picture.
    """
    suffix = path.suffix.lower()
    if suffix not in READ_SUFFIXES:
        return "no format read here"
    missing = suffix in HEIC_SUFFIXES and importlib.util.find_spec("pillow_heif") is None
    return "pip install 'kerasgan[heic]' reads it" if missing else None


def check_readable(path: Path) -> None:
    """Checks by a file's name that it can be read.

    Args:
        path: the file.

    Raises:
        DataError: if its format is not read here, saying what to install where that helps.
    """
    if path.suffix.lower() not in READ_SUFFIXES:
        raise DataError(f"{path} is none of the formats read here ({', '.join(READ_SUFFIXES)})")
    if (reason := why_unreadable(path)) is not None:
        raise DataError(f"cannot read {path}: {reason}")


def check_size(path: Path, width: int, height: int) -> None:
    """Checks the size of a picture before there is memory for it.

    Args:
        path: its file.
        width: in pixels.
        height: in pixels.

    Raises:
        DataError: if it has none, or more than `MAX_PIXELS`.
    """
    if width == 0 or height == 0:
        raise DataError(f"{path} has no pixels: it is {width}×{height}")
    if width * height > MAX_PIXELS:
        raise DataError(f"{path} is {width}×{height}: more than {MAX_PIXELS:,} pixels")
