"""What a .tflite file must show before it is handed out."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from kerasgan.errors import ModelError
from kerasgan.images.pixels import Pixels, from_float, random_crop, to_float
from kerasgan.measure import metrics
from kerasgan.noise.base import Noise
from kerasgan.noise.noisy import noisy_image
from kerasgan.restore.litert import TFLiteModel
from kerasgan.restore.tiling import Window

# How far a file's mean PSNR may be from Keras' on the same pictures, in dB.
PSNR_TOLERANCES = {"float32": 0.001, "float16": 0.01, "dynamic": 0.05, "int8": 0.25}
# Beyond it, rounding to 8 bits, which alone gives 59 dB, is much of what sets two files apart.
_FLAWLESS = 45.0
_BYTES_PER_WEIGHT = {"float32": 4, "float16": 2, "dynamic": 1, "int8": 1}
# The graph itself, and the scales of 8-bit weights.
_GRAPH_BYTES = 80 * 1024
_PICTURES, _PIXELS = 100, 100 * 48 * 48


@dataclass(frozen=True)
class Placement:
    """Where the operators of a file's first signature run.

    Attributes:
        partitions: how many pieces of the graph XNNPACK runs as a whole.
        outside: how many operators of each kind TFLite's own kernels run.
    """

    partitions: int
    outside: dict[str, int]


def placement(model: TFLiteModel) -> Placement:
    """Finds out what runs inside XNNPACK, and what does not.

    Args:
        model: a model that has been run.

    Returns:
        The placement.
    """
    operators = model.operators()
    delegates = [operator for operator in operators if operator["op_name"] == "DELEGATE"]
    kernels = [operator for operator in operators if operator["op_name"] != "DELEGATE"]
    producer = {output: kernel for kernel in kernels for output in kernel["outputs"]}
    inside = set()
    for delegate in delegates:
        boundary, open_ends = set(delegate["inputs"]), list(delegate["outputs"])
        while open_ends:
            tensor = open_ends.pop()
            kernel = producer.get(tensor)
            if tensor in boundary or kernel is None or kernel["index"] in inside:
                continue
            inside.add(kernel["index"])
            open_ends += list(kernel["inputs"])
    outside = Counter(kernel["op_name"] for kernel in kernels if kernel["index"] not in inside)
    return Placement(len(delegates), dict(sorted(outside.items())))


def check_operators(name: str, found: Placement, *, whole: bool) -> None:
    """Checks that a file needs no operators besides the built-in ones, and runs in one piece.

    Args:
        name: what the file is called in messages.
        found: its placement.
        whole: whether XNNPACK must run all of it.

    Raises:
        ModelError: naming the operators.
    """
    foreign = [kind for kind in found.outside if kind == "CUSTOM" or kind.startswith("Flex")]
    if foreign:
        raise ModelError(f"{name} needs operators that are not built in: {', '.join(foreign)}")
    if whole and (found.outside or found.partitions != 1):
        left = ", ".join(found.outside) or "none"
        raise ModelError(
            f"{name} does not run as one piece in XNNPACK: {found.partitions} pieces, and outside "
            f"them {left}"
        )


def check_size(name: str, size: int, quantization: str, weights: int, signatures: int) -> None:
    """Checks that a file is as small as its quantisation promises.

    Args:
        name: what the file is called in messages.
        size: its length in bytes.
        quantization: one of `tflite.QUANTIZATIONS`.
        weights: how many numbers the network has.
        signatures: how many signatures the file has.

    Raises:
        ModelError: with both figures.
    """
    expected = weights * _BYTES_PER_WEIGHT[quantization] + signatures * _GRAPH_BYTES
    if size > expected:
        raise ModelError(
            f"{name} has {size:,} bytes; at most {expected:,} were to be expected of {weights:,} "
            f"weights in {quantization}"
        )


def check_values(name: str, model: TFLiteModel, *, exact: bool) -> None:
    """Checks a file's answers to pictures that hold every value of 8 bits.

    Args:
        name: what the file is called in messages.
        model: the file.
        exact: whether the values from 1 to 254 must come back as they were.

    Raises:
        ModelError: if an answer is no number, or a value is not what it must be.
    """
    random = np.random.default_rng(0)
    for height, width in model.sizes.values() or [(64, 64)]:
        window = Window(height, width, 0, 1)
        shape = (height, width, model.channels)
        levels = np.resize(np.arange(256, dtype=np.uint8), shape)
        noise = np.where(random.random(shape) < 0.5, 0, 255).astype(np.uint8)
        sprinkled = np.where(random.random(shape) < 0.5, levels, noise)
        for noisy in (levels, sprinkled, noise, np.zeros_like(noise), noise | 255):
            values = model.run(noisy, window)
            if not np.isfinite(values).all():
                raise ModelError(f"{name} answers with values that are no numbers")
            restored = from_float(values, np.uint8)
            changed = (restored != noisy) & (noisy > 0) & (noisy < 255)
            if exact and changed.any():
                value = int(noisy[changed][0])
                raise ModelError(
                    f"{name} changes pixels that cannot be noise: {value} came back as "
                    f"{restored[changed][0]}, {changed.mean():.1%} of all pixels"
                )


def held_out_pairs(
    images: Iterable[Pixels], size: tuple[int, int], noise: Noise
) -> dict[float, list[tuple[Pixels, Pixels]]]:
    """Cuts pictures of one size out of images, and corrupts them.

    Args:
        images: clean images, uint8 (H, W, C); smaller ones are mirrored at their edges.
        size: height and width of the pictures, in pixels.
        noise: what corrupts them.

    Returns:
        For each of `noise.checked_levels`, pairs of a noisy and a clean picture, uint8 (height,
        width, C): 100, or as many as hold the pixels of 100 pictures of 48×48, but 8 at least.
    """
    images = list(images)
    count = max(8, min(_PICTURES, _PIXELS // (size[0] * size[1])))
    random = np.random.default_rng(0)
    pairs: dict[float, list[tuple[Pixels, Pixels]]] = {level: [] for level in noise.checked_levels}
    for index in range(count):
        clean = random_crop(images[index % len(images)], size, random)
        for level, cut in pairs.items():
            noisy = noisy_image(to_float(clean), noise.at(level), index=index)
            cut.append((from_float(noisy, np.uint8), clean))
    return pairs


def psnrs(
    restore: Callable[[Pixels], Pixels], pairs: dict[float, list[tuple[Pixels, Pixels]]]
) -> dict[float, Pixels]:
    """Measures how well pictures are restored.

    Args:
        restore: from uint8 (height, width, C) to the same.
        pairs: as `held_out_pairs` gives them.

    Returns:
        Each picture's PSNR in dB, by level of noise.
    """
    return {
        level: np.array([metrics.psnr(clean, restore(noisy), 255) for noisy, clean in cut])
        for level, cut in pairs.items()
    }


def capped_mean(psnrs: Pixels) -> float:
    """Mean PSNR in dB, of which a picture that comes back all but exact counts as 45.

    It would outweigh all others otherwise.
    """
    return float(np.minimum(psnrs, _FLAWLESS).mean())


def check_quality(
    name: str,
    own: dict[float, Pixels],
    keras: dict[float, Pixels],
    quantization: str,
    noise: Noise,
) -> None:
    """Checks that a file restores as Keras does.

    Args:
        name: what the file is called in messages.
        own: what `psnrs` measured of the file.
        keras: what it measured of the Keras model.
        quantization: one of `tflite.QUANTIZATIONS`.
        noise: what was restored.

    Raises:
        ModelError: naming the level at which it does not.
    """
    tolerance = PSNR_TOLERANCES[quantization]
    for level in keras:
        file, reference = capped_mean(own[level]), capped_mean(keras[level])
        if not abs(file - reference) <= tolerance:
            raise ModelError(
                f"{name} restores to {file:.3f} dB at {noise.label(level)} of {noise.title} where "
                f"Keras reaches {reference:.3f}: more than {tolerance:g} dB apart"
            )
