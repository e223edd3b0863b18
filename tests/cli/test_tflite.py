"""kerasgan export and benchmark, and .tflite files wherever a model is taken."""

import json
import shutil

import numpy as np
import pytest

from kerasgan.images.pictures import Picture, read_picture, write_picture
from kerasgan.tflite.checks import PSNR_TOLERANCES
from tests.cli.command import run
from tests.helpers import smooth_image

SMALL = ("--tflite", "--quantize", "float32", "--size", "32x32")


@pytest.fixture
def own_run(trained_run, folder, photos):
    """A copy of a run whose data is a folder of photos."""
    path = shutil.copytree(trained_run.path, folder / "own")
    record = json.loads((path / "config.json").read_text())
    record["config"]["data"]["source"] = str(photos)
    (path / "config.json").write_text(json.dumps(record))
    return path


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
    output = run("benchmark", "bundle/int8.tflite", "--runs", "2", "--size", "70x50")
    assert "70x50" in output

    # A bundle can be exported again, from what it remembers of its training.
    run("export", "bundle", *SMALL, "-o", "again")
    again = json.loads((folder / "again" / "manifest.json").read_text())
    assert again["training"] == manifest["training"]


def test_a_lone_generator_is_exported_by_the_bundled_photographs(trained_run, folder):
    path = shutil.copy(trained_run.generator, folder / "lone.keras")
    (folder / "notes.md").write_text("## Licence\n\nCC0\n")
    run("export", path, "--tflite", "--quantize", "float16", "--notes", "notes.md")
    assert (folder / "lone_tflite" / "MODEL_CARD.md").read_text().endswith("## Licence\n\nCC0\n")
    manifest = json.loads((folder / "lone_tflite" / "manifest.json").read_text())
    assert manifest["training"] is None
    # The bundled photographs have room for larger tiles, too.
    assert list(manifest["signatures"].values()) == [[48, 48], [256, 256]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--quantize", "float32"], "Missing option '--tflite'"),
        (["--tflite", "--size", "48"], "'48' is no size; write height and width like 480x640"),
        (["--tflite", "--size", "0x48"], "'0x48' is no size"),
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
    output = run("denoise", deep, "--model", bundle.path / "int8.tflite", status=1)
    assert "takes 8-bit pictures" in output


def test_an_interrupted_export_says_that_nothing_was_written(own_run, folder, photos, monkeypatch):
    from kerasgan.tflite import export

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "convert", interrupt)
    output = run("export", own_run, *SMALL, "-o", "bundle", status=1)
    assert "interrupted; nothing was written" in output
    assert sorted(path.name for path in folder.iterdir()) == ["own", "photos"]
