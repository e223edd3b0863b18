"""Running a .tflite file, after what can be known of it without running it has been checked."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasgan.errors import DataError, ModelError, first_line
from kerasgan.images.pixels import Pixels, to_float
from kerasgan.restore.quantization import quantization_of
from kerasgan.restore.tiling import Window, count_tiles, sufficient_margin
from kerasgan.startup import held_back_stderr
from kerasgan.store.bundle import hash_of
from kerasgan.store.machine import memory

SIGNATURE, INPUT, OUTPUT = "denoise", "noisy", "restored"
# "TFL3" after the offset of the root table, by TensorFlow's schema.fbs.
_IDENTIFIER = slice(4, 8), b"TFL3"
_DTYPES = (np.float32, np.uint8, np.int8)
# The axes of what it takes and gives.
AXES = "batch", "height", "width", "channel"
# Where files take any size, and what strides they have is not known.
_ANY_SIZE, _MULTIPLE = 512, 32
_LARGEST_MARGIN = 64
# Bytes of the machine for each of a crew, twice what windows of 512×512 take.
_MEMORY = 3 * 2**27


class TFLiteModel:
    """A generator in a .tflite file, run by LiteRT.

    Args:
        path: the file.
        threads: how many threads it may use.
        sha256: what the file's hash must be, in hexadecimal; None where it is not known.
        multiple: the number that the network's heights and widths are multiples of; None where it
            is not known.
        reach: how far the network looks, in pixels; None where it is not known.

    Raises:
        ModelError: naming the file, if it is missing, damaged, or no restorer of pictures.

    Attributes:
        channels: 1 for grey, 3 for colour.
        sizes: heights and widths that it takes, in pixels, by signature; none where it takes any.
        input: the numbers that it takes.
        output: the numbers that it gives.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int = 1,
        sha256: str | None = None,
        multiple: int | None = None,
        reach: int | None = None,
    ):
        self.path = Path(path)
        self._threads, self._sha256, self._crew = threads, sha256, list[TFLiteModel]()
        self._reach = reach
        check_file(self.path, sha256)
        from ai_edge_litert.interpreter import Interpreter

        try:
            with held_back_stderr():
                self._interpreter = Interpreter(model_path=str(self.path), num_threads=threads)
            signatures = {
                name: tensors
                for name, tensors in self._interpreter.get_signature_list().items()
                if name == SIGNATURE or name.startswith(SIGNATURE + "_")
            }
            self._check_signatures(signatures)
            with held_back_stderr():
                self._allocate()
            self._runners = {
                name: self._interpreter.get_signature_runner(name) for name in signatures
            }
            shapes = {name: self._shape(runner) for name, runner in self._runners.items()}
            runner = self._runners[SIGNATURE]
            self.input = quantization_of(runner.get_input_details()[INPUT])
            self.output = quantization_of(runner.get_output_details()[OUTPUT])
        except ModelError:
            raise
        except Exception as error:  # LiteRT's Python reads names and shapes as it finds them.
            raise ModelError(f"{self.path} cannot be run: {first_line(error)}") from error
        self.channels = shapes[SIGNATURE][-1]
        self.sizes = {
            name: (height, width) for name, (_, height, width, _) in shapes.items() if height > 0
        }
        self._multiple = multiple or _likely_multiple(self.sizes.values())
        for height, width in self.sizes.values():
            if height % self._multiple or width % self._multiple:
                raise ModelError(
                    f"{self.path} takes {height}×{width}, which is no multiple of {multiple}, as "
                    "its manifest.json says"
                )
        if sha256 is None:
            self._try()

    def _try(self) -> None:
        """Restores a grey picture in every size: some damage shows in the first run alone."""
        for size in self.sizes.values() or [(_MULTIPLE, _MULTIPLE)]:
            noisy = np.full((*size, self.channels), 127, np.uint8)
            restored = self.run(noisy, Window(*size, 0, self._multiple))
            if restored.shape != noisy.shape:
                raise ModelError(f"{self.path} does not give back pictures of the size it takes")

    def _check_signatures(self, signatures: dict[str, dict[str, list[str]]]) -> None:
        if SIGNATURE not in signatures:
            raise ModelError(f"{self.path} restores no pictures: it has no signature {SIGNATURE!r}")
        for tensors in signatures.values():
            if tensors != {"inputs": [INPUT], "outputs": [OUTPUT]}:
                raise ModelError(
                    f"{self.path} restores no pictures: it goes from "
                    f"{', '.join(tensors['inputs'])} to {', '.join(tensors['outputs'])}, not from "
                    f"{INPUT} to {OUTPUT}"
                )

    def _allocate(self) -> None:
        detail = self._interpreter.get_input_details()[0]
        shape = detail["shape_signature"]
        if -1 in shape:
            # A network cannot be laid out for the single pixel that stands for any size.
            shape = [_MULTIPLE if extent < 0 else extent for extent in shape]
            self._interpreter.resize_tensor_input(detail["index"], shape)
        self._interpreter.allocate_tensors()

    def _shape(self, runner: Any) -> tuple[int, ...]:
        detail = runner.get_input_details()[INPUT]
        restored = runner.get_output_details()[OUTPUT]
        shape = tuple(int(extent) for extent in detail["shape_signature"])
        if len(shape) != 4 or shape[0] != 1 or shape[-1] not in (1, 3):
            raise ModelError(
                f"{self.path} takes inputs of the shape {shape}; a restorer of pictures takes "
                "(1, height, width, 1) or (1, height, width, 3)"
            )
        if -1 not in shape and tuple(restored["shape"]) != shape:
            raise ModelError(f"{self.path} does not give back pictures of the size that it takes")
        if detail["dtype"] not in _DTYPES or restored["dtype"] not in _DTYPES:
            raise ModelError(f"{self.path} takes and gives numbers of a type unknown here")
        return shape

    def operators(self) -> list[dict[str, Any]]:
        """Lists the operators of the first signature, those of delegates included.

        Returns:
            LiteRT's own descriptions: "index", "op_name", "inputs" and "outputs", numbers of
            tensors. An operator that a delegate has taken over is still among them.
        """
        return self._interpreter._get_ops_details()

    def window(self, height: int, width: int) -> Window:
        """Chooses the size in which an image is restored.

        Args:
            height: of the image, in pixels.
            width: of the image, in pixels.

        Returns:
            Of the sizes that hold the image, and those that overlap by all that the network has to
            see, or most of it, that whose windows hold the fewest pixels.
        """
        if not self.sizes:
            height, width = (
                -(-min(extent, _ANY_SIZE) // self._multiple) * self._multiple
                for extent in (height, width)
            )
            margin = _margin(_ANY_SIZE, self._multiple, self._reach)
            return Window(height, width, margin, self._multiple)
        windows = [
            Window(*size, _margin(min(size), self._multiple, self._reach), self._multiple)
            for size in self.sizes.values()
        ]
        widest = max(window.margin for window in windows)

        def work(window: Window) -> tuple[int, int]:
            count = count_tiles(height, width, window)
            unseen = 0 if count == 1 else widest - window.margin
            return unseen, count * window.height * window.width

        return min(windows, key=work)

    def twin(self, threads: int) -> "TFLiteModel":
        """Opens the file once more, for another thread of the program.

        Args:
            threads: how many threads the other one may use.

        Returns:
            A model that restores as this one does.

        Raises:
            ModelError: if the file has changed.
        """
        return TFLiteModel(
            self.path,
            threads=threads,
            sha256=self._sha256,
            multiple=self._multiple,
            reach=self._reach,
        )

    def crew(self, most: int) -> Sequence["TFLiteModel"]:
        """Opens the file once for each thread: what no thread shares in, they then do side by side.

        Args:
            most: how many there is work for.

        Returns:
            Models of one thread each, as far as memory holds them; this one if that is one.
        """
        count = int(min(self._threads, most, memory() / _MEMORY))
        if count <= 1:
            return [self]
        while len(self._crew) < count:
            self._crew.append(self.twin(1))
        return self._crew[:count]

    def run(self, noisy: Pixels, window: Window) -> Pixels:
        """Runs the network once; not for several threads of the program at a time.

        Args:
            noisy: (window.height, window.width, C): uint8; uint16 or float in [0, 1], too, where
                the file's input is float.
            window: a size that the file takes.

        Returns:
            float32 (H, W, C) in [0, 1].

        Raises:
            DataError: if the file takes 8-bit pictures alone and this is none.
            ModelError: if the file is damaged in a way that shows only now.
        """
        if self.input.scale and noisy.dtype != np.uint8:
            raise DataError(
                f"{self.path.name} takes 8-bit pictures; take a float file for {noisy.dtype} ones"
            )
        numbers = self.input.quantize(noisy if noisy.dtype.kind == "f" else to_float(noisy))
        signatures = (name for name, size in self.sizes.items() if size == window[:2])
        runner = self._runners[next(signatures, SIGNATURE)]
        try:
            restored = runner(**{INPUT: numbers[np.newaxis]})[OUTPUT][0]
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{self.path} cannot be run: {first_line(error)}") from error
        return self.output.dequantize(restored)


def _likely_multiple(sizes: Iterable[tuple[int, int]]) -> int:
    """The largest power of two that all sizes are multiples of, and four times smaller than."""
    extents = [extent for size in sizes for extent in size]
    multiple = _MULTIPLE
    while multiple > 1 and any(extent % multiple or extent < 4 * multiple for extent in extents):
        multiple //= 2
    return multiple


def overlap(size: tuple[int, int], multiple: int, reach: int | None) -> int:
    """Tells by how much tiles overlap, half of which is left out of each one's result.

    Args:
        size: height and width of a tile, in pixels.
        multiple: the number that the network's heights and widths are multiples of.
        reach: how far the network looks, in pixels; None where it is not known.

    Returns:
        Pixels, in both directions.
    """
    return 2 * _margin(min(size), multiple, reach)


def _margin(extent: int, multiple: int, reach: int | None) -> int:
    """What the network has to see, or an eighth of a window if that is less.

    It leaves something of the window, whatever its size.
    """
    wanted = -(-extent // (8 * multiple)) * multiple
    if reach is not None:
        wanted = min(wanted, sufficient_margin(reach, multiple))
    possible = (extent - multiple) // (2 * multiple) * multiple
    return min(wanted, possible, max(1, _LARGEST_MARGIN // multiple) * multiple)


def check_file(path: Path, sha256: str | None) -> None:
    """Checks what can be told of a .tflite file without loading it.

    Args:
        path: the file.
        sha256: what its hash must be, in hexadecimal; None where it is not known.

    Raises:
        ModelError: if it is missing, no .tflite file, or another one.
    """
    if not path.exists():
        raise ModelError(f"there is no model {path}")
    if not path.is_file():
        raise ModelError(f"{path} is no regular file")
    with path.open("rb") as file:
        start = file.read(_IDENTIFIER[0].stop)
    where, identifier = _IDENTIFIER
    if start[where] != identifier:
        raise ModelError(f"{path} is {'no TFLite model' if start else 'an empty file'}")
    if sha256 is not None and hash_of(path) != sha256:
        raise ModelError(
            f"{path} is not the file that its manifest.json lists: the hashes differ; export or "
            "download it again"
        )
