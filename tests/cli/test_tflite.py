"""kerasgan export and benchmark, and .tflite files wherever a model is taken."""

import importlib
import json
import re
import shutil

import numpy as np
import pytest

from kerasgan.images.pictures import Picture, read_picture, write_picture
from kerasgan.noise.gaussian import Gaussian
from kerasgan.tflite.checks import PSNR_TOLERANCES
from tests.cli.command import run
from tests.helpers import noisy_picture, smooth_image

SMALL = ("--tflite", "--quantize", "float32", "--size", "32x32")


@pytest.fixture
def own_run(trained_run, folder, photos):
    """A copy of a run whose data is a folder of photos."""
    path = shutil.copytree(trained_run.path, folder / "own")
    record = json.loads((path / "config.json").read_text())
    record["config"]["data"]["source"] = str(photos)
    (path / "config.json").write_text(json.dumps(record))
    return path


@pytest.mark.slow
def test_export_evaluate_denoise_and_benchmark_one_after_the_other(own_run, photos, folder):
    output = run(
        *("export", own_run, "--tflite", "--size", "32x32", "--size", "20x24"),
        *("--calibration", photos, "-o", "bundle", "--dynamic"),
    )
    assert "Making and checking int8" in output
    manifest = json.loads((folder / "bundle" / "manifest.json").read_text())
    assert list(manifest["files"]) == ["float32", "float16", "dynamic", "int8", "any-size"]
    # What is printed of each file is what the checks went by.
    assert "PSNR in dB, a picture counting at most 45, and how far it is from Keras'" in output
    [(level, int8)] = list(manifest["files"]["int8"]["psnr"].items())[1:2]
    shown = f"{float(level):.0%}: {int8['file']:.2f} ({int8['file'] - int8['keras']:+.3f})"
    assert shown in next(line for line in output.splitlines() if line.startswith("int8 "))
    assert abs(int8["file"] - int8["keras"]) <= PSNR_TOLERANCES["int8"]
    psnrs = [value for file in manifest["files"].values() for value in file["psnr"].values()]
    assert all(max(value.values()) <= 45 for value in psnrs)
    assert manifest["signatures"] == {"denoise": [32, 32], "denoise_20x24": [20, 24]}
    # Nothing of the machine that it was made on.
    assert str(folder) not in json.dumps(manifest)
    assert str(folder) not in (folder / "bundle" / "MODEL_CARD.md").read_text()

    output = run("evaluate", "bundle", "--data", photos, "--amount", "0.3", "--json", "out.json")
    methods = [score["method"] for score in json.loads((folder / "out.json").read_text())]
    assert methods[-6:] == ["keras", "float32", "float16", "dynamic", "int8", "any-size"]
    assert all(method in output for method in methods)

    picture = folder / "photo.png"
    write_picture(picture, Picture(smooth_image(0, 50, 60)))
    run("corrupt", picture, "--amount", "0.3")
    noisy = read_picture(folder / "photo_noisy.png").pixels
    certain = (noisy > 0) & (noisy < 255)
    for model in ("bundle", "bundle/int8.tflite", "bundle/any-size.tflite"):
        run("denoise", "photo_noisy.png", "--model", model, "--overwrite")
        restored = read_picture(folder / "photo_noisy_restored.png").pixels
        np.testing.assert_array_equal(restored[certain], noisy[certain])
        assert (restored[~certain] != noisy[~certain]).mean() > 0.9

    output = run("benchmark", "bundle", "--runs", "2", "--json", "speed.json")
    speeds = json.loads((folder / "speed.json").read_text())
    assert [(speed["file"], speed["height"]) for speed in speeds][:2] == [
        ("float32.tflite", 32),
        ("float32.tflite", 20),
    ]
    assert all(speed["median_ms"] > 0 and speed["load_ms"] > 0 for speed in speeds)
    assert "Mpixel/s" in output
    cost = manifest["cost"]["multiply_accumulates"]
    assert f"takes {cost:,.0f} multiply-accumulates for each pixel" in output
    for speed in speeds:
        assert speed["multiply_accumulates"] == cost and speed["peak_gflops"] > 0
        operations = 2 * cost * speed["megapixels_per_second"] / 1000
        assert speed["peak_share"] == pytest.approx(operations / speed["peak_gflops"])
    shutil.copy("bundle/int8.tflite", "alone.tflite")
    run("benchmark", "alone.tflite", "--runs", "2", "--json", "alone.json")
    assert json.loads((folder / "alone.json").read_text())[0]["peak_share"] is None
    output = run("benchmark", "bundle/int8.tflite", "--runs", "2", "--size", "70x50")
    assert "70x50" in output

    # A bundle can be exported again, from what it remembers of its training.
    run("export", "bundle", *SMALL, "-o", "again")
    again = json.loads((folder / "again" / "manifest.json").read_text())
    assert again["training"] == manifest["training"]


