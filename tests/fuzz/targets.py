"""What is tried on damaged files: one `Target` for each reader.

A new one is a function that makes whole files, a function that reads one, and an entry below.
Heavy imports stay inside the functions, which run in a process of their own.
"""

import io

import numpy as np
from PIL import Image

from kerasgan.store.zoo import saved_models
from tests.fuzz.harness import Target
from tests.fuzz.mutations import BYTES, JSON, ZIP
from tests.fuzz.targets_runs import RUNS

# A model whose bytes are the same on every machine.
_MODEL = "selective-small-fer2013"


def _saved(name):
    return (saved_models()[_MODEL] / name).read_bytes()


def _pixels(*shape, dtype=np.uint8):
    random = np.random.default_rng(0)
    return random.integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


def _encoded(array, form, **options):
    content = io.BytesIO()
    Image.fromarray(array).save(content, form, **options)
    return content.getvalue()


def _png():
    import imagecodecs

    palette = io.BytesIO()
    Image.fromarray(_pixels(9, 13)).convert("P").save(palette, "PNG", transparency=3)
    return {
        "grey.png": _encoded(_pixels(17, 23), "PNG"),
        "color.png": _encoded(_pixels(9, 13, 4), "PNG"),
        "palette.png": palette.getvalue(),
        "deep.png": imagecodecs.png_encode(_pixels(9, 13, 3, dtype=np.uint16)),
    }


def _jpeg():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    return {
        "grey.jpg": _encoded(_pixels(17, 23), "JPEG"),
        "color.jpg": _encoded(_pixels(9, 13, 3), "JPEG", exif=exif, progressive=True),
    }


def _tiff():
    import tifffile

    files = {"color.tif": _encoded(_pixels(9, 13, 3), "TIFF", compression="tiff_lzw")}
    for name, photometric, options in [
        ("deep.tif", "rgb", {}),
        ("lzw.tif", "rgb", {"compression": "lzw", "rowsperstrip": 4}),
        ("tiled.tif", "rgb", {"compression": "zlib", "tile": (16, 16)}),
    ]:
        content = io.BytesIO()
        pixels = _pixels(9, 13, 3, dtype=np.uint16)
        tifffile.imwrite(content, pixels, photometric=photometric, **options)
        files[name] = content.getvalue()
    return files


def _others():
    return {
        "grey.bmp": _encoded(_pixels(17, 23), "BMP"),
        "color.bmp": _encoded(_pixels(9, 13, 3), "BMP"),
        "color.webp": _encoded(_pixels(9, 13, 4), "WEBP", lossless=True),
        "lossy.webp": _encoded(_pixels(9, 13, 3), "WEBP"),
        "first.gif": _encoded(_pixels(9, 13, 3), "GIF"),
    }


def _read_picture(path):
    """Reads a picture, and writes it as `denoise` would."""
    from kerasgan.images.pictures import read_picture, write_picture

    picture = read_picture(path)
    if picture.pixels.size < 2**20:
        again = path.with_stem("again")
        write_picture(again.with_suffix(".png") if path.suffix == ".gif" else again, picture)


def _read_tflite(path):
    """Does what `load_file` does in a process that may crash, and in ours if that went well."""
    from kerasgan.restore.litert import TFLiteModel

    TFLiteModel(path)


def _load_tflite(path):
    from kerasgan.restore.files import load_file

    load_file(path)


def _read_keras(path):
    """Loads a model and restores a picture with it."""
    from kerasgan.restore.restorer import load_restorer

    load_restorer(path)(np.full((16, 16, 1), 127, np.uint8))


def _read_manifest(path):
    """Reads a manifest, and uses all of it that a command reads."""
    from kerasgan.cli.models import _lines
    from kerasgan.store.bundle import training_record

    list(_lines("model", path.parent))
    training_record(path)


TARGETS = {
    target.name: target
    for target in (
        Target("png", _png, _read_picture, BYTES),
        Target("jpeg", _jpeg, _read_picture, BYTES),
        Target("tiff", _tiff, _read_picture, BYTES),
        Target("bmp-webp-gif", _others, _read_picture, BYTES),
        Target(
            "manifest",
            lambda: {"manifest.json": _saved("manifest.json")},
            _read_manifest,
            JSON,
        ),
        # LiteRT crashes on some; `load_file` tries such files in another process first.
        Target(
            "tflite",
            lambda: {"int8.tflite": _saved("int8.tflite")},
            _read_tflite,
            BYTES,
            share=5,
            may_crash=True,
        ),
        Target(
            "tflite-guarded",
            lambda: {"int8.tflite": _saved("int8.tflite")},
            _load_tflite,
            BYTES,
            share=1,
        ),
        Target(
            "keras",
            lambda: {"generator.keras": _saved("generator.keras")},
            _read_keras,
            ZIP,
            share=1,
            mib=8192,
        ),
        *RUNS,
    )
}
