"""Arrays of pixels: 8 and 16 bits, floats, grey and colour."""

from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]


def to_float(pixels: Pixels) -> Pixels:
    """Scales integer pixels by their type's range.

    Args:
        pixels: uint8 or uint16 array.

    Returns:
        float32 array of the same shape, in [0, 1].

    Raises:
        ValueError: for other types, whose range would have to be guessed.
    """
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"pixels must be uint8 or uint16, got {pixels.dtype}")
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def from_float(values: Pixels, dtype: npt.DTypeLike) -> Pixels:
    """Clips to [0, 1] and rounds to integer pixels; undoes `to_float` exactly.

    Args:
        values: float array.
        dtype: numpy.uint8 or numpy.uint16.

    Returns:
        Array of that type and the same shape.
    """
    return np.rint(np.clip(values, 0.0, 1.0) * np.iinfo(dtype).max).astype(dtype)


def as_bytes(pixels: Pixels, channels: int) -> Pixels:
    """Rounds pixels to 8 bits, and turns grey into colour or colour into grey.

    Args:
        pixels: (H, W, 1) or (H, W, 3), uint8 or uint16.
        channels: 1 for grey, 3 for colour.

    Returns:
        (H, W, channels), uint8.
    """
    if pixels.dtype != np.uint8:
        pixels = from_float(to_float(pixels), np.uint8)
    return with_channels(pixels, channels)


def with_channels(pixels: Pixels, channels: int) -> Pixels:
    """Turns grey into colour or colour into grey.

    Args:
        pixels: (H, W, 1) or (H, W, 3), uint8 or uint16.
        channels: 1 for grey, 3 for colour.

    Returns:
        (H, W, channels) of the same type; grey is the luma of ITU-R BT.601, rounded to the
        nearest; Pillow's differs by a level now and then.
    """
    if pixels.shape[-1] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=-1)
    luma = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.rint(luma)[..., np.newaxis].astype(pixels.dtype)


def mirrored(pixels: Pixels, height: int, width: int) -> Pixels:
    """Continues an image to a size by mirroring it at its right and lower end.

    Args:
        pixels: (H, W, C).
        height: to which it goes on where it is less high, in pixels.
        width: to which it goes on where it is less wide, in pixels.

    Returns:
        An array of the same type, of the larger of both heights and widths.
    """
    missing = [(0, max(0, height - pixels.shape[0])), (0, max(0, width - pixels.shape[1]))]
    return np.pad(pixels, [*missing, (0, 0)], mode="symmetric")


def random_crop(pixels: Pixels, size: tuple[int, int], random: np.random.Generator) -> Pixels:
    """Cuts a piece out of an image, which is mirrored first where it is smaller.

    Args:
        pixels: (H, W, C).
        size: height and width of the piece.
        random: decides where.

    Returns:
        An array of the same type, (height, width, C).
    """
    image = mirrored(pixels, *size)
    top, left = (
        random.integers(extent - wanted + 1)
        for extent, wanted in zip(image.shape[:2], size, strict=True)
    )
    return image[top : top + size[0], left : left + size[1]]