@pytest.mark.slow
def test_a_lone_generator_is_exported_by_the_bundled_photographs(trained_run, folder):
    path = shutil.copy(trained_run.generator, folder / "lone.keras")
    (folder / "notes.md").write_text("## Licence\n\nCC0\n")
    run("export", path, "--tflite", "--quantize", "float16", "--notes", "notes.md")
    assert (folder / "lone_tflite" / "MODEL_CARD.md").read_text().endswith("## Licence\n\nCC0\n")
    manifest = json.loads((folder / "lone_tflite" / "manifest.json").read_text())
    assert manifest["training"] is None
    # The bundled photographs have room for larger tiles, too.
    assert list(manifest["signatures"].values()) == [[48, 48], [256, 256], [512, 512]]


@pytest.mark.slow
def test_the_sharpness_of_a_run_is_turned_and_exported(own_run, photos, folder):
    write_picture(folder / "noisy.png", Picture(noisy_picture(40, 40)))
    small = (*SMALL, "--calibration", photos)

    def restored(model, *arguments):
        output = run(
            *("denoise", "noisy.png", "--model", model, "-o", "out.png", "--overwrite"), *arguments
        )
        assert ("at sharpness 0.5" in output) == ("0.5" in arguments)
        return read_picture(folder / "out.png").pixels

    sharp, half, faithful = (restored(own_run, "--sharpness", s) for s in ("1", "0.5", "0"))
    np.testing.assert_array_equal(restored(own_run), sharp)
    np.testing.assert_array_equal(restored(own_run / "faithful.keras"), faithful)
    assert np.any(sharp != half) and np.any(half != faithful)

    run("export", own_run, *small, "-o", "half", "--sharpness", "0.5", "--subject", "blobs")
    np.testing.assert_array_equal(restored("half/generator.keras"), half)
    # A float file rounds otherwise than Keras, by a step of 255 at most.
    assert np.abs(restored("half/float32.tflite").astype(int) - half).max() <= 1
    run("export", "half", *small, "-o", "again")
    for name in ("half", "again"):
        manifest = json.loads((folder / name / "manifest.json").read_text())
        assert (manifest["sharpness"], manifest["faithful"]) == (0.5, None)
        assert manifest["subject"] == "blobs"
        assert " in blobs." in (folder / name / "MODEL_CARD.md").read_text()

    def measured(model, *arguments):
        options = ("--data", photos / "more", "--amount", "0.5", "--json", "scores.json")
        run("evaluate", model, "--baselines", "none", *options, *arguments)
        return [score["psnr"] for score in json.loads((folder / "scores.json").read_text())]

    halfway = measured(own_run, "--sharpness", "0.5")
    assert halfway == measured("half/generator.keras")
    assert halfway != measured(own_run)

    options = ("--data", photos / "more", "--amount", "0.5", "--baselines", "none")
    output = run("evaluate", own_run, *options, "--sharpness", "0:1", "--report", "curve.html")
    names = [float(each) for each in re.findall(r"^[* ] sharpness (\S+)", output, re.MULTILINE)]
    assert names == [step / 10 for step in range(10, -1, -1)]
    assert "From faithful to sharp" in (folder / "curve.html").read_text()

    output = run("evaluate", "half/float32.tflite", *options, "--sharpness", "0:1", status=1)
    assert "is a single file, whose sharpness cannot be changed" in output

    run("export", own_run, *small, "-o", "whole")
    run("export", "whole", *small, "-o", "copy")
    for name in ("whole", "copy"):
        np.testing.assert_array_equal(restored(name, "--sharpness", "0.5"), half)
    output = run(
        "denoise", "noisy.png", "--model", "half/float32.tflite", "--sharpness", "0", status=1
    )
    assert "is a single file, whose sharpness cannot be changed" in output
    output = run("denoise", "noisy.png", "--sharpness", "1.5", status=2)
    assert "must lie between 0 and 1" in output


def test_a_start_that_is_gone_leaves_the_sharpness_fixed(own_run, photos, folder):
    (own_run / "faithful.keras").unlink()
    record = json.loads((own_run / "config.json").read_text())
    record["config"]["start"] = str(folder / "gone")
    record["config"]["adversary"]["begins"] = 0.0
    (own_run / "config.json").write_text(json.dumps(record))
    output = run("export", own_run, *SMALL, "--calibration", photos, "-o", "bundle")
    assert "gone, from which" in output and "the bundle's sharpness will be fixed" in output
    manifest = json.loads((folder / "bundle" / "manifest.json").read_text())
    assert manifest["faithful"] is None
    output = run("denoise", photos / "a.png", "--model", own_run, "--sharpness", "0", status=1)
    assert "there is no model" in output and "gone" in output


