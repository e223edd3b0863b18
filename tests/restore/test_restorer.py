import json
import os
import shutil
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from kerasgan.errors import ModelError
from kerasgan.images.pixels import to_float
from kerasgan.model.generators import build_generator
from kerasgan.model.loading import load_generator
from kerasgan.restore import graph
from kerasgan.restore.restorer import Restorer
from tests.helpers import looking_into_the_corners, noisy_picture, randomize, small_config


@pytest.fixture(scope="module")
def grey():
    return randomize(build_generator(small_config().generator))


@pytest.fixture(scope="module")
def color():
    return randomize(build_generator(small_config().generator, channels=3))


@pytest.mark.parametrize("size", [(1, 1), (7, 50), (33, 40), (64, 64)])
def test_any_size_is_restored(grey, size):
    restored = Restorer(grey)(noisy_picture(*size))
    assert restored.shape == (*size, 1)
    assert restored.dtype == np.uint8


def test_the_network_is_run_on_scaled_values(grey):
    noisy = noisy_picture(32, 40)
    expected = np.rint(grey(to_float(noisy)[np.newaxis])[0] * 255)
    np.testing.assert_array_equal(Restorer(grey)(noisy), expected)
    np.testing.assert_array_equal(Restorer(grey)(noisy[..., 0]), expected[..., 0])


@pytest.mark.parametrize("architecture", ["classic", "selective"])
def test_tiles_join_without_seams_and_would_not_with_half_the_margin(architecture, monkeypatch):
    model = looking_into_the_corners(build_generator(small_config(architecture).generator))
    # Hardly anything is certain, so that the network looks as far as it can.
    random = np.random.default_rng(0)
    noisy = np.where(random.random((150, 210, 1)) < 0.003, random.random((150, 210, 1)), 0.0)
    noisy = noisy.astype(np.float32)
    whole = Restorer(model)(noisy)
    monkeypatch.setattr(graph, "TILE", 64)
    tiles = graph.KerasGraph(model)
    # What floating point leaves of equal sums.
    assert np.abs(whole - Restorer(tiles)(noisy)).max() < 1e-6
    tiles._margin = tiles._margin // 2 // tiles._multiple * tiles._multiple
    assert np.abs(whole - Restorer(tiles)(noisy)).max() > 3e-5


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_certain_pixels_come_back_bit_exact(grey, dtype):
    noisy = noisy_picture(64, 48, dtype=dtype)
    restored = Restorer(grey)(noisy)
    certain = (noisy > 0) & (noisy < np.iinfo(dtype).max)
    np.testing.assert_array_equal(restored[certain], noisy[certain])
    assert restored.dtype == dtype


def test_color_is_restored_channel_by_channel_by_a_grey_model(grey):
    noisy = noisy_picture(40, 40, channels=3)
    restored = Restorer(grey)(noisy)
    for channel in range(3):
        np.testing.assert_array_equal(restored[..., channel], Restorer(grey)(noisy[..., channel]))


def test_grey_is_shown_as_color_to_a_color_model(color):
    noisy = noisy_picture(40, 40)
    restored = Restorer(color)(noisy)
    assert restored.shape == noisy.shape
    certain = (noisy > 0) & (noisy < 255)
    np.testing.assert_array_equal(restored[certain], noisy[certain])
    as_float = Restorer(color)(to_float(noisy))
    np.testing.assert_allclose(as_float * 255, restored, atol=0.51)
    np.testing.assert_array_equal(as_float[certain], to_float(noisy)[certain])


@pytest.mark.parametrize("strength", [0.0, 0.3, 0.7, 1.0])
def test_strength_goes_a_share_of_the_way_and_is_rounded_once(grey, strength):
    noisy = noisy_picture(48, 40)
    # Not the restored picture's bytes: what the network gave before they were rounded.
    restored = Restorer(grey)(to_float(noisy)).astype(np.float64)
    expected = 255 * ((1 - strength) * to_float(noisy) + strength * restored)
    blended = Restorer(grey)(noisy, strength=strength)
    # Float32 may round a half the other way.
    assert np.abs(blended - expected).max() < 0.501
    assert blended.dtype == np.uint8


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_strength_0_is_the_picture_and_1_the_restored_one(grey, color, channels, dtype):
    noisy = noisy_picture(40, 40, channels=channels, dtype=dtype)
    for model in (grey, color):
        restore = Restorer(model)
        np.testing.assert_array_equal(restore(noisy, strength=0.0), noisy)
        np.testing.assert_array_equal(restore(noisy, strength=1.0), restore(noisy))
        steps = [restore(noisy, strength=s).astype(int) for s in (0.0, 0.25, 0.5, 0.75, 1.0)]
        # Every value goes one way.
        moves = np.sign(np.diff(steps, axis=0))
        assert not ((moves > 0).any(axis=0) & (moves < 0).any(axis=0)).any()
    twin = Restorer(grey).twin()
    np.testing.assert_array_equal(twin(noisy, strength=0.0), noisy)


