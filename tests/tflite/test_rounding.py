import keras
import numpy as np

from kerasgan.images.pixels import to_float
from kerasgan.restore.litert import TFLiteModel
from kerasgan.tflite.convert import convert
from kerasgan.tflite.rounding import round_kernels
from tests.helpers import textured_set


def network():
    """Two convolutions, the first normalised; its weights nearly cancel, as a second difference."""
    noisy = keras.Input((None, None, 1), name="noisy")
    x = keras.layers.Conv2D(8, 3, padding="same", use_bias=False, name="first")(noisy)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(name="norm")(x))
    restored = keras.layers.Conv2D(1, 3, padding="same", name="last")(x)
    model = keras.Model(noisy, restored)
    random = np.random.default_rng(0)
    first = random.normal(0, 0.3, (3, 3, 1, 8))
    model.get_layer("first").kernel.assign(first - first.mean(axis=(0, 1)))
    for variable in model.get_layer("norm").weights:
        variable.assign(random.uniform(0.5, 2.0, variable.shape))
    return model


PICTURES = [to_float(image) for image in textured_set(5)]


def to_nearest(kernel):
    scale = np.abs(kernel).max(axis=(0, 1, 2)) / 127
    return np.rint(kernel / scale) * scale


def test_kernels_lie_on_the_grid_that_the_converter_finds():
    model = network()
    rounded = round_kernels(model, PICTURES)
    for name in ("first", "last"):
        before = model.get_layer(name).kernel.numpy()
        kernel = rounded.get_layer(name).kernel.numpy()
        scale = np.abs(before).max(axis=(0, 1, 2)) / 127
        np.testing.assert_allclose(np.abs(kernel).max(axis=(0, 1, 2)), 127 * scale, rtol=1e-6)
        levels = kernel / scale
        np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
    np.testing.assert_array_equal(model.get_layer("norm").gamma, rounded.get_layer("norm").gamma)


def test_errors_make_up_for_each_other():
    model, nearest = network(), network()
    rounded = round_kernels(model, PICTURES)
    for name in ("first", "last"):
        layer = nearest.get_layer(name)
        layer.kernel.assign(to_nearest(layer.kernel.numpy()))
    # On pictures that it has not seen.
    unseen = np.stack([to_float(image) for image in textured_set(4, 70)])
    expected = model(unseen)
    errors = [np.mean((other(unseen) - expected) ** 2) for other in (rounded, nearest)]
    assert errors[0] < 0.5 * errors[1]


def test_the_file_holds_the_rounded_kernels(tmp_path):
    model = network()
    rounded = round_kernels(model, PICTURES)
    path = tmp_path / "int8.tflite"
    path.write_bytes(
        convert(model, "int8", sizes=[(64, 64)], calibration=lambda size: iter(PICTURES))
    )
    interpreter = TFLiteModel(path)._interpreter
    kernels = [
        interpreter.get_tensor(tensor["index"])
        for tensor in interpreter.get_tensor_details()
        if tensor["dtype"] is np.int8 and tensor["shape"].tolist() == [8, 3, 3, 1]
    ]
    kernel = rounded.get_layer("first").kernel.numpy()
    levels = np.rint(kernel / np.abs(kernel).max(axis=(0, 1, 2)) * 127)
    # Normalisation scales each channel; here, no channel's sign changes.
    np.testing.assert_array_equal(kernels[0], levels.transpose(3, 0, 1, 2))
