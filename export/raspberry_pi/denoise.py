#!/usr/bin/env python3
"""Restores pictures damaged by salt-and-pepper noise, on a Raspberry Pi and without TensorFlow.

    denoise.py photo.png more/                 restores files, and all pictures of folders
    denoise.py --watch incoming/ -o restored/  restores what arrives there, until stopped
    denoise.py --camera -o restored/           restores what the camera sees
    denoise.py --benchmark                     tells how fast that is

A picture without salt and pepper is copied as it is, unless --force is given; a model for other
noise restores those alone.

The model is a bundle that `kerasgan export` wrote, or one .tflite file of it; by default, the
folder `bundle` beside this program.
"""

import argparse
import contextlib
import errno
import hashlib
import json
import logging
import math
import os
import resource
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin, UnidentifiedImageError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
OPAQUE_SUFFIXES = (".jpg", ".jpeg", ".bmp")
# Pillow goes by the content, whatever the suffix, and would hand PostScript over to Ghostscript.
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF")
# TIFF's own tags tell how the pixels lay in the old file, but for the few that tell of the picture,
# and 34675 is its colour profile: a new TIFF that got these could not be read.
LAYOUT_TAGS = {*range(254, 533), 34675} - {270, 271, 272, 282, 283, 296, 305, 306, 315}
# Colour of this many pixels takes half a gigabyte: it fits on a Pi with 1 GB.
MAX_PIXELS = 50_000_000
# Rows that are copied out of a decoded picture at once.
STRIP = 256
# Files are taken up once they have not changed for so long.
SETTLED_SECONDS = 2.0
# How long a folder is left alone that could not be written to.
RETRY_SECONDS = 30.0
# What disks, memory sticks and network shares answer that may take the same picture later; not that
# a name is too long, for example.
PASSING = {
    getattr(errno, name)
    for name in (
        *("ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EPERM", "ENOENT", "ENOTDIR", "EEXIST"),
        *("ENODEV", "ENOTCONN", "ESTALE", "ETIMEDOUT", "EHOSTDOWN", "EBUSY", "ENOMEM", "EMFILE"),
    )
}
# How long a file of unknown origin may take to restore a picture of each of its sizes.
TRIAL_SECONDS = 300.0
# No network needs so much; a damaged one may ask for all there is, and have other programs ended.
TRIAL_BYTES = 8 * 2**30
# Where --watch keeps what it has done, and how many lines it may have twice over.
RECORD, SPARE_LINES = ".kerasgan-restored.jsonl", 1000
LARGEST_MARGIN, ANY_SIZE, ANY_MULTIPLE = 64, 512, 32
STEPS_PER_PICTURE = 20
# Of the files that are left out, so many are named.
NAMED = 5
# The fewest values that tell anything.
FEWEST = 64
# What models remove where nothing tells it; and what those do that remove several kinds.
SALT_AND_PEPPER, MIXED = "salt-and-pepper", "mixed"


class Failure(Exception):
    """Something that a person can act on; it is printed without a traceback."""


class CannotWrite(Failure):
    """No fault of the picture: the same one may be written later."""


# --- The model ------------------------------------------------------------------------------------