@pytest.mark.parametrize("strength", [-0.1, 1.5, np.nan])
def test_a_strength_outside_0_to_1_is_refused(grey, strength):
    with pytest.raises(ValueError, match=r"strength must lie in \[0, 1\]"):
        Restorer(grey)(noisy_picture(16, 16), strength=strength)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 2), np.uint8), "an image must be"),
        (np.zeros((2, 4, 4, 1), np.uint8), "an image must be"),
        (np.zeros((0, 4, 1), np.uint8), "an image must be"),
        (np.full((4, 4), 255.0), r"must lie in \[0, 1\]"),
        (np.full((4, 4), np.nan), r"must lie in \[0, 1\]"),
        (np.zeros((4, 4), np.int64), "uint8 or uint16"),
    ],
)
def test_what_is_no_image_is_refused(grey, image, message):
    with pytest.raises(ValueError, match=message):
        Restorer(grey)(image)


def test_generators_are_found_in_runs_and_models(averaged_run):
    noisy = to_float(noisy_picture(32, 32))
    results = [
        Restorer(load_generator(path))(noisy)
        for path in (averaged_run.path, averaged_run.generator, averaged_run.model)
    ]
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)
    raw = keras.models.load_model(averaged_run.model)
    assert np.abs(Restorer(raw)(noisy) - results[0]).max() > 1e-5


def rewritten(source, target, **members):
    """A copy of a .keras file with some of its JSON members changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name in members:
                content = members[name](content.decode()).encode()
            new.writestr(name, content)
    return target


def bad_models(run, folder):
    yield folder / "missing.keras", "there is no model"
    yield folder, "no run folder"
    path = folder / "empty.keras"
    path.touch()
    yield path, "no Keras model file"
    path = folder / "text.keras"
    path.write_text("no model")
    yield path, "no Keras model file"
    path = folder / "other.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("letter.txt", "dear reader")
    yield path, "a zip file, but no Keras model"
    path = folder / "cut.keras"
    path.write_bytes(run.generator.read_bytes()[:5000])
    yield path, "no Keras model file, or a damaged one"

    def version(text):
        return json.dumps({**json.loads(text), "keras_version": "9.1.0"})

    def layers(text):
        return text.replace('"Conv2D"', '"Conv2DofTomorrow"')

    path = folder / "tomorrow.keras"
    rewritten(run.generator, path, **{"metadata.json": version, "config.json": layers})
    yield path, f"written by Keras 9.1.0, with Keras {keras.__version__}"
    path = folder / "fixed.keras"
    keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 1)]).save(path)
    yield path, "restores no images of any size"
    path = folder / "classifier.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(path)
    yield path, "restores no images"
    for text in ("[1, 2]", '"text"', "null", "{}"):
        path = folder / f"metadata {len(text)}.keras"
        rewritten(run.generator, path, **{"metadata.json": lambda _, text=text: text})
        yield path, "no Keras model"
    for member in ("metadata.json", "config.json"):
        path = folder / f"deep {member}.keras"
        rewritten(run.generator, path, **{member: lambda _: "[" * 100_000 + "]" * 100_000})
        yield path, "no Keras model file, or a damaged one"
        path = folder / f"bomb {member}.keras"
        rewritten(run.generator, path, **{member: lambda text: text + " " * 2**24})
        yield path, f"damaged: its {member} has 16,"
    content = bytearray(run.generator.read_bytes())
    path = folder / "encrypted.keras"
    entry = content.index(b"PK\1\2")
    while entry >= 0:
        content[entry + 8] |= 1
        entry = content.find(b"PK\1\2", entry + 1)
    path.write_bytes(content)
    yield path, "no Keras model file, or a damaged one"
    path = folder / "deflated.keras"
    with zipfile.ZipFile(run.generator) as old, zipfile.ZipFile(path, "w", 8) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    content = bytearray(path.read_bytes())
    start = content.index(b"metadata.json") + len(b"metadata.json")
    content[start : start + 20] = bytes(20 * [0xFF])
    path.write_bytes(content)
    yield path, "no Keras model file, or a damaged one"
    path = folder / "pipe.keras"
    os.mkfifo(path)
    yield path, "no regular file"


def test_bad_models_are_named(trained_run, tmp_path):
    for path, message in bad_models(trained_run, tmp_path):
        with pytest.raises(ModelError, match=message) as caught:
            load_generator(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_weights_that_are_missing_are_named(trained_run, tmp_path):
    path = tmp_path / "weightless.keras"
    shutil.copy(trained_run.generator, path)
    with zipfile.ZipFile(trained_run.generator) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if name != "model.weights.h5":
                new.writestr(name, old.read(name))
    with pytest.raises(ModelError, match="cannot load"):
        load_generator(path)


@pytest.mark.slow
def test_the_library_starts_tensorflow_quietly_and_leaves_the_environment_alone():
    program = (
        "import os\nbefore = dict(os.environ)\n"
        "from kerasgan.startup import import_tensorflow; import_tensorflow()\n"
        "import sys; print('tensorflow' in sys.modules, before.keys() == dict(os.environ).keys())"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("True True\n", "")
