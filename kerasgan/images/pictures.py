"""Image files: reading and writing them at 8 and 16 bits, grey and colour, with transparency."""

import dataclasses
import errno
import io
import math
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from kerasgan.errors import DataError, OutputError, first_line
from kerasgan.images.deep import (
    of_other_numbers,
    read_deep_png,
    read_deep_tiff,
    rescaled,
    with_all_bits,
    write_deep_png,
    write_deep_tiff,
)
from kerasgan.images.formats import (
    HEIC_SUFFIXES,
    LOSSY_SUFFIXES,
    MAX_PIXELS,
    SUFFIXES,
    TIFF_SUFFIXES,
    check_readable,
    check_size,
)
from kerasgan.images.metadata import (
    colors_and_size,
    fitting,
    kept_with_pixels,
    orientation,
    told_in_words,
)
from kerasgan.images.pixels import Pixels
from kerasgan.store.files import atomic_path

# What the suffixes stand for. Pillow goes by the content, and would start whatever reads it.
# "JPEG" opens MPO, too.
_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF")
# Pixels a side: what WEBP can say, and what libjpeg writes.
_LONGEST = {".webp": 16383, ".jpg": 65500, ".jpeg": 65500}
_DEEP_SUFFIXES = (".png", *TIFF_SUFFIXES)
_OPAQUE_SUFFIXES = (*LOSSY_SUFFIXES, ".bmp")
# Of JPEG files, whose colours are as fine as their brightness unless the source's were not; WEBP
# files lose nothing, the colours of what is clear included.
_QUALITY = {"quality": 95, "subsampling": 0, "lossless": True, "exact": True}


class _Quiet:
    """Ignores warnings as long as any thread is within: filters belong to the whole process."""

    def __init__(self) -> None:
        self._lock, self._within = threading.Lock(), 0
        self._before: warnings.catch_warnings[None]

    def __enter__(self) -> None:
        with self._lock:
            if not self._within:
                self._before = warnings.catch_warnings()
                self._before.__enter__()
                warnings.simplefilter("ignore")
            self._within += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._within -= 1
            if not self._within:
                self._before.__exit__(None, None, None)


_QUIET = _Quiet()


