import json
import re
import shutil

import keras
import numpy as np
import pytest

from kerasgan.errors import ModelError
from kerasgan.model.gan import DenoisingGAN
from kerasgan.model.loading import load_generator
from kerasgan.restore.restorer import load_restorers
from kerasgan.store import zoo
from tests.cli.command import run
from tests.helpers import bundle_of, noisy_picture


@pytest.fixture(scope="module")
def own_bundle(tmp_path_factory, trained_run):
    """A small bundle that knows its training."""
    path = tmp_path_factory.mktemp("zoo") / "saved_models" / "small"
    options = {"quantizations": ["float32"], "sizes": [(32, 32)]}
    record = json.loads(trained_run.config.read_text())
    return bundle_of(load_generator(trained_run.path), path, record=record, **options)


@pytest.fixture
def saved(own_bundle, monkeypatch):
    monkeypatch.setattr(zoo, "_FOLDERS", (own_bundle.path.parent,))
    return own_bundle


def test_saved_models_are_found_by_name(saved, tmp_path, monkeypatch):
    assert zoo.saved_models() == {"small": saved.path}
    assert zoo.find_model("small") == saved.path
    assert zoo.find_model(tmp_path) == tmp_path
    monkeypatch.chdir(tmp_path)
    shutil.copytree(saved.path, "small")
    assert zoo.find_model("small").absolute() == tmp_path / "small"
    with pytest.raises(ModelError, match="no saved model 'large'; there are small"):
        zoo.read_saved_model("large")


def test_models_are_listed_and_used_by_name(saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = run("models")
    assert output.startswith("small  grey, trained on 12 images of bundled")
    assert "float32" in output
    # What the figures are of: others are of other pictures.
    assert "PSNR in dB by share of noise, of 32×32 patches of pictures:" in output
    assert "Figures of whole pictures, as in the README, are measured by kerasgan eval" in output
    assert list(load_restorers("small")) == ["keras", "float32"]
    output = run("denoise", "none.png", "--model", "small", status=1)
    assert "there is no picture none.png" in output


def test_models_that_are_damaged_or_tell_less_are_listed(saved, tmp_path, monkeypatch):
    manifest = json.loads((saved.path / "manifest.json").read_text())
    older = {key: value for key, value in manifest.items() if key not in ("noise", "reach")}
    for name, content in [
        ("a-damaged", {**manifest, "channels": "x"}),
        ("b-older", older),
        ("c-untold", {**manifest, "training": None}),
        ("d-nothing", {**older, "training": None}),
    ]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps(content))
    monkeypatch.setattr(zoo, "_FOLDERS", (tmp_path,))
    output = run("models")
    assert "a-damaged  cannot be used: " in output and "channels must be 1 or 3" in output
    assert "b-older  grey, trained on 12 images of bundled" in output
    assert "c-untold  grey\n" in output
    assert re.search("d-nothing  cannot be used: .* does not tell how it was trained", output)


def test_a_saved_model_can_be_trained_further(saved):
    gan = DenoisingGAN.from_preset("small", patch_size=16)
    noisy = noisy_picture(32, 32).astype(np.float32)[np.newaxis] / 255
    expected = keras.models.load_model(saved.generator)(noisy)
    np.testing.assert_array_equal(gan(noisy), expected)
    gan.fit(noisy[:, :16, :16], noisy[:, :16, :16], verbose=0)
    assert np.abs(gan(noisy) - expected).max() > 0
    with pytest.raises(ValueError, match="small has 1 channels, not 3"):
        DenoisingGAN.from_preset("small", channels=3)
    with pytest.raises(ValueError, match="no saved model 'unknown'; there are small"):
        DenoisingGAN.from_preset("unknown")


def test_the_models_that_come_with_kerasgan_are_whole():
    names = list(zoo.saved_models())
    assert zoo.DEFAULT_MODEL in names
    for name in names:
        bundle = zoo.read_saved_model(name)
        restorers = load_restorers(bundle.path)
        assert list(restorers) == ["keras", "float32", "float16", "dynamic", "int8"]
        noisy = noisy_picture(48, 48, channels=bundle.manifest["channels"])
        certain = (noisy > 0) & (noisy < 255)
        for restore in restorers.values():
            np.testing.assert_array_equal(restore(noisy)[certain], noisy[certain])
    files = (path for root in zoo._FOLDERS for path in root.rglob("*") if path.is_file())
    assert sum(path.stat().st_size for path in files) < 15e6
