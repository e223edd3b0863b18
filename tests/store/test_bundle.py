import json
import shutil

import numpy as np
import pytest

from kerasgan.errors import ModelError
from kerasgan.model.loading import load_generator
from kerasgan.restore.litert import load_file, load_files
from kerasgan.restore.restorer import load_restorer, load_restorers
from kerasgan.store.bundle import Bundle, training_record
from tests.helpers import noisy_picture


@pytest.fixture
def copy(bundle, tmp_path):
    return shutil.copytree(bundle.path, tmp_path / "copy")


def test_a_bundle_restores_with_its_keras_model(bundle):
    noisy = noisy_picture(40, 40)
    expected = load_restorer(bundle.generator)(noisy)
    np.testing.assert_array_equal(load_restorer(bundle.path)(noisy), expected)


def test_all_files_of_a_bundle_are_found(bundle, trained_run):
    names = ["keras", "float32", "float16", "dynamic", "int8", "any-size"]
    assert list(load_restorers(bundle.path)) == names
    assert list(load_restorers(bundle.path / "int8.tflite")) == ["restored"]
    assert list(load_restorers(trained_run.path)) == ["restored"]


def test_files_are_checked_against_the_manifest_beside_them(copy):
    path = copy / "float32.tflite"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    for load in (lambda: load_file(path), lambda: list(load_files(Bundle.read(copy)))):
        with pytest.raises(ModelError, match=r"float32.tflite is not the file .* hashes differ"):
            load()


def test_the_keras_model_is_checked_too(copy):
    (copy / "generator.keras").write_bytes(b"another")
    with pytest.raises(ModelError, match="generator.keras is not the file"):
        load_generator(copy)
    (copy / "generator.keras").unlink()
    with pytest.raises(ModelError, match="there is no .*generator.keras"):
        load_generator(copy)


def changed(manifest, **changes):
    return json.dumps({**manifest, **changes})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text, _: text[: len(text) // 2], "damaged"),
        (lambda text, _: "", "damaged"),
        (lambda text, _: "[1, 2]", "damaged"),
        (lambda text, _: '{"version": 1}', "damaged"),
        (lambda text, m: changed(m, version=9), "of version 9; this kerasgan reads 1"),
        (lambda text, m: changed(m, multiple="four"), "damaged"),
        (lambda text, m: changed(m, training={"config": {}}), "damaged"),
        (
            lambda text, m: changed(m, generator={"file": "../../key", "sha256": "0"}),
            "lists files that are none",
        ),
    ],
)
def test_damaged_manifests_are_named(copy, damage, message):
    path = copy / "manifest.json"
    text = path.read_text()
    path.write_text(damage(text, json.loads(text)))
    for use in (Bundle.read, load_restorers, lambda folder: load_file(folder / "int8.tflite")):
        with pytest.raises(ModelError, match=message):
            use(copy)


def test_the_training_run_is_found_from_runs_bundles_and_their_files(trained_run, bundle):
    record = json.loads(trained_run.config.read_text())
    assert training_record(trained_run.path) == training_record(trained_run.generator) == record
    assert training_record(bundle.path) is None
