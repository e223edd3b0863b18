import json
import os
import shutil
import signal
import tempfile
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.errors import DataError, ModelError
from kerasgan.images.pixels import to_float
from kerasgan.model.loading import load_generator
from kerasgan.restore import files, litert, trial
from kerasgan.restore.files import load_file
from kerasgan.restore.litert import TFLiteModel
from kerasgan.restore.restorer import Restorer
from kerasgan.restore.tiling import Window
from kerasgan.startup import held_back_stderr
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


def test_windows_that_hold_the_picture_or_see_enough_are_taken(bundle):
    model = load_file(bundle.path / "float32.tflite")
    assert model.window(20, 32)[:2] == (32, 32)
    assert model.window(33, 20)[:2] == (48, 64)
    assert model.window(500, 20)[:2] == (48, 64)
    assert model.window(500, 20).multiple == 4


def test_of_windows_that_see_enough_those_are_taken_that_hold_the_fewest_pixels(bundle):
    model = load_file(bundle.path / "float32.tflite")
    model.sizes = {str(size): (size, size) for size in (48, 256, 384, 512)}
    model._multiple, model._reach = 8, 75
    chosen = {
        (height, width): model.window(height, width).height
        for height, width in [(40, 40), (300, 300), (300, 200), (640, 480), (1080, 1920)]
    }
    # 48 sees too little of what is beyond, which matters where there is a seam.
    assert chosen == {
        (40, 40): 48,
        (300, 300): 384,
        # Two of 256 hold fewer pixels than one of 384.
        (300, 200): 256,
        (640, 480): 512,
        (1080, 1920): 256,
    }
    model._reach = None
    assert model.window(640, 480) == Window(512, 512, 64, 8)


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


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.tflite")
    for load in (TFLiteModel, load_file):
        with pytest.raises(ModelError, match="is no regular file"):
            load(tmp_path / "pipe.tflite")


def test_damage_that_shows_in_the_first_run_is_named_when_loading(bundle, tmp_path, monkeypatch):
    path = Path(shutil.copy(bundle.path / "float32.tflite", tmp_path))
    monkeypatch.setattr(files, "try_out", lambda path: None)

    class Failing:
        def __init__(self, runner):
            self._runner = runner

        def __getattr__(self, name):
            return getattr(self._runner, name)

        def __call__(self, **inputs):
            raise RuntimeError("node 3 failed to invoke\nmore")

    from ai_edge_litert.interpreter import Interpreter

    runner_of = Interpreter.get_signature_runner
    monkeypatch.setattr(
        Interpreter, "get_signature_runner", lambda self, name: Failing(runner_of(self, name))
    )
    for load in (TFLiteModel, load_file):
        with pytest.raises(ModelError, match=r"float32\.tflite cannot be run: node 3 failed"):
            load(path)


def test_only_files_that_nothing_vouches_for_are_tried_elsewhere(bundle, tmp_path, monkeypatch):
    tried = []
    monkeypatch.setattr(files, "try_out", tried.append)
    load_file(bundle.path / "int8.tflite")
    assert not tried
    path = Path(shutil.copy(bundle.path / "int8.tflite", tmp_path))
    load_file(path)
    assert tried == [path]


def test_a_file_that_crashes_its_process_is_named(bundle, tmp_path, monkeypatch):
    path = Path(shutil.copy(bundle.path / "int8.tflite", tmp_path))
    program = tmp_path / "python"
    monkeypatch.setattr("sys.executable", str(program))
    for script, message in [
        (f"kill -{signal.SIGSEGV:d} $$", r"int8\.tflite cannot be run: .* \(status -11\)"),
        ("echo 'MemoryError: large' >&2; exit 1", r"ends LiteRT \(MemoryError: large\)"),
        ("printf 'what is wrong'; exit 3", "^what is wrong$"),
    ]:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        with pytest.raises(ModelError, match=message):
            load_file(path)
    monkeypatch.setattr(trial, "_SECONDS", 0.2)
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(ModelError, match="takes more than 0.2 s"):
        load_file(path)
    monkeypatch.setattr("sys.executable", "")
    assert load_file(path).sizes


def test_a_manifest_that_is_another_files_is_named(bundle):
    path = bundle.path / "float32.tflite"
    with pytest.raises(ModelError, match="takes 32×32, which is no multiple of 64"):
        TFLiteModel(path, multiple=64)


@pytest.mark.parametrize("multiple", [1, 3, 8, 24, 48, 256])
@pytest.mark.parametrize("extent", [16, 48, 512, 768, 4096])
def test_margins_are_multiples_and_leave_something(extent, multiple):
    extent = -(-extent // multiple) * multiple
    eighth = litert._margin(extent, multiple, None)
    for margin in (eighth, litert._margin(extent, multiple, 75)):
        assert margin % multiple == 0 and 0 <= 2 * margin < extent and margin <= eighth


def test_windows_overlap_by_what_the_network_sees(bundle, tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(bundle.path, folder)
    manifest = json.loads((folder / "manifest.json").read_text())

    def margins(**changes):
        (folder / "manifest.json").write_text(json.dumps({**manifest, **changes}))
        files = [load_file(folder / f"{name}.tflite") for name in ("float32", "any-size")]
        twins = [file.twin(1) for file in files]
        return [model.window(1000, 1000).margin for model in (*files, *twins)]

    # An eighth of 48, and of 512, where nothing is known.
    assert margins(reach=None) == [8, 64, 8, 64]
    assert margins(reach=14) == [4, 4, 4, 4]
    assert margins(reach=75) == [8, 24, 8, 24]


def test_threads_that_hold_back_stderr_give_it_back(capfd):
    both = threading.Barrier(2)
    first_left = threading.Event()

    def first():
        with held_back_stderr():
            both.wait()
            os.write(2, b"held")
        first_left.set()

    def second():
        with pytest.raises(RuntimeError), held_back_stderr():
            both.wait()
            first_left.wait()
            os.write(2, b"and shown")
            raise RuntimeError

    before = os.fstat(2)
    for _ in range(20):
        first_left.clear()
        with ThreadPoolExecutor(2) as pool:
            for future in [pool.submit(first), pool.submit(second)]:
                future.result(timeout=30)
    after = os.fstat(2)
    assert (before.st_dev, before.st_ino) == (after.st_dev, after.st_ino)
    os.write(2, b"after")
    shown = capfd.readouterr().err
    assert shown.count("and shown") == 20
    assert shown.endswith("after")


def test_models_are_loaded_in_threads(bundle, capfd):
    before = os.fstat(2)
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(load_file, [bundle.path / "int8.tflite"] * 12))
    after = os.fstat(2)
    assert (before.st_dev, before.st_ino) == (after.st_dev, after.st_ino)
    noisy = noisy_picture(32, 32)
    first = Restorer(models[0])(noisy)
    np.testing.assert_array_equal(Restorer(models[-1])(noisy), first)


def test_a_crew_is_as_large_as_threads_work_and_memory_are(bundle, monkeypatch):
    model = load_file(bundle.path / "int8.tflite", threads=3)
    monkeypatch.setattr(litert, "memory", lambda: float("inf"))
    assert [len(model.crew(most)) for most in (1, 2, 9)] == [1, 2, 3]
    assert model.crew(1) == [model] and model not in model.crew(2)
    monkeypatch.setattr(litert, "memory", lambda: 2.5 * litert._MEMORY)
    assert len(model.crew(9)) == 2
