import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from kerasgan.errors import ModelError, OutputError
from kerasgan.model.loading import load_generator
from kerasgan.restore.files import load_file, load_files
from kerasgan.restore.restorer import load_restorer, load_restorers
from kerasgan.store.bundle import Bundle, check_replaceable, is_bundle, training_record
from tests.helpers import noisy_picture


@pytest.fixture
def copy(bundle, tmp_path):
    return shutil.copytree(bundle.path, tmp_path / "copy")


@pytest.fixture
def only(copy):
    """Leaves of the bundle's files those that are named; returns the folder."""

    def leave(*names):
        manifest = json.loads((copy / "manifest.json").read_text())
        manifest["files"] = {name: manifest["files"][name] for name in names}
        (copy / "manifest.json").write_text(json.dumps(manifest))
        return copy

    return leave


@pytest.mark.parametrize(
    ("names", "of_8_bits", "deeper"),
    [
        (("float32", "float16", "dynamic", "int8"), "dynamic", "float32"),
        (("int8", "float16"), "int8", "float16"),
        (("int8", "dynamic"), "dynamic", "dynamic"),
        (("int8",), "int8", "keras"),
        (("any-size",), "any-size", "any-size"),
    ],
)
def test_the_best_file_that_a_bundle_has_restores(only, caplog, names, of_8_bits, deeper):
    path = only(*names)
    restore, each = load_restorer(path), load_restorers(path)
    for dtype, name in [(np.uint8, of_8_bits), (np.uint16, deeper), (np.uint16, deeper)]:
        noisy = noisy_picture(40, 40, dtype=dtype)
        np.testing.assert_array_equal(restore(noisy), each[name](noisy))
        asked_for = load_restorer(path, precision=name)
        np.testing.assert_array_equal(asked_for(noisy), each[name](noisy))
    records = [record for record in caplog.records if record.name.startswith("kerasgan")]
    said = [record.getMessage() for record in records]
    by = {"keras": "Keras, which takes seconds to start"}.get(deeper, f"{deeper}.tflite")
    line = f"Pictures of more than 8 bits are restored by {by}"
    assert said == ([] if deeper == of_8_bits else [line])


def test_what_a_bundle_does_not_have_is_named(only, trained_run):
    path = only("int8", "float16")
    with pytest.raises(ModelError, match="has no dynamic file; it has keras, int8, float16, and"):
        load_restorer(path, precision="dynamic")
    with pytest.raises(ModelError, match="files of .* have the sharpness of their export"):
        load_restorer(path, 0.5, precision="int8")
    with pytest.raises(ModelError, match="is no bundle, which alone has precisions"):
        load_restorer(trained_run.path, precision="int8")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_twin_restores_the_same_beside_its_model(only, dtype):
    noisy = noisy_picture(100, 90, dtype=dtype)
    path = only("int8", "dynamic")
    restore, alone = (load_restorer(path, threads=threads) for threads in (3, 1))
    expected = alone(noisy)
    np.testing.assert_array_equal(restore(noisy), expected)
    np.testing.assert_array_equal(restore.twin()(noisy), expected)


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


def with_entry(manifest, **changes):
    """The text of a manifest whose float32 file's entry is changed."""
    entry = {**manifest["files"]["float32"], **changes}
    return changed(manifest, files={**manifest["files"], "float32": entry})


def with_overlap(value):
    return lambda text, manifest: changed(
        manifest, overlap={**manifest["overlap"], "denoise": value}
    )


