"""kerasgan inspect, and what denoise does with what it sees."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasgan.images.pictures import Picture, read_picture, write_picture
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.store.purpose import removed_noise
from kerasgan.store.zoo import find_model
from tests.cli.command import run
from tests.helpers import noisy_picture, smooth_image

SMALL = "selective-small-fer2013"


@pytest.fixture
def mixed(folder):
    """A folder of pictures: clean, with salt and pepper, with Gaussian noise, and a broken one."""
    clean, random = smooth_image(1, 90, 100), np.random.default_rng(0)
    gaussian = np.clip(clean * 0.5 + 64 + random.normal(0, 20, clean.shape), 1, 254)
    pictures = {
        "clean.png": clean,
        "noisy.png": noisy_picture(90, 100),
        "gaussian.png": gaussian.astype(np.uint8),
        "colour.png": noisy_picture(90, 100, channels=3),
    }
    for name, pixels in pictures.items():
        write_picture(folder / "mixed" / name, Picture(pixels))
    Image.fromarray(clean[..., 0]).save(folder / "mixed" / "clean.jpg", quality=80)
    (folder / "mixed" / "bad.png").write_text("no picture")
    return folder / "mixed"


def lines_of(output):
    return {Path(line.split("  ")[0]).name: line for line in output.splitlines() if "  " in line}


def test_pictures_without_the_noise_stay_the_same_files(mixed):
    output = run("denoise", mixed, "-o", "out", "--model", SMALL, status=1)
    lines = lines_of(output)
    for name in ("clean.png", "clean.jpg", "gaussian.png"):
        assert lines[name].endswith("; left as it was")
        assert Path("out", name).read_bytes() == (mixed / name).read_bytes()
    assert "no noise is seen" in lines["clean.png"]
    assert "Gaussian noise, sigma about 2" in lines["gaussian.png"]
    assert "which this model does not remove" in lines["gaussian.png"]
    for name in ("noisy.png", "colour.png"):
        assert "s: salt and pepper, about 3" in lines[name]
        assert lines[name].endswith("% of pixels changed")
    assert "2 restored, 3 left as they were, 1 not done" in output


def test_each_picture_gets_the_model_that_fits(mixed):
    lines = lines_of(run("denoise", mixed, "-o", "out", status=1))
    for name, model in (
        ("noisy.png", "selective-photos"),
        ("colour.png", "selective-photos"),
        ("gaussian.png", "gaussian-photos"),
    ):
        assert f", by {model}; " in lines[name] and "; then " not in lines[name]
    assert lines["clean.png"].endswith(
        "no noise is seen; if it has faint grain, --model camera-photos restores it; left as it was"
    )
    page = np.where(smooth_image(1, 60, 60) > 128, 255, 0).astype(np.uint8)
    write_picture(mixed / "page.png", Picture(page))
    output = run("denoise", mixed / "page.png", "-o", "page.png")
    assert output.rstrip().endswith("no noise is seen; left as it was")


def test_folders_that_are_called_as_models_are_no_models(mixed, folder):
    for name in ("selective-photos", "gaussian-photos"):
        (folder / name).mkdir()
    output = run("denoise", mixed / "noisy.png", mixed / "gaussian.png", "-o", "out")
    assert ", by selective-photos; " in output and ", by gaussian-photos; " in output


def test_the_share_of_changed_pixels_is_exact(mixed):
    line = lines_of(run("denoise", mixed / "colour.png", "-o", "a.png", "--model", SMALL))["a.png"]
    before, after = (read_picture(path).pixels for path in (mixed / "colour.png", Path("a.png")))
    changed = (before != after).any(axis=-1).mean()
    assert 0.2 < changed < 0.4 and f"; {changed:.1%} of pixels changed" in line


def test_force_restores_whatever_there_is(mixed):
    picture = np.where(smooth_image(1, 60, 60) > 128, 255, 0).astype(np.uint8)
    write_picture(mixed / "page.png", Picture(picture))
    assert "left as it was" in run("denoise", mixed / "page.png", "-o", "a.png", "--model", SMALL)
    np.testing.assert_array_equal(read_picture(Path("a.png")).pixels, picture)
    arguments = ("denoise", mixed / "page.png", "-o", "a.png", "--model", SMALL, "--overwrite")
    output = run(*arguments, "--force")
    assert "no noise is seen" in output and "pixels changed" in output


def test_a_picture_left_alone_may_change_its_format_and_be_its_own_result(mixed):
    output = run("denoise", mixed / "clean.png", "-o", "a.tif", "--model", SMALL)
    assert "left as it was" in output
    clean = read_picture(mixed / "clean.png").pixels
    np.testing.assert_array_equal(read_picture(Path("a.tif")).pixels, clean)
    output = run("denoise", mixed / "clean.png", "-o", "a.jpg", "--model", SMALL)
    assert "not restored, but saved as JPEG" in output and "left as it was" not in output
    target = mixed / "clean.png"
    run("denoise", target, "-o", target, "--model", SMALL, "--overwrite")
    np.testing.assert_array_equal(read_picture(target).pixels, clean)


def test_inspect_tells_what_it_sees_and_changes_nothing(mixed):
    before = {path: path.read_bytes() for path in mixed.iterdir()}
    output = run("inspect", mixed, status=1)
    lines = lines_of(output)
    assert lines["noisy.png"].endswith("noisy.png  100×90: salt and pepper, about 30%")
    assert lines["clean.jpg"].endswith(": no noise is seen")
    assert "bad.png: not an image" in output
    assert "1 of 6 pictures could not be inspected" in output
    assert {path: path.read_bytes() for path in mixed.iterdir()} == before


def test_inspect_prints_one_document(mixed, capfd):
    (mixed / "bad.png").unlink()
    document = json.loads(run("inspect", mixed, "--json"))
    kinds = {Path(entry["picture"]).name: entry["kind"] for entry in document["pictures"]}
    assert kinds == {
        "clean.jpg": "clean",
        "clean.png": "clean",
        "colour.png": "salt-and-pepper",
        "gaussian.png": "gaussian",
        "noisy.png": "salt-and-pepper",
    }
    [noisy] = json.loads(run("inspect", mixed / "noisy.png", "--json"))["pictures"]
    assert (noisy["width"], noisy["height"]) == (100, 90)
    assert noisy["level"] == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        (("nowhere.png",), "there is no picture nowhere.png", 1),
        (("notes.txt",), "notes.txt is none of the formats read here", 1),
        (("empty",), "empty holds no images", 1),
        ((), "Missing argument", 2),
    ],
)
def test_inspect_names_what_it_cannot_look_at(folder, arguments, message, status):
    (folder / "empty").mkdir()
    (folder / "notes.txt").touch()
    assert message in run("inspect", *arguments, status=status)


def test_a_model_tells_what_it_removes(trained_run, bundle, tmp_path):
    for path in (trained_run.path, trained_run.generator, bundle.path, find_model(SMALL)):
        assert isinstance(removed_noise(path), SaltAndPepper)
    assert removed_noise(bundle.path / "int8.tflite") == bundle.noise
    # Nothing tells it of a lone file.
    assert removed_noise(tmp_path / "lone.tflite").kind == "salt-and-pepper"
    (tmp_path / "manifest.json").write_text('{"version": 7, "files": 1, "signatures": 1}')
    assert removed_noise(tmp_path / "lone.tflite").kind == "salt-and-pepper"
