"""From a Keras generator to the bytes of a .tflite file."""

import itertools
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError

from kerasgan.errors import ModelError, OutputError, first_line
from kerasgan.images.pixels import Pixels
from kerasgan.model.promises import promises
from kerasgan.restore.litert import INPUT, OUTPUT, SIGNATURE
from kerasgan.startup import held_back_stderr
from kerasgan.tflite import NUMBERS, QUANTIZATIONS
from kerasgan.tflite.ranges import equalize, limit_ranges
from kerasgan.tflite.rounding import round_kernels

# Of the calibration pictures, what weights are prepared by; corners of large ones, for memory.
_SAMPLE, _EXTENT = 32, 64


def signature_names(sizes: Sequence[tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """Names the signature of each size.

    Args:
        sizes: heights and widths, in pixels.

    Returns:
        A dictionary from names to sizes: "denoise" for the first, "denoise_HxW" for the others.
    """
    return {
        f"{SIGNATURE}_{height}x{width}" if position else SIGNATURE: (height, width)
        for position, (height, width) in enumerate(sizes)
    }


def convert(
    generator: keras.Model,
    quantization: str,
    *,
    sizes: Sequence[tuple[int, int]] | None = None,
    calibration: Callable[[tuple[int, int]], Iterable[Pixels]] | None = None,
    numbers: str = "uint8",
) -> bytes:
    """Converts a generator.

    Args:
        generator: a Keras model from (N, H, W, C) to the same, in [0, 1].
        quantization: "float32"; "float16", halved weights; "dynamic", 8-bit weights; "int8", 8-bit
            weights and arithmetic.
        sizes: heights and widths that the file takes, each a signature of its own; None for a file
            that takes any, more slowly.
        calibration: for "int8", a function from a size to an iterable of pictures, float32
            (height, width, C), by which ranges are chosen.
        numbers: for "int8", what the file takes and gives: "uint8", the bytes of a picture; "int8",
            those less 128; or "float32", values in [0, 1].

    Returns:
        The file's content, as bytes, with built-in operators alone.

    Raises:
        ValueError: if `quantization` or `numbers` has another name, or "int8" lacks sizes or
            calibration.
        ModelError: if a size is no multiple of the generator's strides, or the generator needs
            operators that TFLite does not have.
        OutputError: if the folder for temporary files is full.
    """
    integer = quantization == "int8"
    if quantization not in QUANTIZATIONS or numbers not in NUMBERS:
        raise ValueError(f"no quantization {quantization!r}, {numbers!r}")
    check_sizes(generator, sizes or ())
    signatures = signature_names(sizes or [(None, None)])
    pictures_of: dict[str, list[Pixels]] = {}
    if integer:
        if sizes is None or calibration is None:
            raise ValueError("int8 needs sizes and calibration pictures")
        pictures_of = {name: list(calibration(size)) for name, size in signatures.items()}
        generator = _prepared(generator, pictures_of)
    with tempfile.TemporaryDirectory() as folder, held_back_stderr():
        try:
            _save(generator, signatures, folder, known_range=integer)
        except tf.errors.OpError as error:
            raise OutputError(f"cannot write to {folder}: {first_line(error)}") from error
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=list(signatures)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantization != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantization == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if integer:
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.representative_dataset = lambda: (
                (name, {INPUT: picture[None]})
                for name, pictures in pictures_of.items()
                for picture in pictures
            )
            converter.inference_input_type = converter.inference_output_type = getattr(tf, numbers)
        try:
            with warnings.catch_warnings():
                # The converter uses an interpreter that it advises against.
                warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter is deprecated")
                return converter.convert()
        except ConverterError as error:
            raise ModelError(
                f"the generator has operators that TFLite does not: {first_line(error)}"
            ) from error


def _prepared(generator: keras.Model, pictures_of: Mapping[str, list[Pixels]]) -> keras.Model:
    """Copies a generator, with the weights and ranges that 8 bits hold best."""
    pictures = next(iter(pictures_of.values()))
    sample = [
        picture[:_EXTENT, :_EXTENT] for picture in pictures[:: max(1, len(pictures) // _SAMPLE)]
    ]
    generator = round_kernels(equalize(generator, pictures, sample), sample)
    # Large pictures may reach further than small ones, and all sizes share these ranges.
    return limit_ranges(generator, itertools.chain.from_iterable(pictures_of.values()))


def check_sizes(generator: keras.Model, sizes: Sequence[tuple[int, int]]) -> None:
    """Checks that a generator takes pictures of these sizes.

    Args:
        generator: a Keras model.
        sizes: heights and widths, in pixels.

    Raises:
        ModelError: naming the first that it does not take, and the nearest that it does.
    """
    multiple = promises(generator).multiple
    for height, width in sizes:
        if height % multiple or width % multiple or min(height, width) < 1:
            near = [
                max(multiple, round(extent / multiple) * multiple) for extent in (height, width)
            ]
            raise ModelError(
                f"{height}x{width} is no size for this generator: height and width must be "
                f"multiples of {multiple}, such as {near[0]}x{near[1]}"
            )


def _save(
    generator: keras.Model,
    signatures: Mapping[str, tuple[Any, Any]],
    folder: str,
    *,
    known_range: bool,
) -> None:
    """Writes a SavedModel; `known_range` states that inputs and outputs lie in [0, 1].

    The converter then gives both a scale of exactly 1/255, whatever the calibration pictures hold.
    """
    archive = keras.export.ExportArchive()
    archive.track(generator)

    def denoise(noisy: Any) -> dict[str, Any]:
        if not known_range:
            return {OUTPUT: generator(noisy, training=False)}
        noisy = tf.quantization.fake_quant_with_min_max_args(noisy, 0.0, 1.0)
        # A sigmoid's scale is 1/256, whatever is stated: another operator has to give the output.
        restored = tf.nn.relu(generator(noisy, training=False))
        return {OUTPUT: tf.quantization.fake_quant_with_min_max_args(restored, 0.0, 1.0)}

    for name, (height, width) in signatures.items():
        shape = (1, height, width, generator.input_shape[-1])
        # A function of its own for each signature: the archive keeps one trace per function.
        archive.add_endpoint(
            name,
            lambda noisy: denoise(noisy),
            input_signature=[tf.TensorSpec(shape, tf.float32, name=INPUT)],
        )
    archive.write_out(folder, verbose=False)
