#!/usr/bin/env python3
"""Restores pictures damaged by salt-and-pepper noise, on a Raspberry Pi and without TensorFlow.

    denoise.py photo.png more/                 restores files, and all pictures of folders
    denoise.py --watch incoming/ -o restored/  restores what arrives there, until stopped
    denoise.py --camera -o restored/           restores what the camera sees
    denoise.py --benchmark                     tells how fast that is

The model is a bundle that `kerasgan export` wrote, or one .tflite file of it; by default, the
folder `bundle` beside this program.
"""

import argparse
import contextlib
import hashlib
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
# Colour of this many pixels takes half a gigabyte: it fits on a Pi with 1 GB.
MAX_PIXELS = 50_000_000
# Rows that are copied out of a decoded picture at once.
STRIP = 256
# Files are taken up once they have not changed for so long.
SETTLED_SECONDS = 2.0
# How long a folder is left alone that could not be written to.
RETRY_SECONDS = 30.0
LARGEST_MARGIN, ANY_SIZE, ANY_MULTIPLE = 64, 512, 32
STEPS_PER_PICTURE = 20


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
    """

    def __init__(self, path, threads):
        path, entry, multiple = find_file(Path(path))
        content = read_file(path)
        if content[4:8] != b"TFL3":
            raise Failure(f"{path} is no TFLite model")
        if entry is not None and hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise Failure(f"{path} is not the file that its manifest.json lists; copy it again")
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise Failure(
                "install what requirements.txt lists: ai-edge-litert is missing"
            ) from error
        self.path = path
        started = time.perf_counter()
        try:
            interpreter = Interpreter(model_path=str(path), num_threads=threads)
            self._runners = {
                name: interpreter.get_signature_runner(name)
                for name in sorted(interpreter.get_signature_list())
                if name == "denoise" or name.startswith("denoise_")
            }
            tensors = [
                (runner.get_input_details()["noisy"], runner.get_output_details()["restored"])
                for runner in self._runners.values()
            ]
            self._input, self._output = tensors[0]
            if any(list(noisy["shape"]) != list(restored["shape"]) for noisy, restored in tensors):
                raise ValueError("it gives back other sizes than it takes")
        except (ValueError, RuntimeError, KeyError, IndexError) as error:
            raise Failure(f"{path} is damaged, or restores no pictures: {error}") from error
        self.load_seconds = time.perf_counter() - started
        shapes = [[int(extent) for extent in noisy["shape_signature"]] for noisy, _ in tensors]
        if any(len(shape) != 4 or shape[3] not in (1, 3) for shape in shapes):
            raise Failure(f"{path} restores no pictures: it takes the shape {shapes[0]}")
        self.channels = shapes[0][3]
        self.sizes = {
            (shape[1], shape[2]): name
            for name, shape in zip(self._runners, shapes, strict=True)
            if shape[1] > 0
        }
        self.multiple = multiple or likely_multiple(self.sizes)

    def window(self, height, width):
        """The size in which a picture is restored, and the margin that tiles overlap by."""
        if not self.sizes:
            size = [
                -(-min(extent, ANY_SIZE) // self.multiple) * self.multiple
                for extent in (height, width)
            ]
            return (*size, LARGEST_MARGIN)
        sizes = sorted(self.sizes, key=lambda size: size[0] * size[1])
        holding = [size for size in sizes if height <= size[0] and width <= size[1]]
        size = holding[0] if holding else sizes[-1]
        wanted = -(-min(size) // (8 * self.multiple)) * self.multiple
        possible = (min(size) - self.multiple) // (2 * self.multiple) * self.multiple
        return (*size, min(wanted, possible, LARGEST_MARGIN))

    def run(self, noisy):
        """Restores one window: uint8 (H, W, C) to float32 in [0, 1]."""
        values = noisy.astype(np.float32) / np.float32(255)
        runner = self._runners[self.sizes.get(noisy.shape[:2], "denoise")]
        scale, zero_point = self._input["quantization"]
        if scale:
            limits = np.iinfo(self._input["dtype"])
            values = np.clip(np.rint(values / scale) + zero_point, limits.min, limits.max)
        numbers = runner(noisy=values[np.newaxis].astype(self._input["dtype"]))["restored"][0]
        scale, zero_point = self._output["quantization"]
        if scale:
            numbers = (numbers.astype(np.float32) - zero_point) * np.float32(scale)
        return numbers


def likely_multiple(sizes):
    """A network's stride where no manifest tells it: one that its sizes leave room for."""
    extents = [extent for size in sizes for extent in size]
    multiple = ANY_MULTIPLE
    while multiple > 1 and any(extent % multiple or extent < 4 * multiple for extent in extents):
        multiple //= 2
    return multiple


