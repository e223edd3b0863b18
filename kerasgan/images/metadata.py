"""What image files say beside their pixels, as the options by which Pillow writes it again."""

import contextlib
import struct
import zlib
from typing import Any

from PIL import Image, JpegImagePlugin, PngImagePlugin

# TIFF's own tags tell how pixels lay in the old file, and 34675 is its colour profile: a new file
# that got these as EXIF could not be read. A few tell of the picture itself.
_LAYOUT_TAGS = {*range(254, 533), 34675} - {270, 271, 272, 282, 283, 296, 305, 306, 315}

ORIENTATION, _PROFILE, _RESOLUTIONS, _UNIT = 274, 34675, (282, 283), 296
# From here on, the camera lay on its side.
_SIDEWAYS = 5
_XMP_IN_PNG = "XML:com.adobe.xmp"
# XMP, and captions and layers of photograph editors, which TIFF files keep where EXIF data are.
_BULKY_TAGS = (700, 33723, 34377)
# What a marker of a JPEG file holds; and that less what stands before XMP in it.
_MOST_EXIF, _MOST_XMP = 65_533, 65_504
# What compresses TIFF files without loss: of one bit alone, and of any bits, as tifffile calls it.
_OF_ONE_BIT = {"group3", "group4"}
_LOSSLESS = {"tiff_lzw": "LZW", "tiff_adobe_deflate": "ADOBE_DEFLATE", "packbits": "PACKBITS"}
# TIFF's units of length, and what a PNG's metre is, in inches.
_UNITS, _INCHES = {2: 1.0, 3: 2.54}, 39.3701
# Dots per inch that PNG files can say, in dots per metre.
_FINEST = (2**31 - 1) / _INCHES


def orientation(image: Image.Image) -> int:
    """Returns how the camera was held, by EXIF's number; 1 is upright."""
    turned = image.getexif().get(ORIENTATION, 1)
    return turned if isinstance(turned, int) else 1


def kept_with_pixels(image: Image.Image, turned: int) -> dict[str, Any]:
    """Returns profile, resolution, sampling of colours and compression of an open image.

    Args:
        image: as it lies in its file.
        turned: its orientation.
    """
    return colors_and_size(image, turned) | _manner(image)


def told_in_words(image: Image.Image, turned: int) -> dict[str, Any]:
    """Returns EXIF data, XMP, comment and texts of an image.

    Args:
        image: turned upright.
        turned: its orientation before.
    """
    exif = _exif(image, turned)
    return ({"exif": exif} if exif else {}) | _words(image)


def colors_and_size(image: Image.Image, turned: int) -> dict[str, Any]:
    """Returns the colour profile, and the resolution of the upright image in dots per inch."""
    profile = image.info.get("icc_profile") if image.mode not in ("CMYK", "LAB") else None
    return _kept(profile, tuple(map(float, image.info.get("dpi", ()))), turned)


def kept_of_deep_tiff(page: Any) -> dict[str, Any]:
    """Returns profile, resolution and compression of a page that tifffile has opened."""
    resolution: tuple[float, ...] = ()
    # A damaged tag is no reason to lose the picture.
    with contextlib.suppress(TypeError, ValueError, ZeroDivisionError):
        scale = _UNITS.get(page.tags.valueof(_UNIT, 2), 0.0)
        fractions = (page.tags.valueof(tag, (0, 1)) for tag in _RESOLUTIONS)
        resolution = tuple(scale * over / under for over, under in fractions)
    turned = page.tags.valueof(ORIENTATION, 1)
    metadata = _kept(page.tags.valueof(_PROFILE), resolution, turned)
    own = getattr(page.compression, "name", "")
    for name, deep in _LOSSLESS.items():
        if deep == own:
            metadata["compression"] = name
    return metadata


def compression_of_deep(metadata: dict[str, Any]) -> str | None:
    """Returns what tifffile calls the compression."""
    return _LOSSLESS.get(metadata.get("compression", ""))


def fitting(metadata: dict[str, Any], *, is_jpeg: bool, is_bilevel: bool) -> dict[str, Any]:
    """Leaves out what a JPEG file has no room for, and compression of one bit where there are more.

    Args:
        metadata: of the source.
        is_jpeg: whether a JPEG file is written.
        is_bilevel: whether it is black and white.
    """
    kept = dict(metadata)
    if is_jpeg and len(kept.get("xmp", b"")) > _MOST_XMP:
        del kept["xmp"]
    if is_jpeg and len(kept.get("exif", b"")) > _MOST_EXIF:
        kept["exif"] = _without_bulk(kept["exif"])
    if not is_bilevel and kept.get("compression") in _OF_ONE_BIT:
        del kept["compression"]
    return kept


def _without_bulk(exif: bytes) -> bytes:
    short = Image.Exif()
    try:
        short.load(exif)
    except SyntaxError:  # It is none, as Pillow says when it writes it.
        return exif
    for tag in _BULKY_TAGS:
        short.pop(tag, None)
    return short.tobytes()


def with_chunks(png: bytes, metadata: dict[str, Any]) -> bytes:
    """Puts a colour profile and a resolution behind a PNG's header, which takes 33 bytes."""
    chunks = []
    if profile := metadata.get("icc_profile"):
        chunks.append(b"iCCP" + b"profile\0\0" + zlib.compress(profile))
    if resolution := metadata.get("dpi"):
        chunks.append(b"pHYs" + struct.pack(">IIB", *(round(_INCHES * n) for n in resolution), 1))
    framed = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    return png[:33] + b"".join(framed) + png[33:]


def _manner(image: Image.Image) -> dict[str, Any]:
    """How colours are sampled in a JPEG file, and what compresses a TIFF file without loss."""
    if image.format in ("JPEG", "MPO"):
        return {"subsampling": max(0, JpegImagePlugin.get_sampling(image))}
    compression = image.info.get("compression")
    return {"compression": compression} if compression in {*_LOSSLESS, *_OF_ONE_BIT} else {}


def _words(image: Image.Image) -> dict[str, Any]:
    """XMP, where captions and copyright lie, a JPEG file's comment, and the texts of a PNG file."""
    keys = ("xmp", "comment") if image.format in ("JPEG", "MPO") else ("xmp",)
    words = {key: image.info[key] for key in keys if isinstance(image.info.get(key), bytes)}
    # Of an animation, Pillow would go through all frames.
    texts = {} if getattr(image, "is_animated", False) else dict(getattr(image, "text", {}))
    if "xmp" in words:
        texts[_XMP_IN_PNG] = words["xmp"].decode(errors="replace")
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_itxt(key, text)
    return {**words, "pnginfo": info}


def _exif(image: Image.Image, turned: int) -> bytes | None:
    exif = image.getexif()
    across, down = _RESOLUTIONS
    if turned >= _SIDEWAYS and across in exif and down in exif:
        exif[across], exif[down] = exif[down], exif[across]
    for tag in _LAYOUT_TAGS.intersection(exif):
        del exif[tag]
    # Of a BigTIFF, no other format could read it.
    exif.bigtiff = False
    return exif.tobytes() if exif else None


def _kept(profile: bytes | None, resolution: tuple[float, ...], turned: int) -> dict[str, Any]:
    metadata: dict[str, Any] = {"icc_profile": profile} if profile else {}
    if resolution and all(0 < number < _FINEST for number in resolution):
        metadata["dpi"] = resolution[::-1] if turned >= _SIDEWAYS else resolution
    return metadata