def test_other_precisions_are_made_of_a_bundle_without_its_pictures(own_run, photos, folder):
    run("export", own_run, *SMALL, "--size", "20x24", "--calibration", photos, "-o", "slim")
    manifest = json.loads((folder / "slim" / "manifest.json").read_text())
    manifest["training"]["config"]["data"]["source"] = "faces.csv"
    (folder / "slim" / "manifest.json").write_text(json.dumps(manifest))
    output = run("export", "slim", "--tflite", "--quantize", "float32", "--quantize", "int8")
    assert "faces.csv" in output and "with the photographs that come with scikit-image" in output
    made = json.loads((folder / "slim_tflite" / "manifest.json").read_text())
    assert list(made["files"]) == ["float32", "int8"]
    assert made["files"]["float32"]["sha256"] == manifest["files"]["float32"]["sha256"]
    assert made["signatures"] == manifest["signatures"]
    assert made["checked"] == {"source": "bundled", "unseen": False}
    card = (folder / "slim_tflite" / "MODEL_CARD.md").read_text()
    assert "Other precisions (float16, dynamic) are made of generator.keras" in card


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--quantize", "float32"], "Missing option '--tflite'"),
        (["--tflite", "--size", "48"], "'48' is no size; write height and width like 480x640"),
        (["--tflite", "--size", "0x48"], "'0x48' is no size"),
        (["--tflite", "--size", "20000x20000"], "'20000x20000' is more than 178,956,970 pixels"),
        (["--tflite", "--quantize", "int4"], "'int4' is not one of"),
        (["--tflite", "--io", "int16"], "'int16' is not one of"),
    ],
)
def test_wrong_usage_is_named_and_exits_with_2(arguments, message):
    assert message in run("export", "model", *arguments, status=2)


def test_failures_are_one_line_and_leave_nothing(own_run, bundle, folder, photos):
    (folder / "empty").mkdir()
    (folder / "text.tflite").write_text("no model")
    kept = sorted(path.name for path in folder.iterdir())
    for arguments, message in [
        (("export", "empty", *SMALL), "no run folder"),
        (("export", "none", *SMALL), "there is no model none"),
        (("export", own_run, *SMALL[:-1], "30x32"), "multiples of 4, such as 32x32"),
        (
            ("export", own_run, "--tflite", "--size", "640x640", "--calibration", photos),
            "all calibration pictures are smaller than 640x640",
        ),
        (("export", own_run, *SMALL, "--notes", photos / "a.png"), "is no text in UTF-8"),
        (("export", own_run, *SMALL, "--calibration", "nowhere"), "no data source 'nowhere'"),
        (("export", own_run, *SMALL, "-o", "text.tflite"), "is a file, not a folder"),
        (("export", own_run, *SMALL, "-o", photos), "is not empty"),
        (("export", own_run, *SMALL, "-o", photos, "--overwrite"), "no part of a bundle"),
        (("benchmark", own_run), "neither a .tflite file nor a bundle"),
        (("benchmark", "text.tflite"), "is no TFLite model"),
        (("evaluate", "text.tflite"), "is no TFLite model"),
        (("denoise", photos / "a.png", "--model", "text.tflite"), "is no TFLite model"),
    ]:
        output = run(*arguments, status=1)
        assert message in output, output
        assert sorted(path.name for path in folder.iterdir()) == kept
    deep = folder / "deep.png"
    write_picture(deep, Picture(np.full((20, 20, 1), 777, np.uint16)))
    output = run("denoise", deep, "--force", "--model", bundle.path / "int8.tflite", status=1)
    assert "takes 8-bit pictures" in output


def test_an_interrupted_export_says_that_nothing_was_written(own_run, folder, photos, monkeypatch):
    from kerasgan.tflite import export

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "convert", interrupt)
    output = run("export", own_run, *SMALL, "-o", "bundle", status=1)
    assert "interrupted; nothing was written" in output
    assert sorted(path.name for path in folder.iterdir()) == ["own", "photos"]


def test_a_precision_that_loses_too_much_is_left_out_unless_it_was_named(
    own_run, folder, monkeypatch
):
    command = importlib.import_module("kerasgan.cli.export")
    monkeypatch.setattr(command, "QUANTIZATIONS", ("float32", "float16"))
    monkeypatch.setitem(PSNR_TOLERANCES, "float16", -1.0)
    arguments = ("export", own_run, "--tflite", "--size", "32x32", "-o", "bundle")
    output = run(*arguments)
    assert re.search(r"Left out: float16.tflite restores to .* more than -1 dB apart", output)
    assert [path.name for path in (folder / "bundle").glob("*.tflite")] == ["float32.tflite"]
    manifest = json.loads((folder / "bundle" / "manifest.json").read_text())
    assert list(manifest["files"]) == ["float32"]

    output = run(*arguments, "--overwrite", "--quantize", "float16", status=1)
    assert "more than -1 dB apart" in output
    assert (folder / "bundle" / "float32.tflite").exists()

    monkeypatch.setitem(PSNR_TOLERANCES, "float32", -1.0)
    output = run(*arguments, "--overwrite", status=1)
    assert "no precision restores as Keras does" in output


def test_a_bundle_that_is_exported_again_keeps_its_noise_and_its_name(bundle, folder, photos):
    copy = shutil.copytree(bundle.path, folder / "weight-0.6")
    noise = json.loads(json.dumps(Gaussian((0.0, 55.0)).to_dict()))
    manifest = {**bundle.manifest, "noise": noise, "training": None}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    run("export", copy, *SMALL, "--calibration", photos)
    again = json.loads((folder / "weight-0.6_tflite" / "manifest.json").read_text())
    assert again["noise"] == noise