def find_file(path):
    """The .tflite file, its entry in the manifest beside it, and the network's stride."""
    folder = path if path.is_dir() else path.parent
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        if path.is_dir():
            raise Failure(
                f"{path} holds no manifest.json; name a bundle or a .tflite file: --model"
            )
        return path, None, None
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        files, multiple = content["files"], int(content["multiple"])
        if path.is_dir():
            entry = files.get("int8") or next(iter(files.values()))
            path = folder / Path(entry["file"]).name
        else:
            entry = next((one for one in files.values() if one["file"] == path.name), None)
        if entry is not None:
            entry["sha256"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise Failure(f"{manifest} is damaged: {error!r}") from error
    return path, entry, multiple


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
            result = np.rint(np.clip(result[inner_rows, inner_columns], 0.0, 1.0) * 255)
            restored[kept_rows, kept_columns] = result.astype(np.uint8)
    return restored


# --- Files ----------------------------------------------------------------------------------------


def read_file(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from error


def read_picture(path):
    """Reads 8-bit pixels (H, W, 1 or 3), opacity (H, W, 1) or None, and what to save with them."""
    try:
        with path.open("rb") as file:
            start = file.read(25)
        if not start:
            raise Failure(f"{path} is an empty file")
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Failure(f"{path} has more than {MAX_PIXELS:,} pixels")
            if image.mode[0] in "IF" or (image.format == "PNG" and start[24] == 16):
                raise Failure(f"{path} has more than 8 bits per value; convert it first")
            icc = image.info.get("icc_profile") if image.mode != "CMYK" else None
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            exif = image.getexif().tobytes()
            grey = image.mode in ("1", "L", "LA", "La")
            mode = (
                ("LA" if grey else "RGBA")
                if image.has_transparency_data
                else "L"
                if grey
                else "RGB"
            )
            pixels = np.empty((image.height, image.width, len(mode)), np.uint8)
            for top in range(0, image.height, STRIP):
                bottom = min(top + STRIP, image.height)
                strip = image.crop((0, top, image.width, bottom)).convert(mode)
                pixels[top:bottom] = np.asarray(strip).reshape(pixels[top:bottom].shape)
    except Failure:
        raise
    except FileNotFoundError as error:
        raise Failure(f"there is no picture {path}") from error
    except Exception as error:  # Decoders raise whatever their format's code raises.
        raise Failure(f"cannot decode {path}: {error}") from error
    kept = {"icc_profile": icc} if icc else {}
    if exif:
        kept["exif"] = exif
    if pixels.shape[2] in (2, 4):
        return pixels[..., :-1], pixels[..., -1:], kept
    return pixels, None, kept


def write_picture(path, pixels, alpha=None, kept=None, modified=None):
    """Writes a picture whole or not at all: beside its place, and renamed into it."""
    if alpha is not None:
        pixels = np.concatenate([pixels, alpha], axis=2)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    options = {"quality": 95} if path.suffix.lower() in (".jpg", ".jpeg") else {}
    options |= {"lossless": True} if path.suffix.lower() == ".webp" else {}
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(temporary, **options, **(kept or {}))
        if modified is not None:
            os.utime(temporary, ns=(modified, modified))
        os.replace(temporary, path)
    except ValueError as error:
        raise Failure(f"cannot write {path}: {error}") from error
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def find_pictures(folder, output):
    """The picture files below a folder; hidden ones are left out, and an output folder within."""
    folder, output = folder.resolve(), output.resolve()
    within = folder in output.parents
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and not path.name.startswith(".")
        and not (within and output in path.parents)
        and path.is_file()
    )


# --- What the program does ------------------------------------------------------------------------


def denoise(model, sources, output, overwrite):
    """Restores files and folders; tells of those that it cannot, and goes on."""
    plan = []
    for source in map(Path, sources):
        if source.is_dir():
            folder = output or source.resolve().with_name(source.resolve().name + "_restored")
            pictures = find_pictures(source, folder)
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
            seconds = restore_file(model, source, target)
            print(f"{target}  {seconds:.2f} s", flush=True)
        except Failure as failure:
            failures += 1
            print(f"Error: {failure}", file=sys.stderr, flush=True)
    return 1 if failures else 0


def restore_file(model, source, target, modified=None):
    started = time.perf_counter()
    pixels, alpha, kept = read_picture(source)
    pixels = restore(model, pixels)
    write_picture(target, pixels, alpha, kept, modified)
    return time.perf_counter() - started


def watch(model, folder, output, interval):
    """Restores what arrives in a folder, until the program is told to stop.

    A restored picture gets the time of the one it was made from: that is how, after a restart, one
    knows what is done, even on a Pi whose clock was wrong.
    """
    if not folder.is_dir():
        raise Failure(f"there is no folder {folder} to watch")
    folder = folder.resolve()
    output = (output or folder / "restored").resolve()
    if output == folder:
        raise Failure("restored pictures need another folder than the one that is watched: -o")
    seen, refused = {}, {}
    print(f"Watching {folder}; restored pictures go to {output}", flush=True)
    while True:
        current = {}
        for source, status in scan(folder, output):
            state = status.st_size, status.st_mtime_ns
            target = output / source.relative_to(folder)
            if refused.get(source) == state or is_done(target, status):
                continue
            before, since = seen.get(source, (None, 0.0))
            now = time.monotonic()
            current[source] = (state, since if before == state else now)
            if before != state or now - since < SETTLED_SECONDS:
                continue
            del current[source]
            try:
                seconds = restore_file(model, source, target, status.st_mtime_ns)
                print(f"{target}  {seconds:.2f} s", flush=True)
            except CannotWrite as failure:
                print(f"Error: {failure}; trying again later", file=sys.stderr, flush=True)
                time.sleep(RETRY_SECONDS)
            except Failure as failure:
                refused[source] = state
                print(f"Error: {failure}", file=sys.stderr, flush=True)
        seen = current
        time.sleep(interval)


def scan(folder, output):
    """The pictures of a folder that others write to, with their states."""
    found = []
    # Whatever goes while one looks is found, or missed, at the next look.
    with contextlib.suppress(OSError):
        for path in find_pictures(folder, output):
            found.append((path, path.stat()))
    return found


def is_done(target, status):
    # To two seconds: memory sticks keep no finer time, and files settle for longer than that.
    with contextlib.suppress(OSError):
        return abs(target.stat().st_mtime_ns - status.st_mtime_ns) < 2_000_000_000
    return False


def camera(model, output, frames, size):
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
            write_picture(target, restore(model, noisy))
            print(f"{target}  {time.perf_counter() - started:.2f} s", flush=True)
    finally:
        device.stop()
    return 0


def benchmark(model, size):
    """Times the restoring of pictures of one size, or of each that the file takes at once."""
    random = np.random.default_rng(0)
    print(f"{model.path.name}: ready after {model.load_seconds * 1000:.0f} ms")
    for height, width in [size] if size else list(model.sizes) or [(256, 256)]:
        noisy = random.integers(1, 255, (height, width, model.channels), np.uint8)
        noisy[random.random((height, width)) < 0.25] = 0
        noisy[random.random((height, width)) < 0.25] = 255
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


def parse_size(text):
    height, _, width = text.partition("x")
    if not (height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write height and width: 480x640")
    return int(height), int(width)


def positive_seconds(text):
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no time in seconds")
    return seconds


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
    parser.add_argument("--threads", type=positive, default=os.cpu_count())
    parser.add_argument("--overwrite", action="store_true", help="replace what stands there")
    parser.add_argument("--watch", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--interval", type=positive_seconds, default=1.0, help="seconds between two looks"
    )
    parser.add_argument("--camera", action="store_true")
    parser.add_argument("--frames", type=positive, default=1, help="of the camera")
    parser.add_argument("--size", type=parse_size, metavar="HxW", help="of frames and benchmark")
    parser.add_argument("--benchmark", action="store_true")
    options = parser.parse_args(arguments)
    chosen = [bool(options.pictures), bool(options.watch), options.camera, options.benchmark]
    if sum(chosen) != 1:
        parser.error("name pictures, or one of --watch, --camera and --benchmark")
    # What systemd sends to stop a service: end as after Ctrl-C, with nothing half-written.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        model = Model(options.model, options.threads)
        if options.watch:
            return watch(model, options.watch, options.output, options.interval)
        if options.camera:
            height, width = options.size or (480, 640)
            return camera(model, options.output, options.frames, (width, height))
        if options.benchmark:
            return benchmark(model, options.size)
        return denoise(model, options.pictures, options.output, options.overwrite)
    except (Failure, OSError) as failure:
        print(f"Error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0 if options.watch else 130


if __name__ == "__main__":
    sys.exit(main())
