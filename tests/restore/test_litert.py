import shutil
import tempfile
import warnings

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.errors import DataError, ModelError
from kerasgan.images.pixels import to_float
from kerasgan.model.loading import load_generator
from kerasgan.restore.litert import TFLiteModel, load_file
from kerasgan.restore.restorer import Restorer
from kerasgan.tflite import QUANTIZATIONS
from kerasgan.tflite.convert import convert
from tests.helpers import image_set, noisy_picture

FILES = (*QUANTIZATIONS, "any-size")


def converted(function, shape=(1, 16, 16, 1), names=("noisy", "restored"), key="denoise"):
    """A .tflite file of any function."""
    module = tf.Module()
    spec = tf.TensorSpec(shape, tf.float32, name=names[0])
    module.function = tf.function(lambda **inputs: {names[1]: function(inputs[names[0]])})
    concrete = module.function.get_concrete_function(**{names[0]: spec})
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
        if key is not None:
            tf.saved_model.save(module, folder, signatures={key: concrete})
            converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[key])
        return converter.convert()


@pytest.mark.parametrize("name", FILES)
def test_every_value_that_cannot_be_noise_comes_back(bundle, name):
    model = load_file(bundle.path / f"{name}.tflite")
    random = np.random.default_rng(0)
    for size in [(32, 32), (48, 64), (70, 90)]:
        values = np.resize(np.arange(1, 255, dtype=np.uint8), (*size, 1))
        noise = np.where(random.random(values.shape) < 0.5, 0, 255)
        certain = random.random(values.shape) < 0.6
        certain.flat[:254] = True
        restored = Restorer(model)(np.where(certain, values, noise).astype(np.uint8))
        assert set(values[certain]) == set(range(1, 255))
        np.testing.assert_array_equal(restored[certain], values[certain])


@pytest.mark.parametrize(("name", "levels"), [*zip(FILES, (0, 1, 4, 8, 0), strict=True)])
def test_files_restore_as_keras_does(bundle, name, levels):
    generator = Restorer(load_generator(bundle.generator))
    restore = Restorer(load_file(bundle.path / f"{name}.tflite"))
    for seed, clean in enumerate(image_set(3, 50, height=48, width=64)):
        random = np.random.default_rng(seed)
        noisy = np.where(random.random(clean.shape) < 0.5, 255 * (seed % 2), clean).astype(np.uint8)
        apart = np.abs(restore(noisy).astype(int) - generator(noisy))
        assert apart.max() <= levels


@pytest.mark.parametrize("size", [(1, 1), (32, 32), (33, 20), (48, 64), (130, 200)])
def test_any_size_is_restored_by_files_of_fixed_sizes(bundle, size):
    noisy = noisy_picture(*size)
    restored = Restorer(load_file(bundle.path / "int8.tflite"))(noisy)
    assert restored.shape == noisy.shape and restored.dtype == np.uint8


def test_tiles_are_those_of_the_smallest_size_that_holds_the_picture(bundle):
    model = load_file(bundle.path / "float32.tflite")
    assert model.window(20, 32)[:2] == (32, 32)
    assert model.window(33, 20)[:2] == (48, 64)
    assert model.window(500, 20)[:2] == (48, 64)
    assert model.window(500, 20).multiple == 4


def test_without_a_manifest_tiles_keep_to_any_stride_that_the_size_allows(bundle, tmp_path):
    path = shutil.copy(bundle.path / "float32.tflite", tmp_path)
    window = TFLiteModel(path).window(500, 500)
    assert (window.multiple, window.margin) == (8, 8)
    noisy = noisy_picture(90, 90)
    alone = Restorer(TFLiteModel(path))(noisy)
    certain = (noisy > 0) & (noisy < 255)
    np.testing.assert_array_equal(alone[certain], noisy[certain])


def test_color_is_restored_by_a_color_file(color_bundle):
    noisy = noisy_picture(40, 40, channels=3)
    restored = Restorer(load_file(color_bundle.path / "float32.tflite"))(noisy)
    certain = (noisy > 0) & (noisy < 255)
    np.testing.assert_array_equal(restored[certain], noisy[certain])


def test_deep_pictures_need_a_float_file(bundle):
    noisy = noisy_picture(32, 32, dtype=np.uint16)
    restored = Restorer(load_file(bundle.path / "float32.tflite"))(noisy)
    certain = (noisy > 0) & (noisy < 65535)
    np.testing.assert_array_equal(restored[certain], noisy[certain])
    for picture in (noisy, to_float(noisy)):
        with pytest.raises(DataError, match=r"int8.tflite takes 8-bit pictures; take a float file"):
            Restorer(load_file(bundle.path / "int8.tflite"))(picture)


@pytest.mark.parametrize("numbers", ["int8", "float32"])
def test_int8_files_take_other_numbers(bundle, numbers, tmp_path):
    generator = load_generator(bundle.generator)
    pictures = [to_float(noisy_picture(32, 32)) for _ in range(3)]
    path = tmp_path / "other.tflite"
    path.write_bytes(
        convert(
            generator, "int8", sizes=[(32, 32)], calibration=lambda _: pictures, numbers=numbers
        )
    )
    model = TFLiteModel(path)
    assert model.input.dtype == model.output.dtype == numbers
    noisy = noisy_picture(32, 32)
    restored = Restorer(model)(noisy)
    certain = (noisy > 0) & (noisy < 255)
    np.testing.assert_array_equal(restored[certain], noisy[certain])


def test_int8_files_take_the_bytes_of_a_picture(bundle, classic_bundle):
    for path in (bundle.path, classic_bundle.path):
        model = load_file(path / "int8.tflite")
        for tensor in (model.input, model.output):
            assert (tensor.dtype, tensor.zero_point) == ("uint8", 0)
            assert tensor.scale == pytest.approx(1 / 255, rel=1e-6)


def bad_files(bundle, folder):
    content = (bundle.path / "int8.tflite").read_bytes()
    yield "missing", None, "there is no model"
    yield "empty", b"", "is an empty file"
    yield "text", b"no model at all", "is no TFLite model"
    yield "random", np.random.default_rng(0).bytes(5000), "is no TFLite model"
    for share in (0.01, 0.3, 0.9, 0.999):
        yield f"cut at {share}", content[: int(len(content) * share)], "cannot be run"
    yield "other", content[:8] + np.random.default_rng(0).bytes(5000), "cannot be run"
    yield "unsigned", converted(lambda x: x + 1.0, key=None), "has no signature 'denoise'"
    yield "named otherwise", converted(lambda x: x + 1.0, key="run"), "has no signature"
    yield (
        "other tensors",
        converted(lambda x: x + 1.0, names=("picture", "mask")),
        "from picture to mask, not from noisy to restored",
    )
    yield "flat", converted(lambda x: x + 1.0, (1, 256)), r"inputs of the shape \(1, 256\)"
    yield "two channels", converted(lambda x: x + 1.0, (1, 8, 8, 2)), "inputs of the shape"
    yield "smaller", converted(lambda x: x[:, ::2]), "does not give back pictures of the size"


def test_bad_files_are_named(bundle, tmp_path):
    for name, content, message in bad_files(bundle, tmp_path):
        path = tmp_path / f"{name}.tflite"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ModelError, match=message):
            TFLiteModel(path)
