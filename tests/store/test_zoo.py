import json
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from skimage import data

from kerasgan.errors import ModelError
from kerasgan.model.gan import DenoisingGAN
from kerasgan.model.loading import load_generator
from kerasgan.restore.restorer import load_restorer, load_restorers
from kerasgan.store import zoo
from kerasgan.store.bundle import CARD, FAITHFUL, KERAS, MANIFEST, SAMPLES
from kerasgan.tflite import QUANTIZATIONS
from tests.cli.command import run
from tests.helpers import bundle_of, noisy_picture

ROOT = Path(__file__).parents[2]
# What the first bundles did not tell.
_NEWER = ("noise", "reach", "sharpness", "faithful", "subject", "overlap", "axes")


@pytest.fixture(scope="module")
def own_bundle(tmp_path_factory, trained_run):
    """A small bundle that knows its training."""
    path = tmp_path_factory.mktemp("zoo") / "saved_models" / "small"
    options = {"quantizations": ["float32"], "sizes": [(32, 32)], "subject": "blobs"}
    options["faithful"] = trained_run.faithful
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
    assert zoo.saved_name(saved.path) == zoo.saved_name(saved.path / ".." / "small") == "small"
    # A copy of the same name is another model.
    assert zoo.saved_name(tmp_path / "small") is zoo.saved_name(tmp_path / "none") is None


@pytest.mark.parametrize("model", [zoo.GAUSSIAN_MODEL, zoo.CAMERA_MODEL])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_comes_with_kerasgan_for_grain_restores_grey_and_colour(channels, model):
    clean = data.cat()[20:276, 100:356, :channels].astype(float)
    noisy = clean + np.random.default_rng(0).normal(0, 20, clean.shape)
    noisy = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    restored = load_restorer(zoo.find_model(Path(model)))(noisy)
    before, after = (np.mean((pixels - clean) ** 2) for pixels in (noisy, restored))
    assert 10 * np.log10(before / after) > 5


def test_models_are_listed_and_used_by_name(saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = run("models")
    assert output.startswith("small  blobs, grey, sharp\n")
    assert "trained on 12 images of bundled" in output
    # Of each file its size, and how well it restores at half of noise.
    manifest = saved.manifest
    for name, entry, measured in [
        ("float32", manifest["files"]["float32"], "file"),
        ("keras", manifest["generator"], "keras"),
    ]:
        line = next(line for line in output.splitlines() if line.startswith(f"  {name} "))
        psnr = manifest["files"]["float32"]["psnr"]["0.5"][measured]
        assert f"{entry['bytes'] / 1000:,.0f} kB" in line and f"50%: {psnr:.2f}" in line
    assert "Other precisions are made by kerasgan export NAME --tflite" in output
    # What the figures are of: others are of other pictures.
    assert "PSNR in dB by share of noise, of 32×32 patches of pictures:" in output
    assert "Figures of whole pictures, as in the README, are measured by kerasgan eval" in output
    assert list(load_restorers("small")) == ["keras", "float32"]
    output = run("denoise", "none.png", "--model", "small", status=1)
    assert "there is no picture none.png" in output


def test_models_that_are_damaged_or_tell_less_are_listed(saved, tmp_path, monkeypatch):
    manifest = json.loads((saved.path / "manifest.json").read_text())
    config = {**manifest["training"]["config"], "adversary": {"weight": 0.0}}
    faithful = {**manifest["training"], "config": config}
    older = {key: value for key, value in manifest.items() if key not in _NEWER}
    for name, content in [
        ("a-damaged", {**manifest, "channels": "x"}),
        ("b-older", older),
        ("c-untold", {**manifest, "training": None}),
        ("d-nothing", {**older, "training": None}),
        ("e-halfway", {**manifest, "sharpness": 0.5, "faithful": None}),
        ("f-faithful", {**manifest, "faithful": None, "training": faithful}),
        ("g-blind", {**manifest, "faithful": None}),
    ]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps(content))
    monkeypatch.setattr(zoo, "_FOLDERS", (tmp_path,))
    output = run("models")
    assert "a-damaged  cannot be used: " in output and "channels must be 1 or 3" in output
    assert "b-older  pictures, grey\n" in output
    assert "c-untold  blobs, grey, sharp\n" in output
    assert "e-halfway  blobs, grey, sharpness 0.5\n" in output
    assert "f-faithful  blobs, grey, faithful\n" in output
    assert "g-blind  blobs, grey\n" in output
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
    with pytest.raises(ValueError, match="no preset or saved model 'unknown'; there are .*small"):
        DenoisingGAN.from_preset("unknown")


def test_the_models_that_come_with_kerasgan_are_whole():
    names = list(zoo.saved_models())
    assert set(zoo.GENERAL_MODELS) <= set(names)
    for name in names:
        bundle = zoo.read_saved_model(name)
        restorers = load_restorers(bundle.path)
        files = list(bundle.manifest["files"])
        assert files in (["int8"], ["dynamic", "int8"], ["dynamic"])
        assert list(restorers) == ["keras", *files]
        noisy = noisy_picture(48, 48, channels=bundle.manifest["channels"])
        exact = bundle.manifest["certain_pixels_exact"]
        assert exact == (bundle.noise.kind == "salt-and-pepper")
        certain = (noisy > 0) & (noisy < 255) & exact
        for restore in restorers.values():
            np.testing.assert_array_equal(restore(noisy)[certain], noisy[certain])
        # What the folder, its samples and its card hold is what the manifest lists.
        listed = {KERAS, MANIFEST, CARD, SAMPLES, *(f"{file}.tflite" for file in files)}
        if "file" in (bundle.manifest.get("faithful") or {}):
            listed.add(FAITHFUL)
        assert {path.name for path in bundle.path.iterdir()} == listed
        samples = {path.stem for path in (bundle.path / SAMPLES).iterdir()}
        assert samples == {"clean", "noisy", "keras", "comparison", *files}
        card = (bundle.path / CARD).read_text()
        assert set(re.findall(r"^\| (\S+)\.tflite", card, re.MULTILINE)) == set(files)
        others = [name for name in QUANTIZATIONS if name not in files]
        assert f"Other precisions ({', '.join(others)}) are made of" in card
        assert (ROOT / "docs" / "cards" / f"{name}.md").read_text().strip() in card
        if bundle.manifest.get("faithful"):
            assert load_generator(name, sharpness=0.5).count_params()
    files = (path for root in zoo._FOLDERS for path in root.rglob("*") if path.is_file())
    assert sum(path.stat().st_size for path in files) < 15e6