class Model:
    """A .tflite file from `kerasgan export`: signature `denoise`, from `noisy` to `restored`.

    Args:
        path: the file, or a bundle: its int8 file, or the first where there is none.
        threads: how many threads it may use.
        trial: whether this process is the one that finds out whether the file works; see `try_out`.
        strength: how far to go from a noisy picture to the restored one, from 0 to 1.
    """

    def __init__(self, path, threads, trial=False, strength=1.0):
        self.strength = strength
        self.path, sha256, multiple, margin, self.noise, self.knows_pages = find_file(Path(path))
        if read_start(self.path, 8)[4:] != b"TFL3":
            raise Failure(f"{self.path} is no TFLite model")
        if sha256 is not None and hash_of(self.path) != sha256:
            raise Failure(
                f"{self.path} is not the file that its manifest.json lists; copy it again"
            )
        if sha256 is None and not trial:
            try_out(self.path, threads)
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise Failure(
                "install what requirements.txt lists: ai-edge-litert is missing"
            ) from error
        started = time.perf_counter()
        try:
            with quiet_stderr():
                self._load(Interpreter(model_path=str(self.path), num_threads=threads))
        except Exception as error:  # LiteRT raises whatever it meets in a damaged file.
            raise Failure(
                f"{self.path} is damaged, or restores no pictures: {reason(error)}"
            ) from error
        self.load_seconds = time.perf_counter() - started
        if sha256 is not None:
            check_multiple(multiple, self.sizes, self.path.with_name("manifest.json"))
        self.multiple = multiple or likely_multiple(self.sizes)
        self.known_margin = margin
        if trial:
            self._try()

    def _load(self, interpreter):
        self._runners = {
            name: interpreter.get_signature_runner(name)
            for name in sorted(interpreter.get_signature_list())
            if name == "denoise" or name.startswith("denoise_")
        }
        if "denoise" not in self._runners:
            raise ValueError("it has no signature 'denoise'")
        shapes = {}
        for name, runner in self._runners.items():
            noisy = runner.get_input_details()["noisy"]
            restored = runner.get_output_details()["restored"]
            if list(noisy["shape"]) != list(restored["shape"]):
                raise ValueError("it gives back other sizes than it takes")
            if not {noisy["dtype"], restored["dtype"]} <= {np.float32, np.uint8, np.int8}:
                raise ValueError("it takes or gives numbers of a type unknown here")
            shapes[name] = parse_shape(noisy["shape_signature"])
            if name == "denoise":
                self._input, self._output = noisy, restored
        self.channels = shapes["denoise"][2]
        if any(shape[2] != self.channels for shape in shapes.values()):
            raise ValueError("it takes both grey and colour")
        self.sizes = {shape[:2]: name for name, shape in shapes.items() if shape[0] > 0}

    def _try(self):
        """Restores noise in every size: many a damage shows only then."""
        random = np.random.default_rng(0)
        values = np.array([0, 128, 255], np.uint8)
        for size in self.sizes or [self.window(1, 1)[:2]]:
            noisy = random.choice(values, (*size, self.channels))
            if not np.isfinite(self.run(noisy)).all():
                raise Failure(f"{self.path} is damaged: it does not answer with numbers")

    def window(self, height, width):
        """The size in which a picture is restored, and the margin that tiles overlap by."""
        if not self.sizes:
            size = [
                -(-min(extent, ANY_SIZE) // self.multiple) * self.multiple
                for extent in (height, width)
            ]
            return (*size, self._margin(ANY_SIZE))
        windows = [(*size, self._margin(min(size))) for size in self.sizes]
        widest = max(margin for *_, margin in windows)

        def work(window):
            """Without seams or with the widest margin if that can be; then by pixels."""
            rows, columns, margin = window
            own = 2 * margin
            count = max(1, -(-(height - own) // (rows - own)))
            count *= max(1, -(-(width - own) // (columns - own)))
            return (0 if count == 1 else widest - margin), count * rows * columns

        return min(windows, key=work)

    def _margin(self, extent):
        """What the network has to see, as far as a window holds it: an eighth of it at most."""
        wanted = -(-extent // (8 * self.multiple)) * self.multiple
        possible = (extent - self.multiple) // (2 * self.multiple) * self.multiple
        if self.known_margin is not None:
            wanted = min(wanted, -(-self.known_margin // self.multiple) * self.multiple)
        return min(wanted, possible, max(1, LARGEST_MARGIN // self.multiple) * self.multiple)

    def run(self, noisy):
        """Restores one window: uint8 (H, W, C) to float32 in [0, 1]."""
        values = noisy.astype(np.float32) / np.float32(255)
        runner = self._runners[self.sizes.get(noisy.shape[:2], "denoise")]
        scale, zero_point = self._input["quantization"]
        if scale:
            limits = np.iinfo(self._input["dtype"])
            values = np.clip(np.rint(values / scale) + zero_point, limits.min, limits.max)
        try:
            numbers = runner(noisy=values[np.newaxis].astype(self._input["dtype"]))["restored"][0]
        except Exception as error:  # As in loading: kernels look at their tensors only now.
            raise Failure(f"{self.path} cannot be run: {reason(error)}") from error
        if numbers.shape != noisy.shape:
            raise Failure(f"{self.path} is damaged: it gives back other sizes than it takes")
        scale, zero_point = self._output["quantization"]
        if scale:
            numbers = (numbers.astype(np.float32) - zero_point) * np.float32(scale)
        return numbers


@contextlib.contextmanager
def quiet_stderr():
    """Drops what LiteRT says of itself; what it cannot do, it raises."""
    shown = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(shown, 2)
        os.close(shown)


def likely_multiple(sizes):
    """A network's stride where no manifest tells it: one that its sizes leave room for."""
    extents = [extent for size in sizes for extent in size]
    multiple = ANY_MULTIPLE
    while multiple > 1 and any(extent % multiple or extent < 4 * multiple for extent in extents):
        multiple //= 2
    return multiple


def parse_shape(signature):
    """Height, width and channels of what a signature takes; -1 for any height and width."""
    batch, height, width, channels = map(int, signature)
    any_size = height == width == -1
    if batch != 1 or channels not in (1, 3) or not (any_size or min(height, width) > 0):
        raise ValueError(f"it takes the shape {list(signature)}")
    if height * width > MAX_PIXELS:
        raise ValueError(f"it takes more than {MAX_PIXELS:,} pixels at once")
    return height, width, channels


def check_multiple(multiple, sizes, manifest):
    """A stride that does not fit would let windows overlap by more than they hold."""
    fits = type(multiple) is int and 0 < multiple <= ANY_SIZE
    if not fits or any(extent % multiple for size in sizes for extent in size):
        raise Failure(
            f"{manifest} is damaged: its sizes cannot be multiples of {multiple!r}; copy it again"
        )


class Listed(NamedTuple):
    """A .tflite file, and what a manifest tells of it."""

    path: Path
    sha256: str | None = None
    multiple: int | None = None
    margin: int | None = None
    noise: str = SALT_AND_PEPPER
    knows_pages: bool = False


def find_file(path):
    """The .tflite file; and what a manifest tells of it, where one lists it."""
    is_bundle = path.is_dir()
    manifest = (path if is_bundle else path.parent) / "manifest.json"
    try:
        content = read_manifest(manifest)
    except (OSError, ValueError, RecursionError) as error:
        if is_bundle:
            raise Failure(f"{manifest} is damaged: {reason(error)}; copy it again") from error
        # It may be anybody's; the file will be tried out.
        content = None
    if content is None and is_bundle:
        raise Failure(
            f"{path} holds no manifest.json of kerasgan's; name a bundle or a .tflite file: --model"
        )
    if content is None:
        return Listed(path)
    try:
        files = content["files"]
        if is_bundle:
            entry = files.get("int8") or next(iter(files.values()))
            path = path / Path(entry["file"]).name
        else:
            entry = next((one for one in files.values() if one["file"] == path.name), None)
        if entry is None:
            return Listed(path)
        noise = content.get("noise", {}).get("kind", SALT_AND_PEPPER)
        sha256, margin = str(entry["sha256"]), margin_of(content)
        return Listed(path, sha256, content["multiple"], margin, noise, knows_pages(content))
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        raise Failure(f"{manifest} is damaged: {error!r}; copy it again") from error


def knows_pages(manifest):
    """Whether the network learnt from pages, too, and leaves alone what it takes for no noise."""
    with contextlib.suppress(KeyError, TypeError):
        config = manifest["training"]["config"]
        return bool(config["data"]["pages"] and config["generator"]["gated"])
    return False


def margin_of(manifest):
    """The multiple nearest to a third of how far the network looks; None where that is unknown."""
    reach, multiple = manifest.get("reach"), manifest.get("multiple")
    if not multiple or not all(type(value) is int and value >= 0 for value in (multiple, reach)):
        return None
    return max(1, (2 * reach + 3 * multiple) // (6 * multiple)) * multiple


def read_manifest(path):
    """What kerasgan wrote into a manifest.json; None where there is none, or another program's."""
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    if not isinstance(content, dict) or not {"version", "files", "signatures"} <= content.keys():
        return None
    if content["version"] != 1:
        raise Failure(f"{path} is of version {content['version']!r}; this program reads 1")
    return content


def try_out(path, threads):
    """Has a process of its own run a file that no manifest vouches for.

    Some damages end LiteRT, and with it the program that it is part of.
    """
    command = [sys.executable, __file__, f"--model={path}", f"--threads={threads}", "--try"]
    try:
        tried = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=TRIAL_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise Failure(f"{path} restores no picture within {TRIAL_SECONDS:.0f} s") from error
    if tried.returncode < 0:
        raise Failure(f"{path} is damaged: it ends LiteRT by signal {-tried.returncode}")
    if tried.returncode > 0:
        last = tried.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise Failure(last.removeprefix("Error: ") or f"{path} cannot be tried out")


def tile(extent, window, margin, multiple):
    """Covers a height or width: pixels of each window, what is kept of it, and where that goes."""
    latest = max(0, -(-(extent - window) // multiple) * multiple)
    kept = start = 0
    while kept < extent:
        start = min(start, latest)
        end = min(start + window, extent)
        last = end if end == extent else end - margin
        yield slice(start, end), slice(kept - start, last - start), slice(kept, last)
        kept, start = last, last - margin


def restore(model, noisy):
    """Restores a picture of any size, uint8 (H, W, 1) or (H, W, 3), in overlapping tiles."""
    if noisy.shape[2] == 3 and model.channels == 1:
        planes = [restore(model, noisy[..., [channel]]) for channel in range(3)]
        return np.concatenate(planes, axis=2)
    if noisy.shape[2] == 1 and model.channels == 3:
        restored = restore(model, np.repeat(noisy, 3, axis=2))
        return np.median(restored, axis=2, keepdims=True).astype(np.uint8)
    restored = np.empty_like(noisy)
    height, width, margin = model.window(*noisy.shape[:2])
    for rows, inner_rows, kept_rows in tile(noisy.shape[0], height, margin, model.multiple):
        for columns, inner_columns, kept_columns in tile(
            noisy.shape[1], width, margin, model.multiple
        ):
            piece = noisy[rows, columns]
            missing = ((0, height - piece.shape[0]), (0, width - piece.shape[1]), (0, 0))
            result = model.run(np.pad(piece, missing, mode="symmetric"))
            result = result[inner_rows, inner_columns]
            if model.strength < 1.0:
                before = noisy[kept_rows, kept_columns].astype(np.float32) / np.float32(255)
                result = before + model.strength * (result - before)
            result = np.rint(np.clip(result, 0.0, 1.0) * 255)
            restored[kept_rows, kept_columns] = result.astype(np.uint8)
    return restored


# --- Which noise there is: kerasgan/restore/impulses.py, word for word ----------------------------

Pixels = np.ndarray

# So many values are looked at, in tiles of that side that are spread over a larger picture.
_VALUES, _TILE = 2**19, 128
# Brightness of surroundings is less than that: 255 times the neighbours' weights.
_SCORES = 255 * (24 + 8) + 255 * 225 // 16 + 1
# The least share of one colour that is noise, and how many impulses that must be.
_LEAST_SHARE, _FEWEST_IMPULSES = 0.0015, 10
# Impulses differ from their surroundings by so many levels; so do those that are not quite black.
_CONTRAST, _NEAR_CONTRAST = 8, 64
# Dots of a halftone avoid their neighbours by so much more than those so many pixels apart, as a
# share of the variance of black: by 0.1 or more; in noise it was 0.015 at most.
_AVOIDING, _APART = 0.025, 4
# Rows and columns without impulses are looked at that are so long that noise leaves so many.
_GAPS = 10
# From here on there is nothing left to restore from.
_ALL = 0.999
# Where black and white alternate in the picture itself, as in text, restoring changes them, too.
# From so many times the share of noise on, that does more harm than good: measured on photographs,
# pages, screens, charts and codes with `selective-photos`, which never saw pages. Up to 0.9 it did
# none, but on screens with 1% of noise. `selective-pages` did next to none, however often.
_HARM = 1.1


class Impulses(NamedTuple):
    """What there is of impulses in a picture; shares lie in [0, 1].

    Attributes:
        share: of the values that salt and pepper replaced; 0 where there is none.
        others: of the values that other impulses replaced, as far as they are about black or white.
        black: of the values that are pure black, for whatever reason.
        white: of the values that are pure white.
        mixed: of the values that are black where white prevails or the other way round, by blocks
            of 8×8 pixels.
        together: whether impulses strike all channels of a pixel; False in grey.
    """

    share: float
    others: float
    black: float
    white: float
    mixed: float
    together: bool

    @property
    def is_salt_and_pepper(self) -> bool:
        """Whether there is salt and pepper, and more than that."""
        return 0.0 < self.share <= _ALL

    @property
    def verdict(self) -> str:
        """What there is of salt and pepper, for people."""
        if self.is_salt_and_pepper:
            return f"salt and pepper, about {_percent(self.share)}"
        pure = f"{_percent(self.black + self.white)} of its values are pure black or white"
        return f"no salt and pepper: {pure}" if self.share == 0.0 else f"nothing but noise: {pure}"

    def objection(self, knows_pages: bool = False) -> str | None:
        """Why a model had better not restore the picture; None if it may."""
        if not self.is_salt_and_pepper:
            return self.verdict
        if not knows_pages and self.mixed > _HARM * self.share:
            return (
                f"{self.verdict}, but restoring would change the picture's own black and white, too"
            )
        return None


def find_impulses(pixels: Pixels) -> Impulses:
    """Looks for impulses; takes milliseconds, however large the picture is.

    Args:
        pixels: (H, W, C): uint8, uint16, or float in [0, 1].

    Returns:
        What there is of them.
    """
    planes = sample(pixels)
    scores = _surroundings(planes)
    places = np.bincount(scores.ravel(), minlength=_SCORES)
    sides = (
        _side(planes, _SCORES - 1 - scores, places[::-1]),
        _side(255 - planes, scores, places),
    )
    share = sum(side.share for side in sides if side.noise)
    if sum(side.noise for side in sides) == 1:
        # The other colour hides in what the picture has of it, and is no more frequent.
        share += min(side.share for side in sides)
    if not any(side.pure for side in sides) and any(
        side.share < share and side.near > max(side.share, 0.05 * share) for side in sides
    ):
        share = 0.0
    if share and _is_halftone(planes == 0):
        share = 0.0
    others = 0.0 if share else sum(side.near + side.share for side in sides if side.near)
    black, white = (float((planes == value).mean()) for value in (0, 255))
    together = planes.shape[1] > 1 and max(side.joint for side in sides) > 2
    return Impulses(min(share, 1.0), min(others, 1.0), black, white, _mixed(planes), together)


def sample(pixels: Pixels) -> Pixels:
    """Takes a picture (H, W, C), or tiles that are spread over a large one.

    Args:
        pixels: uint8, uint16, or float in [0, 1].

    Returns:
        uint8 (n, C, h, w); only what was pure black or white is 0 or 255.
    """
    height, width, channels = pixels.shape
    planes = np.moveaxis(pixels, -1, 0)
    if planes.size <= _VALUES:
        return _levels(np.ascontiguousarray(planes[np.newaxis]))
    count = _VALUES // (_TILE**2 * channels)
    down = max(1, min(count, round(math.sqrt(count * height / width))))
    # At multiples of 8, where JPEG has its blocks.
    tops = np.linspace(0, max(0, height - _TILE), down).astype(int) // 8 * 8
    lefts = np.linspace(0, max(0, width - _TILE), count // down).astype(int) // 8 * 8
    tiles = [planes[:, top : top + _TILE, x : x + _TILE] for top in tops for x in lefts]
    return _levels(np.stack(tiles))


def _percent(share: float) -> str:
    return f"{100 * share:.{0 if share >= 0.095 else 1}f}%"


def _mixed(planes: Pixels) -> float:
    *rest, height, width = planes.shape
    height, width = height // 8, width // 8
    if height * width == 0:
        return 0.0
    blocks = planes[..., : 8 * height, : 8 * width].reshape(*rest, height, 8, width, 8)
    black, white = ((blocks == value).mean(axis=(-3, -1)) for value in (0, 255))
    return float(np.minimum(black, white).mean())


def _levels(planes: Pixels) -> Pixels:
    """Scales to 8 bits, where only pure black and white become 0 and 255."""
    if planes.dtype == np.uint8:
        return planes
    top = np.float32(1.0 if planes.dtype.kind == "f" else np.iinfo(planes.dtype).max)
    between = np.clip(np.rint(planes / top * 255), 1, 254)
    return np.select([planes <= 0, planes >= top], [0, 255], between).astype(np.uint8)


class _Side(NamedTuple):
    """Impulses of one colour.

    Attributes:
        share: of the values that they are.
        near: share of values near that colour, where those are other impulses; else 0.
        joint: how many channels they strike at a time.
        noise: whether they passed every test.
        pure: whether they did, and nothing else is near that colour.
    """

    share: float
    near: float
    joint: float
    noise: bool
    pure: bool


def _sums(values: Pixels, size: int, step: int = 1) -> Pixels:
    """Adds `size` values, `step` apart, down and across."""
    reach = step * (size - 1)
    height, width = values.shape[-2] - reach, values.shape[-1] - reach
    starts = range(step, reach + 1, step)
    down = sum((values[..., i : i + height, :] for i in starts), values[..., :height, :])
    return sum((down[..., i : i + width] for i in starts), down[..., :width])


def _surroundings(planes: Pixels) -> Pixels:
    """Tells how bright it is around every value, itself left out.

    The four neighbours count three times, the others within 5×5 once, and all within 15×15 a
    sixteenth. It is grey beyond the edge: values that were mirrored there would count themselves.
    """
    wide = np.pad(planes, [(0, 0)] * 2 + [(7, 7)] * 2, constant_values=128).astype(np.uint16)
    five = _sums(wide, 5)
    near = wide[..., 6:-6, 6:-6]
    cross = near[..., :-2, 1:-1] + near[..., 2:, 1:-1] + near[..., 1:-1, :-2] + near[..., 1:-1, 2:]
    far = (_sums(five, 3, 5) - planes) >> 4
    return five[..., 5:-5, 5:-5] - planes + 2 * cross + far


def _side(planes: Pixels, ranks: Pixels, places: Pixels) -> _Side:
    """Looks for black impulses.

    Args:
        planes: (n, C, h, w), uint8.
        ranks: of the same shape, lowest where the surroundings are brightest.
        places: how often there is each rank.
    """
    black = planes == 0
    joint = max(1.0, float(black.sum() / max(1, black.any(axis=1).sum())))
    # Places and black ones up to each rank.
    n = np.cumsum(places)
    e = np.cumsum(np.bincount(ranks[black], minlength=_SCORES))
    whole = int(n[-1])
    ends = sorted({int(np.searchsorted(n, size)) for size in _growing(whole)})
    first, second = ends[0], ends[min(1, len(ends) - 1)]
    last, steady = first, len(ends) == 1
    for end in ends[1:]:
        inner, more = e[last] / n[last], n[end] - n[last]
        share = e[end] / n[end]
        error = math.sqrt(joint * share * (1 - share) * (1 / n[last] + 1 / more))
        difference = abs((e[end] - e[last]) / more - inner) - 0.1 * min(share, 1 - share)
        if difference > (2.5 if steady else 3.0) * error:
            break
        last, steady = end, True
    share = float(e[last] / n[last])
    # Around the brightest places and in them.
    wide = np.pad(black, [(0, 0)] * 2 + [(2, 2)] * 2).view(np.uint8)
    inside = e[first] / n[first]
    around = (_sums(wide, 5)[ranks <= first].mean() - inside) / 24
    near, valley, contrast = _almost_black(planes[ranks <= second])
    steady = steady and around < 1.15 * inside + 0.01 and contrast >= _CONTRAST
    expected = 0.15 * share * n[second]
    noise = (
        steady
        and share > _LEAST_SHARE
        and e[last] > _FEWEST_IMPULSES * joint
        and e[-1] < whole
        and share < 1.1 * e[-1] / whole + 3 * math.sqrt(joint * share * (1 - share) / n[last])
        and near < expected + math.sqrt(expected) + 1
        and _is_even(black, ranks <= last, joint)
        and not _has_gaps(black, share, joint)
    )
    # Other noise has the more values the less they differ from the surroundings.
    others = steady and contrast >= _NEAR_CONTRAST and near >= 0.7 * valley
    near_share = float(near / n[second]) if others else 0.0
    return _Side(share, near_share, joint, bool(noise), bool(noise and near < 0.1 * expected))


def _growing(whole: int) -> Iterator[int]:
    """A hundredth of the places, or 256, and so on in steps of four times as many."""
    size = max(whole // 100, 256)
    while size < whole:
        yield size
        size *= 4
    yield whole


def _almost_black(values: Pixels) -> tuple[int, int, int]:
    """Counts values near black, and between those and twice that; tells what is usual, too."""
    counts = np.bincount(values, minlength=256)
    rest = np.cumsum(counts[1:255])
    usual = int(np.searchsorted(rest, rest[-1] / 2)) + 1 if rest[-1] > 0.02 * counts[255] else 255
    limit = min(max(usual // 3, 1), 40)
    return int(counts[1 : limit + 1].sum()), int(counts[limit + 1 : 2 * limit + 1].sum()), usual


def _is_halftone(black: Pixels) -> bool:
    """Tells whether black avoids black, as dots that stand for grey do; noise does not care."""
    near, far = (
        np.count_nonzero(black[..., step:] & black[..., :-step])
        + np.count_nonzero(black[..., step:, :] & black[..., :-step, :])
        for step in (1, _APART)
    )
    share = np.count_nonzero(black) / black.size
    chance = share * (1 - share) * (_AVOIDING * black.size + 4 * math.sqrt(black.size))
    return bool((near - far) / 2 < -chance)


def _has_gaps(black: Pixels, share: float, joint: float) -> bool:
    """Tells whether more rows and columns go on without black than noise would let them.

    Noise leaves of a whole row of n values (1 − share)^n at most, whatever it fell on.
    """
    share = min(share, 0.99) - 0.1 * min(share, 1 - share)
    length = math.ceil(math.log(black.size / _GAPS) / -math.log1p(-share))
    most = _GAPS + 6 * math.sqrt(2 * joint * _GAPS / share)
    for axis in (-1, -2):
        if length < black.shape[axis]:
            before = np.cumsum(np.moveaxis(black, axis, 0), axis=0, dtype=np.int32)
            if np.count_nonzero(before[length:] == before[:-length]) > most:
                return True
    return False


def _is_even(black: Pixels, places: Pixels, joint: float) -> bool:
    """Tells whether black is as frequent in all rows and all columns as chance would have it.

    By the index of dispersion, whose deviation is known of Poisson counts; a tenth of a line's
    impulses is left to what the picture has itself.
    """
    black = black & places
    for axis in (-1, -2):
        n, e = (mask.sum(axis=axis, dtype=np.int64).ravel() for mask in (places, black))
        n, e = n[n > 0], e[n > 0]
        share, mean = e.sum() / n.sum(), e.mean() / joint
        variance = joint * share * (1 - share) * n.sum()
        limit = 1 + 4 * math.sqrt((2 + 1 / mean) / len(n)) + 0.1 * mean
        if ((e - share * n) ** 2).sum() > limit * variance:
            return False
    return True


# --- Files ----------------------------------------------------------------------------------------


def reason(error):
    """What an error of the system or of a library says, in one line."""
    return getattr(error, "strerror", None) or str(error).partition("\n")[0] or repr(error)


def read_start(path, size):
    """The first bytes of a file; a pipe is refused, since it would be waited for."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise Failure(f"{path} is no file")
        with path.open("rb") as file:
            return file.read(size)
    except (OSError, ValueError) as error:
        raise Failure(f"cannot read {path}: {reason(error)}") from error


def hash_of(path):
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def state_of(path):
    """What changes when a file is written; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


@contextlib.contextmanager
def quiet_pillow():
    """Leaves it to this program what is too large, and what a person is told."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def read_picture(path):
    """Reads the first picture of a file.

    Returns:
        8-bit pixels (H, W, 1 or 3), opacity (H, W, 1) or None, what to save with them, and how many
        pictures the file holds.
    """
    start = read_start(path, 25)
    if not start:
        raise Failure(f"{path} is an empty file")
    try:
        with quiet_pillow(), Image.open(path, formats=FORMATS) as image:
            check_header(path, image, start)
            own = image.mode not in ("CMYK", "LAB")
            icc = image.info.get("icc_profile") if own else None
            sampling = -1
            if image.format in ("JPEG", "MPO"):
                sampling = JpegImagePlugin.get_sampling(image)
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            exif = exif_of(image)
            pixels = pixels_of(image)
            # Last: what is damaged behind the first leaves the file somewhere else.
            images = images_of(image)
    except Failure:
        raise
    except UnidentifiedImageError as error:
        kinds = ", ".join(FORMATS)
        raise Failure(f"cannot decode {path}: it is damaged, or none of {kinds}") from error
    except Exception as error:  # Decoders raise whatever their format's code raises.
        raise Failure(f"cannot decode {path}: {reason(error)}") from error
    kept = {"icc_profile": icc} if icc else {}
    if sampling >= 0:
        kept["subsampling"] = sampling
    if exif:
        kept["exif"] = exif
    if pixels.shape[2] in (2, 4):
        return pixels[..., :-1], pixels[..., -1:], kept, images
    return pixels, None, kept, images


def images_of(image):
    """Counts the pictures of a file; those behind the first may be damaged, and are none then."""
    try:
        # What else a camera puts into a JPEG file are views of the same picture.
        return 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    except Exception:  # Decoders raise whatever their format's code raises.
        return 1


def check_header(path, image, start):
    """Refuses what cannot be restored before there is memory for its pixels."""
    if image.width * image.height == 0:
        raise Failure(f"{path} has no pixels")
    if image.width * image.height > MAX_PIXELS:
        raise Failure(f"{path} has more than {MAX_PIXELS:,} pixels")
    # Pillow reduces deep colour to 8 bits without a word.
    deep_png = image.format == "PNG" and start[24] == 16
    deep_tiff = image.format == "TIFF" and max(image.tag_v2.get(258, (1,))) > 8
    if image.mode[0] in "IF" or deep_png or deep_tiff:
        raise Failure(f"{path} has more than 8 bits per value; convert it first")


def exif_of(image):
    exif = image.getexif()
    for tag in LAYOUT_TAGS.intersection(exif):
        del exif[tag]
    # A BigTIFF's would be read by no other format.
    exif.bigtiff = False
    return exif.tobytes() if exif else None


def pixels_of(image):
    grey = image.mode in ("1", "L", "LA", "La")
    mode = ("LA" if grey else "RGBA") if image.has_transparency_data else "L" if grey else "RGB"
    pixels = np.empty((image.height, image.width, len(mode)), np.uint8)
    for top in range(0, image.height, STRIP):
        bottom = min(top + STRIP, image.height)
        strip = image.crop((0, top, image.width, bottom)).convert(mode)
        pixels[top:bottom] = np.asarray(strip).reshape(pixels[top:bottom].shape)
    return pixels


@contextlib.contextmanager
def beside(path):
    """Gives a hidden name in the same folder; what is written there takes the path's place."""
    # Short, so that a long but legal name stays legal.
    temporary = path.with_name(f".{secrets.token_hex(6)}{path.suffix}")
    try:
        yield temporary
        # A Pi is often switched off by its plug.
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_picture(path, pixels, alpha=None, kept=None, modified=None, record=None):
    """Writes a picture whole or not at all; in `--watch`, with the time of its source."""
    if alpha is not None:
        if path.suffix.lower() in OPAQUE_SUFFIXES:
            raise Failure(
                f"{path.suffix} cannot hold {path}: it has transparency; convert it to PNG first"
            )
        pixels = np.concatenate([pixels, alpha], axis=2)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    jpeg = {"quality": 95, "subsampling": 0}
    of_suffix = {".jpg": jpeg, ".jpeg": jpeg, ".webp": {"lossless": True, "exact": True}}
    options = {**of_suffix.get(path.suffix.lower(), {}), **(kept or {})}
    with placed(path, modified, record) as temporary, quiet_pillow():
        image.save(temporary, **options)


def copy_picture(source, path, modified=None, record=None):
    """Puts a picture in its place as it is."""
    if not (path.exists() and path.samefile(source)):
        with placed(path, modified, record) as temporary:
            shutil.copyfile(source, temporary)


@contextlib.contextmanager
def placed(path, modified, record):
    """Gives a name to write a picture to; tells in words what went wrong with that."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside(path) as temporary:
            yield temporary
            if modified is not None:
                # Some network shares keep times of their own.
                with contextlib.suppress(OSError):
                    os.utime(temporary, ns=(modified, modified))
            if record is not None:
                record.announce(path, temporary)
    except Failure:
        raise
    except Exception as error:  # Encoders raise whatever their format's code raises.
        if not getattr(error, "errno", None):
            raise Failure(
                f"{path.suffix} cannot hold {path}: {reason(error)}; convert it to PNG first"
            ) from error
        kind = CannotWrite if error.errno in PASSING else Failure
        raise kind(f"cannot write {path}: {reason(error)}") from error


def find_pictures(folder, output):
    """The picture files below a folder, and its other files.

    Hidden files are left out, and an output folder within; folders that cannot be read, too, as are
    files that go while one looks.
    """
    folder, output = folder.resolve(), output.resolve()
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [
            name for name in folders if not name.startswith(".") and Path(place, name) != output
        ]
        found += [Path(place, name) for name in names if not name.startswith(".")]
    pictures, others = [], []
    for path in sorted(filter(os.path.isfile, found)):
        (pictures if path.suffix.lower() in SUFFIXES else others).append(path)
    return pictures, others


def tell_of_others(paths):
    """Names files of a folder that are left out, since their names are not those of pictures."""
    if paths:
        told = f"{len(paths)} files that end" if len(paths) > 1 else "1 file that ends"
        named = ", ".join(map(str, paths[:NAMED])) + ", …" * (len(paths) > NAMED)
        ways = ", ".join(SUFFIXES)
        print(f"Left out {told} in none of {ways}: {named}", file=sys.stderr, flush=True)


class Record:
    """What `--watch` has written into a folder, in a hidden file there.

    A restart knows by it what is done, and whose a file is, whatever the clock says. A line goes
    before each picture, with its hash, and one follows it, with the state of its source; so what is
    cut off in between is done again, and not taken for somebody else's.

    Args:
        folder: where restored pictures go; it need not be there yet.
    """

    def __init__(self, folder):
        self.path, self._folder = folder / RECORD, folder
        self._hashes, self._done = {}, {}
        try:
            lines = self.path.read_bytes().splitlines() if self.path.is_file() else []
        except OSError as error:
            raise Failure(f"cannot read {self.path}: {reason(error)}") from error
        for line in lines:
            # A line may be cut off, by a full disk or the plug.
            with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
                self._take(json.loads(line))
        self._lines, self._limit = len(lines), SPARE_LINES
        if lines:
            self._shorten()

    def holds(self, target, state):
        """Whether a picture is there, and restored from a source of that state."""
        return self._done.get(self._name(target)) == state and os.path.exists(target)

    def check(self, target):
        """Refuses to let a picture take the place of a file from somewhere else."""
        if not os.path.lexists(target):
            return
        # Of a folder, or a file that cannot be read, there is no hash.
        with contextlib.suppress(OSError):
            own = self._hashes.get(self._name(target), ())
            if os.path.isfile(target) and hash_of(target) in own:
                return
        raise Failure(f"{target} is there already, and not from here; move it away")

    def announce(self, target, temporary):
        """Tells which file is about to take its place."""
        self.check(target)
        self._append({"picture": self._name(target), "sha256": hash_of(temporary)})

    def finish(self, target, state):
        """Tells that it has, and the state of the source."""
        # Without that line, it is done once more after a restart: no reason to give up.
        with contextlib.suppress(CannotWrite):
            self._append({"picture": self._name(target), "size": state[0], "mtime_ns": state[1]})
        if self._lines > self._limit:
            self._shorten()

    def _name(self, target):
        return target.relative_to(self._folder).as_posix()

    def _take(self, entry):
        name = str(entry["picture"])
        hashes = self._hashes.setdefault(name, [])
        if "sha256" in entry:
            hashes.append(entry["sha256"])
        else:
            self._done[name] = entry["size"], entry["mtime_ns"]
            # What was there before is gone now.
            del hashes[:-1]

    def _append(self, entry):
        self._take(entry)
        self._lines += 1
        try:
            with self.path.open("a", encoding="ascii") as file:
                # In front, so that a line that was cut off ends there.
                file.write("\n" + json.dumps(entry))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CannotWrite(f"cannot write {self.path}: {reason(error)}") from error

    def _shorten(self):
        """Forgets pictures that are not there any more, and what others were before."""
        there = {name for name in self._hashes if os.path.lexists(self._folder / name)}
        self._hashes = {name: self._hashes[name] for name in there}
        self._done = {name: state for name, state in self._done.items() if name in there}
        entries = [
            {"picture": name, "sha256": one} for name in self._hashes for one in self._hashes[name]
        ]
        entries += [
            {"picture": name, "size": state[0], "mtime_ns": state[1]}
            for name, state in self._done.items()
        ]
        with contextlib.suppress(OSError), beside(self.path) as temporary:
            temporary.write_text("\n".join(map(json.dumps, entries)), encoding="ascii")
            self._lines = len(entries)
        self._limit = 2 * self._lines + SPARE_LINES


# --- What the program does ------------------------------------------------------------------------


def denoise(model, sources, output, overwrite, force):
    """Restores files and folders; tells of those that it cannot, and goes on."""
    plan = []
    for source in map(Path, sources):
        if source.is_dir():
            folder = output or source.resolve().with_name(source.resolve().name + "_restored")
            pictures, others = find_pictures(source, folder)
            tell_of_others(others)
            plan += [(path, folder / path.relative_to(source.resolve())) for path in pictures]
        elif not source.exists():
            raise Failure(f"there is no picture {source}")
        elif output is None:
            plan.append((source, source.with_name(f"{source.stem}_restored{source.suffix}")))
        elif output.suffix.lower() in SUFFIXES and not output.is_dir():
            plan.append((source, output))
        else:
            plan.append((source, output / source.name))
    if not plan:
        raise Failure(f"there are no pictures ({', '.join(SUFFIXES)}) in {', '.join(sources)}")
    targets = [target for _, target in plan]
    if len(set(targets)) < len(targets):
        raise Failure("two pictures would be written to one file; take them one by one")
    taken = [target for target in targets if target.exists()]
    if taken and not overwrite:
        raise Failure(f"{taken[0]} is there already; --overwrite replaces it")
    failures = 0
    for source, target in plan:
        try:
            print(restore_file(model, source, target, force), flush=True)
        except Failure as failure:
            failures += 1
            print(f"Error: {failure}", file=sys.stderr, flush=True)
    return 1 if failures else 0


def look(model, pixels):
    """What there is to say of a picture, and why the model had better leave it alone, or None."""
    found = find_impulses(pixels)
    if not found.share and pixels.size < FEWEST:
        return "restored", "there is too little to tell noise by"
    if model.noise == SALT_AND_PEPPER:
        return found.verdict, found.objection(model.knows_pages)
    if found.is_salt_and_pepper and model.noise != MIXED:
        return found.verdict, f"{found.verdict}, which this model does not remove"
    return "restored", None


def restore_file(model, source, target, force=False, record=None, state=None):
    """Restores a picture, or copies it where that would do harm; returns what to tell."""
    started = time.perf_counter()
    if record is not None:
        record.check(target)
    pixels, alpha, kept, images = read_picture(source)
    seen, objection = look(model, pixels)
    if force:
        objection = None
    if objection is None and images > 1 and target.exists() and target.samefile(source):
        raise Failure(f"{source} holds {images} images, and one would be left of it")
    if objection is None:
        try:
            pixels = restore(model, pixels)
        except MemoryError as error:
            raise Failure(f"{source} needs more memory than there is") from error
    if objection is None or source.suffix.lower() != target.suffix.lower():
        write_picture(target, pixels, alpha, kept, state and state[1], record)
    else:
        copy_picture(source, target, state and state[1], record)
    if record is not None:
        record.finish(target, state)
    told = seen if objection is None else f"{objection}; left as it was"
    first = f"the first of {images} images, " if images > 1 else ""
    return f"{target}  {first}{time.perf_counter() - started:.2f} s: {told}"


def watch(model, folder, output, interval, force):
    """Restores what arrives in a folder, until the program is told to stop."""
    if not folder.is_dir():
        raise Failure(f"there is no folder {folder} to watch")
    folder = folder.resolve()
    output = (output or folder / "restored").resolve()
    if output == folder:
        raise Failure("restored pictures need another folder than the one that is watched: -o")
    record = Record(output)
    seen, refused, waiting = {}, {}, {}
    print(f"Watching {folder}; restored pictures go to {output}", flush=True)
    while True:
        current = {}
        for source in find_pictures(folder, output)[0]:
            state, target = state_of(source), output / source.relative_to(folder)
            if record.holds(target, state) or refused.get(source) == (state, state_of(target)):
                continue
            now = time.monotonic()
            before, since = seen.get(source, (None, now))
            current[source] = state, since if before == state else now
            if now - current[source][1] < SETTLED_SECONDS or now < waiting.get(target.parent, now):
                continue
            try:
                print(restore_file(model, source, target, force, record, state), flush=True)
            except CannotWrite as failure:
                waiting[target.parent] = time.monotonic() + RETRY_SECONDS
                print(f"Error: {failure}; trying again later", file=sys.stderr, flush=True)
            except Failure as failure:
                # Until the picture changes, or what stands in its place.
                refused[source] = state, state_of(target)
                print(f"Error: {failure}", file=sys.stderr, flush=True)
        seen = current
        time.sleep(interval)


def camera(model, output, frames, size, force):
    """Restores frames of the Pi's camera."""
    try:
        from picamera2 import Picamera2
    except (ImportError, ValueError) as error:
        raise Failure(
            "picamera2 is missing, or built for another NumPy: sudo apt install python3-picamera2, "
            f"and make the virtual environment with --system-site-packages ({error})"
        ) from error
    output = output or Path("restored")
    try:
        device = Picamera2()
    except (IndexError, RuntimeError) as error:
        raise Failure(f"no camera answers; see rpicam-hello --list-cameras ({error})") from error
    # picamera2 names formats by the order in memory, the other way round: this is red first.
    device.configure(device.create_still_configuration({"format": "BGR888", "size": size}))
    device.start()
    try:
        for number in range(1, frames + 1):
            started = time.perf_counter()
            noisy = np.ascontiguousarray(device.capture_array("main")[..., :3])
            target = output / f"{time.strftime('%Y%m%d-%H%M%S')}-{number:04d}.png"
            objection = None if force else look(model, noisy)[1]
            write_picture(target, noisy if objection else restore(model, noisy))
            told = f": {objection}; left as it was" if objection else ""
            print(f"{target}  {time.perf_counter() - started:.2f} s{told}", flush=True)
    finally:
        device.stop()
    return 0


def benchmark(model, size):
    """Times the restoring of pictures of one size, or of each that the file takes at once."""
    random = np.random.default_rng(0)
    print(f"{model.path.name}: ready after {model.load_seconds * 1000:.0f} ms")
    for height, width in [size] if size else list(model.sizes) or [(256, 256)]:
        noisy = random.integers(1, 255, (height, width, model.channels), np.uint8)
        draw = random.random((height, width))
        noisy[draw < 0.25], noisy[draw > 0.75] = 0, 255
        times = []
        for _ in range(STEPS_PER_PICTURE + 1):
            started = time.perf_counter()
            restore(model, noisy)
            times.append(time.perf_counter() - started)
        first, *steady = times
        median = float(np.median(steady))
        print(
            f"{height}x{width}: first {first * 1000:.1f} ms, median {median * 1000:.1f} ms, 90 % "
            f"{np.percentile(steady, 90) * 1000:.1f} ms; {1 / median:.1f} images/s, "
            f"{height * width / median / 1e6:.2f} megapixels/s"
        )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    return 0


def cores():
    """How many cores this program may use, which `taskset` and containers restrict."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def parse_size(text):
    height, _, width = text.partition("x")
    if not (height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write height and width: 480x640")
    if int(height) * int(width) > MAX_PIXELS:
        raise argparse.ArgumentTypeError(f"{text} is more than {MAX_PIXELS:,} pixels")
    return int(height), int(width)


def positive_seconds(text):
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no time in seconds")
    return seconds


def share(text):
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1")
    return value


def positive(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number")
    return int(text)


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", nargs="*", help="files and folders")
    parser.add_argument("-o", "--output", type=Path, help="a file or folder")
    parser.add_argument("--model", type=Path, default=Path(__file__).parent / "bundle")
    parser.add_argument("--threads", type=positive, default=cores())
    parser.add_argument("--overwrite", action="store_true", help="replace what stands there")
    parser.add_argument("--force", action="store_true", help="restore whatever noise there is")
    parser.add_argument(
        "--strength", type=share, default=1.0, help="of the restoring, from 0 to 1, all of it"
    )
    parser.add_argument("--watch", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--interval", type=positive_seconds, default=1.0, help="seconds between two looks"
    )
    parser.add_argument("--camera", action="store_true")
    parser.add_argument("--frames", type=positive, default=1, help="of the camera")
    parser.add_argument("--size", type=parse_size, metavar="HxW", help="of frames and benchmark")
    parser.add_argument("--benchmark", action="store_true")
    parser.add_argument("--try", dest="trial", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    chosen = [bool(options.pictures), bool(options.watch), options.camera, options.benchmark]
    if sum(chosen) + options.trial != 1:
        parser.error("name pictures, or one of --watch, --camera and --benchmark")
    # What systemd sends to stop a service: end as after Ctrl-C, with nothing half-written.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Names of files may hold bytes that are no text.
    sys.stdout.reconfigure(errors="backslashreplace")
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    if options.trial:
        allowed = [limit for limit in resource.getrlimit(resource.RLIMIT_AS) if limit >= 0]
        least = min([TRIAL_BYTES, *allowed])
        resource.setrlimit(resource.RLIMIT_AS, (least, least))
    try:
        model = Model(options.model, min(options.threads, cores()), options.trial, options.strength)
        if options.trial:
            return 0
        if options.watch:
            return watch(model, options.watch, options.output, options.interval, options.force)
        if options.camera:
            height, width = options.size or (480, 640)
            return camera(model, options.output, options.frames, (width, height), options.force)
        if options.benchmark:
            return benchmark(model, options.size)
        return denoise(model, options.pictures, options.output, options.overwrite, options.force)
    except (Failure, OSError) as failure:
        print(f"Error: {failure}", file=sys.stderr)
        return 1
    except MemoryError:
        print("Error: there is not enough memory for that", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0 if options.watch else 130


if __name__ == "__main__":
    sys.exit(main())