DEEP, LONG = "[" * 100_000 + "]" * 100_000, "9" * 5000


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text, _: text[: len(text) // 2], "damaged"),
        (lambda text, _: "{", "damaged"),
        (lambda text, m: changed(m, version=9), "of version 9; this kerasgan reads 1"),
        (lambda text, m: changed(m, multiple="four"), "multiple must be a whole number"),
        (lambda text, m: changed(m, multiple=-8), "multiple must .* not -8"),
        (lambda text, m: changed(m, multiple=0), "multiple must"),
        (lambda text, m: changed(m, multiple=True), "multiple must"),
        (lambda text, m: changed(m, multiple=10**6), "multiple must .* not 1000000"),
        (lambda text, m: changed(m, multiple=64), r"signatures.denoise must .* 64, not \[32, 32"),
        (lambda text, m: changed(m, overlap=16), "overlap must name a number for each .* not 16"),
        (lambda text, m: changed(m, overlap={}), "overlap must name a number for each"),
        (with_overlap(4), "overlap.denoise must be n × 8 pixels, .* not 4"),
        (with_overlap(32), "overlap.denoise must .* at most 31, not 32"),
        (with_overlap("8"), "overlap.denoise must .* not '8'"),
        (lambda text, m: changed(m, multiple=10**4000), "multiple must .* not 1000000.*0"),
        (lambda text, m: text.replace('"multiple": 4', f'"multiple": {LONG}'), "damaged"),
        (lambda text, m: text.replace('"multiple": 4', f'"multiple": {DEEP}'), "nested too deep"),
        (lambda text, m: text + " " * 2**22, "more than 4,194,304 bytes"),
        (lambda text, m: changed(m, reach=-1), "reach must be a whole number of pixels"),
        (lambda text, m: changed(m, channels=2), "channels must be 1 or 3, not 2"),
        (lambda text, m: changed(m, signatures={}), "signatures must name sizes"),
        (lambda text, m: changed(m, signatures={"denoise": 32}), "signatures.denoise must"),
        (lambda text, m: changed(m, signatures={"denoise": [32, -32]}), "signatures.denoise must"),
        (lambda text, m: changed(m, files=[1]), r"files must name files, not \[1\]"),
        (lambda text, m: changed(m, files={"a": 1}), "files.a must be an object, not 1"),
        (lambda text, m: with_entry(m, file="../a.tflite"), "files.float32.file must be the name"),
        (lambda text, m: with_entry(m, file="a.exe"), "files.float32.file must be the name"),
        (lambda text, m: with_entry(m, sha256=5), "files.float32.sha256 must be a hash"),
        (lambda text, m: with_entry(m, bytes="many"), "files.float32.bytes must be"),
        (lambda text, m: with_entry(m, psnr={"half": {}}), "files.float32.psnr must hold"),
        (lambda text, m: with_entry(m, psnr=None), "files.float32.psnr must hold"),
        (lambda text, m: with_entry(m, input=None), "files.float32.input must tell its dtype"),
        (lambda text, m: with_entry(m, output={}), "files.float32.output must tell its dtype"),
        (lambda text, m: changed(m, cost=3), "cost must hold weights and .* not 3"),
        (lambda text, m: changed(m, cost={"weights": 3.5}), "cost must hold"),
        (
            lambda text, m: changed(m, cost={"weights": 1, "multiply_accumulates": "x"}),
            "cost must hold",
        ),
        (lambda text, m: changed(m, noise={"kind": "snow"}), "no noise 'snow'"),
        (lambda text, m: changed(m, noise=3), "noise must be an object"),
        (lambda text, m: changed(m, sharpness=2), "sharpness must lie between 0 and 1, not 2"),
        (lambda text, m: changed(m, sharpness="half"), "sharpness must .* not 'half'"),
        (lambda text, m: changed(m, faithful=3), "faithful must be an object, not 3"),
        (lambda text, m: changed(m, faithful={"model": 3}), "faithful.model must be the name"),
        (
            lambda text, m: changed(m, faithful={"file": "../a.keras", "sha256": "0"}),
            "faithful.file must be the name of a .keras file",
        ),
        (lambda text, m: changed(m, subject=[]), "subject must be a text"),
        (lambda text, m: changed(m, checked=[]), "checked must name its source"),
        (lambda text, m: changed(m, training={"config": {}}), "damaged"),
        (lambda text, m: changed(m, training=7), "training must be a record or null, not 7"),
        (
            lambda text, m: changed(m, generator={"file": "../../key", "sha256": "0"}),
            "generator.file must be the name of a .keras file",
        ),
    ],
)
def test_damaged_manifests_are_named(copy, damage, message):
    path = copy / "manifest.json"
    text = path.read_text()
    path.write_text(damage(text, json.loads(text)))
    for use in (Bundle.read, load_restorers, lambda folder: load_file(folder / "int8.tflite")):
        with pytest.raises(ModelError, match=message) as caught:
            use(copy)
        assert str(path) in str(caught.value)
        assert len(str(caught.value)) < 400


def test_bundles_of_before_are_read(copy):
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text())
    for name in ("noise", "reach", "sharpness", "faithful", "subject", "overlap", "axes"):
        del manifest[name]
    path.write_text(json.dumps(manifest))
    assert load_file(copy / "int8.tflite").sizes
    with pytest.raises(ModelError, match="does not tell how it was trained"):
        _ = Bundle.read(copy).noise


@pytest.mark.parametrize(
    "foreign", ["", "[1, 2]", '{"name": "An app", "version": "1", "icons": []}', "no JSON", DEEP]
)
def test_what_others_call_manifest_json_is_passed_over(bundle, tmp_path, foreign):
    path = Path(shutil.copy(bundle.path / "int8.tflite", tmp_path))
    (tmp_path / "manifest.json").write_text(foreign)
    assert not is_bundle(tmp_path)
    assert load_file(path).sizes == load_file(bundle.path / "int8.tflite").sizes
    with pytest.raises(ModelError, match="is damaged|is of version '1'"):
        Bundle.read(tmp_path)


@pytest.mark.parametrize("foreign", ["", '{"architectures": ["UNet"]}', "{data", DEEP])
def test_what_others_call_config_json_is_passed_over(tmp_path, foreign):
    (tmp_path / "generator.keras").touch()
    (tmp_path / "config.json").write_text(foreign)
    assert training_record(tmp_path / "generator.keras") is None


def test_a_damaged_record_is_named(trained_run, tmp_path):
    text = trained_run.config.read_text()
    path = tmp_path / "config.json"
    for damaged in (text[:-5], text.replace('"epochs": 2', '"epochs": []')):
        path.write_text(damaged)
        with pytest.raises(ModelError, match=r"config\.json is damaged"):
            training_record(tmp_path)


def test_a_foreign_manifest_is_not_overwritten(tmp_path):
    (tmp_path / "manifest.json").write_text('{"name": "An app"}')
    with pytest.raises(OutputError, match=r"holds manifest\.json, which is no part of a bundle"):
        check_replaceable(tmp_path, overwrite=True)


def test_the_training_run_is_found_from_runs_bundles_and_their_files(trained_run, bundle):
    record = json.loads(trained_run.config.read_text())
    assert training_record(trained_run.path) == training_record(trained_run.generator) == record
    assert training_record(bundle.path) is None