@dataclass(frozen=True, eq=False)
class Picture:
    """The content of one image file.

    Attributes:
        pixels: (H, W, C), uint8 or uint16; C is 1 for grey, 3 for RGB.
        alpha: (H, W, 1) of the same type, or None where everything is opaque.
        metadata: colour profile, resolution, and EXIF data of 8-bit files, written back with the
            picture.
        white: what white is in a file of 16 bits of which fewer are used; None where all are. It is
            65535 in `pixels`.
        images: how many the file holds, as pages or frames, of which this is the first.
        is_bilevel: whether the file has one bit a pixel, black or white; so has what is written.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    white: int | None = None
    images: int = 1
    is_bilevel: bool = False

    def restored(self, pixels: Pixels) -> "Picture":
        """Returns the same picture with other pixels, black and white ones where it has no others.

        Args:
            pixels: (H, W, C), of the same type.
        """
        if self.is_bilevel:
            pixels = np.where(pixels > 127, 255, 0).astype(np.uint8)
        return dataclasses.replace(self, pixels=pixels)


def read_picture(path: Path) -> Picture:
    """Reads an image file; of a file with several pages or frames, the first.

    Args:
        path: a file of one of `READ_SUFFIXES`.

    Returns:
        The picture, upright where EXIF says that the camera was turned.

    Raises:
        DataError: naming the file, if it is missing, no image, damaged, empty, too large
            (`MAX_PIXELS`) or of more than 16 bits, or if what reads it is not installed.
    """
    path = Path(path)
    if is_heic := path.suffix.lower() in HEIC_SUFFIXES:
        check_readable(path)
    content = _read(path)
    if not content:
        raise DataError(f"{path} is an empty file")
    try:
        with _QUIET:
            if path.suffix.lower() in TIFF_SUFFIXES and (deep := read_deep_tiff(path, content)):
                return _of_deep(*deep)
            formats = _heic_formats() if is_heic else _FORMATS
            with Image.open(io.BytesIO(content), formats=formats) as image:
                check_size(path, *image.size)
                if image.format == "PNG" and content[24] == 16:
                    turned = orientation(image) if b"eXIf" in content else 1
                    values = read_deep_png(content, turned)
                    return _of_deep(values, colors_and_size(image, turned))
                return _read_with_pillow(path, image)
    except (DataError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or MAX_PIXELS)
        raise DataError(f"{path} has more than {most:,} pixels") from error
    except Exception as error:  # Decoders raise whatever their format's code raises.
        unknown = isinstance(error, UnidentifiedImageError)
        reason = "not an image" if unknown else first_line(error)
        raise DataError(f"cannot decode {path}: {reason}") from error


def _heic_formats() -> tuple[str, ...]:
    """Has Pillow read HEIC, 8 bits of it."""
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
    return ("HEIF",)


def _read(path: Path, again: bool = True) -> bytes:
    try:
        if path.exists() and not path.is_file():
            # A pipe would be waited for without end.
            raise DataError(f"cannot read {path}: it is no regular file")
        return path.read_bytes()
    except OSError as error:
        # Disks and networks fail once and then work; what is missing stays missing.
        if again and error.errno in (errno.EIO, errno.ETIMEDOUT, errno.ESTALE, errno.EAGAIN):
            return _read(path, again=False)
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def _read_with_pillow(path: Path, image: Image.Image) -> Picture:
    turned = orientation(image)
    metadata = kept_with_pixels(image, turned)
    ImageOps.exif_transpose(image, in_place=True)
    metadata |= told_in_words(image, turned)
    if image.mode.startswith("I;16"):
        return Picture(np.asarray(image).astype(np.uint16)[..., np.newaxis], metadata=metadata)
    if image.mode in ("I", "F"):
        raise of_other_numbers(path)
    grey = image.mode in ("1", "L", "LA", "La")
    mode = ("LA" if grey else "RGBA") if image.has_transparency_data else "L" if grey else "RGB"
    array = np.asarray(image.convert(mode))
    array = array if array.ndim == 3 else array[..., np.newaxis]
    # Last: what is damaged behind the first leaves the file somewhere else.
    picture = _split_alpha(array, metadata, _count(image))
    return dataclasses.replace(picture, is_bilevel=image.mode == "1" and picture.alpha is None)


def _count(image: Image.Image) -> int:
    """Counts the pictures of a file; those behind the first may be damaged, and are none then."""
    try:
        # What else a camera puts into a JPEG file are views of the same picture.
        return 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    except Exception:  # Decoders raise whatever their format's code raises.
        return 1


def _split_alpha(array: Pixels, metadata: dict[str, Any], images: int) -> Picture:
    pixels, alpha = (
        (array[..., :-1], array[..., -1:]) if array.shape[-1] in (2, 4) else (array, None)
    )
    return Picture(pixels, alpha, metadata, images=images)


def _of_deep(values: Pixels, metadata: dict[str, Any], images: int = 1) -> Picture:
    picture = _split_alpha(values, metadata, images)
    if picture.alpha is not None:
        return picture
    pixels, white = with_all_bits(picture.pixels)
    return dataclasses.replace(picture, pixels=pixels, white=white)


def check_output(path: Path, picture: Picture | None = None) -> None:
    """Checks that a file's format can be written, and can hold a picture.

    Args:
        path: the file; its suffix decides the format.
        picture: what it must be able to hold.

    Raises:
        OutputError: naming the suffix, what it cannot hold, and what to use in its place.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise OutputError(f"cannot write {path}: its name must end in one of {', '.join(SUFFIXES)}")
    if picture is None:
        return
    if picture.pixels.dtype == np.uint16 and suffix not in _DEEP_SUFFIXES:
        raise OutputError(f"cannot write {path}: {suffix} has no 16 bits; use .png or .tif")
    if picture.alpha is not None and suffix in _OPAQUE_SUFFIXES:
        raise OutputError(f"cannot write {path}: {suffix} has no transparency; use .png")
    height, width = picture.pixels.shape[:2]
    if max(height, width) > (longest := _LONGEST.get(suffix, math.inf)):
        raise OutputError(
            f"cannot write {path}: it is {width}×{height}, and {suffix} holds at most {longest} "
            "pixels a side; use .png"
        )


def write_picture(path: Path, picture: Picture) -> None:
    """Writes an image file, whole or not at all; without loss, except to JPEG (quality 95).

    Args:
        path: the file to write or replace; its suffix decides the format.
        picture: what to write.

    Raises:
        OutputError: if the format cannot hold the picture or the place cannot be written to.
    """
    path = Path(path)
    check_output(path, picture)
    pixels = picture.pixels
    if picture.white is not None:
        pixels = rescaled(pixels, picture.white / 65535)
    parts = [pixels] if picture.alpha is None else [pixels, picture.alpha]
    array = np.concatenate(parts, axis=-1)
    with atomic_path(path) as temporary:
        try:
            _encode(temporary, array, picture.metadata, picture.is_bilevel)
        except (OSError, MemoryError):
            raise
        except Exception as error:  # Encoders raise whatever their format's code raises.
            raise OutputError(f"cannot write {path}: {first_line(error)}") from error


def _encode(path: Path, array: Pixels, metadata: dict[str, Any], is_bilevel: bool) -> None:
    if array.dtype == np.uint8:
        image = Image.fromarray(array if array.shape[-1] > 1 else array[..., 0])
        is_jpeg = path.suffix.lower() in LOSSY_SUFFIXES
        if is_bilevel and not is_jpeg:
            image = image.convert("1", dither=Image.Dither.NONE)
        # Each format takes what it knows of these.
        options = {} if path.suffix.lower() in TIFF_SUFFIXES else _QUALITY
        kept = fitting(metadata, is_jpeg=is_jpeg, is_bilevel=is_bilevel)
        image.save(path, **{**options, **kept})
    elif path.suffix.lower() in TIFF_SUFFIXES:
        write_deep_tiff(path, array, metadata)
    else:
        write_deep_png(path, array, metadata)
