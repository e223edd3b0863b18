"""Files of 16 bits, of which Pillow keeps 8: PNG by libpng, and TIFF by tifffile."""

import io
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kerasgan.errors import DataError
from kerasgan.images.formats import MAX_PIXELS, check_size
from kerasgan.images.metadata import (
    ORIENTATION,
    compression_of_deep,
    kept_of_deep_tiff,
    with_chunks,
)
from kerasgan.images.pixels import Pixels

# tifffile logs what is damaged behind the picture that is read; people would meet it on stderr.
logging.getLogger("tifffile").addHandler(logging.NullHandler())
# Values of a tile that may be larger than its picture.
_LARGE_TILE = 2**24
# White of 10, 12 and 14 bits, which scanners of all kinds put into 16.
_WHITES = (2**10 - 1, 2**12 - 1, 2**14 - 1)
# From the first row and column on, by the number of an orientation.
_UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda array: array[:, ::-1],
    3: lambda array: array[::-1, ::-1],
    4: lambda array: array[::-1],
    5: lambda array: array.swapaxes(0, 1),
    6: lambda array: np.rot90(array, -1),
    7: lambda array: array[::-1, ::-1].swapaxes(0, 1),
    8: lambda array: np.rot90(array),
}


class DeepTiff(NamedTuple):
    """The first picture of a TIFF file.

    Attributes:
        values: (H, W, C), uint16, upright; opacity is the last of 2 or 4 channels.
        metadata: colour profile, resolution and compression.
        images: how many pictures the file holds.
    """

    values: Pixels
    metadata: dict[str, Any]
    images: int


def read_deep_png(content: bytes, turned: int) -> Pixels:
    """Reads a PNG file of 16 bits.

    Args:
        content: of the file.
        turned: its orientation.

    Returns:
        As `DeepTiff.values`.
    """
    import imagecodecs

    array = imagecodecs.png_decode(content)
    return _upright(array if array.ndim == 3 else array[..., np.newaxis], turned)


def read_deep_tiff(path: Path, content: bytes) -> DeepTiff | None:
    """Reads a TIFF file of 16 bits.

    Args:
        path: of the file, for messages.
        content: of it.

    Returns:
        Its first picture; None where that has 8 bits or fewer.

    Raises:
        DataError: if it is no picture, too large, of more bits or of other colours.
    """
    import tifffile

    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page = file.pages.first
        check_size(path, page.imagewidth, page.imagelength)
        if page.samplesperpixel > 4:
            raise DataError(f"{path} is no picture: it has {page.samplesperpixel} values a pixel")
        if page.dtype is not None and (page.dtype.kind in "fi" or page.dtype.itemsize > 2):
            raise of_other_numbers(path)
        if page.dtype != np.uint16:
            return None
        if page.photometric not in (
            tifffile.PHOTOMETRIC.MINISBLACK,
            tifffile.PHOTOMETRIC.MINISWHITE,
            tifffile.PHOTOMETRIC.RGB,
        ):
            kind = tifffile.PHOTOMETRIC(page.photometric).name
            raise DataError(f"{path} is a {kind} picture; convert it to grey or RGB first")
        # A volume has as many pixels as it has slices, and a damaged tile as many as it says.
        values, of_tile = math.prod(page.shape), math.prod(page.chunks)
        if values > 4 * MAX_PIXELS or of_tile > max(values, _LARGE_TILE):
            raise DataError(
                f"{path} is no picture: its values have the shape {page.shape}, in pieces of "
                f"{page.chunks}"
            )
        array = page.asarray()
        if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and array.ndim == 3:
            array = np.moveaxis(array, 0, -1)
        array = array[..., np.newaxis] if array.ndim == 2 else array
        if array.ndim != 3 or array.shape[-1] > 4:
            raise DataError(f"{path} is no picture: its values have the shape {array.shape}")
        if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
            colors = array[..., : page.samplesperpixel - len(page.extrasamples)]
            np.subtract(np.iinfo(array.dtype).max, colors, out=colors)
        if tifffile.EXTRASAMPLE.ASSOCALPHA in page.extrasamples and array.shape[-1] in (2, 4):
            array = _divided_by_alpha(array)
        # Previews are no pictures of their own.
        images = sum(not getattr(page, "is_reduced", False) for page in file.pages)
        turned = page.tags.valueof(ORIENTATION, 1)
        return DeepTiff(_upright(array, turned), kept_of_deep_tiff(page), images)


def with_all_bits(pixels: Pixels) -> tuple[Pixels, int | None]:
    """Scales pixels of which exactly 10, 12 or 14 bits are used to 16, which `rescaled` undoes.

    Args:
        pixels: (H, W, C), uint16.

    Returns:
        The pixels, and what white was; None where it is 65535 as it is.
    """
    white = int(pixels.max())
    return (rescaled(pixels, 65535 / white), white) if white in _WHITES else (pixels, None)


def rescaled(pixels: Pixels, factor: float) -> Pixels:
    """Multiplies pixels, uint16, and rounds them."""
    return np.rint(pixels * np.float32(factor)).astype(np.uint16)


def write_deep_png(path: Path, array: Pixels, metadata: dict[str, Any]) -> None:
    """Writes a PNG file of 16 bits: values as `DeepTiff` has them."""
    import imagecodecs

    path.write_bytes(with_chunks(bytes(imagecodecs.png_encode(array)), metadata))


def write_deep_tiff(path: Path, array: Pixels, metadata: dict[str, Any]) -> None:
    """Writes a TIFF file of 16 bits: values as `DeepTiff` has them."""
    import tifffile

    channels = array.shape[-1]
    tifffile.imwrite(
        path,
        array if channels > 1 else array[..., 0],
        photometric="rgb" if channels >= 3 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        compression=compression_of_deep(metadata),
        iccprofile=metadata.get("icc_profile"),
        resolution=metadata.get("dpi"),
        resolutionunit="inch" if "dpi" in metadata else None,
    )


def of_other_numbers(path: Path) -> DataError:
    """The error of a file whose values have more bits, or signs."""
    return DataError(f"{path} has values of 32 bits, or signed ones; convert it to 8 or 16 bits")


def _divided_by_alpha(array: Pixels) -> Pixels:
    """Undoes what "associated" transparency does to colours; what is all clear stays black."""
    top = np.iinfo(array.dtype).max
    opacity = np.maximum(array[..., -1:], 1) / np.float32(top)
    colors = np.minimum(np.rint(array[..., :-1] / opacity), top).astype(array.dtype)
    return np.concatenate([colors, array[..., -1:]], axis=-1)


def _upright(array: Pixels, turned: int) -> Pixels:
    """Undoes what TIFF's and EXIF's orientation says of a camera; Pillow does so for 8 bits."""
    return np.ascontiguousarray(_UPRIGHT.get(turned, lambda array: array)(array))
