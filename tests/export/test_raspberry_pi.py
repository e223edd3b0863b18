"""The Raspberry Pi kit: the same pictures as the library, and a program that does not give up."""

import ast
import contextlib
import errno
import importlib.util
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from kerasgan.restore import impulses
from kerasgan.restore.files import load_file
from kerasgan.restore.litert import overlap
from kerasgan.restore.restorer import Restorer
from tests.helpers import noisy_picture, smooth_image

KIT = Path(__file__).parents[2] / "export" / "raspberry_pi"
PROGRAM = KIT / "denoise.py"


def load_kit():
    spec = importlib.util.spec_from_file_location("raspberry_pi_denoise", PROGRAM)
    kit = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kit)
    return kit


kit = load_kit()


@pytest.fixture
def run(bundle, capsys):
    """Runs the program in this process: status, and what it printed."""

    def run(*arguments, model=bundle.path):
        before = signal.getsignal(signal.SIGTERM)
        try:
            status = kit.main([*map(str, arguments), "--model", str(model), "--threads", "1"])
        finally:
            signal.signal(signal.SIGTERM, before)
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return run


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(path, **options)
    return path


def read(path):
    pixels = np.asarray(Image.open(path))
    return pixels if pixels.ndim == 3 else pixels[..., np.newaxis]


def run_apart(model, *arguments):
    """Runs the program in a process of its own, which must not be waited for in vain."""
    return subprocess.run(
        [sys.executable, PROGRAM, "--model", model, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )


def test_the_program_needs_nothing_but_its_requirements():
    allowed = {*sys.stdlib_module_names, "numpy", "PIL", "ai_edge_litert", "picamera2", "denoise"}
    for path in KIT.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed


@pytest.mark.parametrize("name", ["float32", "float16", "dynamic", "int8", "any-size"])
@pytest.mark.parametrize("size", [(1, 5), (32, 32), (48, 64), (90, 130)])
def test_pictures_are_those_of_the_library(bundle, name, size):
    path = bundle.path / f"{name}.tflite"
    for channels in (1, 3):
        noisy = noisy_picture(*size, channels=channels)
        expected = Restorer(load_file(path))(noisy)
        np.testing.assert_array_equal(kit.restore(kit.Model(path, 2), noisy), expected)


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_strength_is_that_of_the_library(bundle, strength):
    noisy = noisy_picture(50, 70, channels=3)
    for name in ("float32", "int8"):
        path = bundle.path / f"{name}.tflite"
        expected = Restorer(load_file(path))(noisy, strength=strength)
        model = kit.Model(path, 1, strength=strength)
        np.testing.assert_array_equal(kit.restore(model, noisy), expected)


@pytest.mark.parametrize("strength", ["-0.1", "1.1", "nan", "much"])
def test_a_strength_that_is_none_is_refused(strength, capsys):
    with pytest.raises(SystemExit):
        kit.main(["a.png", "--strength", strength])
    assert "is no number from 0 to 1" in capsys.readouterr().err


def test_a_lone_file_restores_as_in_the_library(bundle, color_bundle, tmp_path):
    for folder in (bundle, color_bundle):
        path = shutil.copy(folder.path / "float32.tflite", tmp_path)
        noisy = noisy_picture(70, 90, channels=folder.manifest["channels"])
        expected = Restorer(load_file(path))(noisy)
        np.testing.assert_array_equal(kit.restore(kit.Model(path, 1), noisy), expected)
    grey = noisy_picture(40, 40)
    expected = Restorer(load_file(path))(grey)
    np.testing.assert_array_equal(kit.restore(kit.Model(path, 1), grey), expected)


def test_files_and_folders_are_restored(run, tmp_path):
    grey = save(tmp_path / "grey.png", noisy_picture(40, 50))
    color = save(tmp_path / "trip" / "day 1" / "color.png", noisy_picture(30, 30, channels=3))
    save(tmp_path / "trip" / "photo.jpg", noisy_picture(30, 30, channels=3))
    assert run(grey, tmp_path / "trip")[0] == 0
    restored = read(tmp_path / "grey_restored.png")
    certain = (read(grey) > 0) & (read(grey) < 255)
    np.testing.assert_array_equal(restored[certain], read(grey)[certain])
    assert read(tmp_path / "trip_restored" / "day 1" / "color.png").shape == read(color).shape
    assert (tmp_path / "trip_restored" / "photo.jpg").is_file()
    status, printed = run(grey)
    assert status == 1 and "is there already; --overwrite replaces it" in printed
    assert run(grey, "--overwrite")[0] == 0
    assert run(grey, "-o", tmp_path / "elsewhere")[0] == 0
    assert (tmp_path / "elsewhere" / "grey.png").is_file()
    assert not list(tmp_path.rglob(".*"))


def test_opacity_orientation_and_profile_are_kept(run, tmp_path):
    pixels = np.concatenate([noisy_picture(20, 30, channels=3), noisy_picture(20, 30)], axis=2)
    exif = Image.Exif()
    exif[274] = 6
    save(tmp_path / "a.png", pixels, exif=exif, icc_profile=b"profile")
    assert run(tmp_path / "a.png")[0] == 0
    restored = Image.open(tmp_path / "a_restored.png")
    assert restored.size == (20, 30)
    assert restored.info["icc_profile"] == b"profile"
    np.testing.assert_array_equal(np.asarray(restored)[..., 3], np.rot90(pixels[..., 3], -1))


def test_bad_pictures_are_told_and_passed_over(run, tmp_path):
    folder = tmp_path / "pictures"
    save(folder / "good.png", noisy_picture(20, 20))
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("no picture")
    (folder / "cut.png").write_bytes((folder / "good.png").read_bytes()[:100])
    Image.fromarray(np.zeros((4, 4), np.uint16)).save(folder / "deep.png")
    status, printed = run(folder)
    assert status == 1
    assert sorted(path.name for path in (tmp_path / "pictures_restored").iterdir()) == ["good.png"]
    for message in ("empty.png is an empty file", "cannot decode", "more than 8 bits per value"):
        assert message in printed
    for arguments, message in [
        ([tmp_path / "none.png"], "there is no picture"),
        ([folder / "good.png", folder / "good.png", "-o", tmp_path / "out"], "to one file"),
        (["--watch", tmp_path / "none"], "there is no folder"),
        (["--watch", folder, "-o", folder], "another folder than the one that is watched"),
        ([folder / "good.png", "-o", folder / "text.png" / "under.png"], "cannot write"),
        ([folder / "good.png", "-o", tmp_path / ("long" * 70 + ".png")], "File name too long"),
    ]:
        status, printed = run(*arguments)
        assert status == 1 and message in printed


def test_damaged_pictures_never_end_the_program(tmp_path):
    exif = Image.Exif()
    exif[270], exif[274] = "a description", 6
    path = save(tmp_path / "a.jpg", noisy_picture(24, 24, channels=3), exif=exif)
    content, random = bytearray(path.read_bytes()), np.random.default_rng(0)
    for _ in range(400):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), 3):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged)
        with contextlib.suppress(kit.Failure), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kit.read_picture(path)


def test_only_pictures_are_decoded(run, tmp_path, monkeypatch):
    called = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *arguments: called.append(arguments))
    Image.new("RGB", (20, 20)).save(tmp_path / "a.eps")
    (tmp_path / "a.eps").rename(tmp_path / "a.png")
    status, printed = run(tmp_path / "a.png")
    assert status == 1 and "none of PNG, JPEG, BMP, WEBP, TIFF" in printed
    assert not called


def test_pipes_are_not_waited_for(bundle, tmp_path):
    for name in ("a.png", "a.tflite"):
        os.mkfifo(tmp_path / name)
    picture = save(tmp_path / "b.png", noisy_picture(20, 20))
    for model, source in [(bundle.path, "a.png"), (tmp_path / "a.tflite", picture)]:
        ended = run_apart(model, tmp_path / source)
        assert ended.returncode == 1 and "is no file" in ended.stdout


def tiff_header(**changes):
    """A TIFF of zeros, as far as it goes, with tags that may lie."""
    tags = {256: 20, 257: 20, 258: 8, 259: 1, 262: 2, 273: 8, 277: 3, 278: 20, 279: 100}
    tags |= {int(tag[1:]): value for tag, value in changes.items()}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(100)


def jpeg_with_exif_in_two_parts(path):
    exif = Image.Exif()
    exif[271] = "M" * 100_000
    parts = (exif.tobytes()[:60_000], b"Exif\0\0" + exif.tobytes()[60_000:])
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part for part in parts)
    content = save(path, noisy_picture(20, 20)).read_bytes()
    path.write_bytes(content[:2] + segments + content[2:])


def test_absurd_pictures_do_not_stop_the_others(run, tmp_path):
    folder = tmp_path / "pictures"
    save(folder / "a" / "wide.png", noisy_picture(2, 20_000)).rename(folder / "a" / "b.webp")
    (folder / "a" / "samples.tif").write_bytes(tiff_header(t256=10_000, t257=10_000, t277=60_000))
    (folder / "a" / "pixels.tif").write_bytes(tiff_header(t256=100_000, t257=100_000))
    jpeg_with_exif_in_two_parts(folder / "a" / "d.jpg")
    save(folder / "good.png", noisy_picture(20, 20))
    status, printed = run(folder, "--force")
    assert status == 1 and printed.count("Error: ") == 4
    for message in ("more than 50,000,000 pixels", "EXIF data is too long", "WebP limit"):
        assert message in printed
    assert [path.name for path in (tmp_path / "pictures_restored").rglob("*.*")] == ["good.png"]


def test_libraries_say_nothing_beside_the_program(bundle, tmp_path, monkeypatch):
    (tmp_path / "samples.tif").write_bytes(tiff_header(t277=60_000))
    (tmp_path / "cut.tif").write_bytes(tiff_header()[:60])
    (tmp_path / "pixels.tif").write_bytes(tiff_header(t256=10_000, t257=10_000))
    ended = run_apart(bundle.path, tmp_path, "-o", tmp_path / "out")
    assert ended.returncode == 1
    told = [line for line in ended.stdout.splitlines() if "XNNPACK" not in line]
    assert len(told) == 3 and all(line.startswith("Error: ") for line in told)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    picture = save(tmp_path / "a.png", noisy_picture(20, 20))
    assert kit.read_picture(picture)[0].shape == (20, 20, 1)
    assert Image.MAX_IMAGE_PIXELS == 10


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB", "P", "RGB", "RGBA", "LA", "L", "1"])
def test_restored_tiffs_can_be_read(run, tmp_path, mode):
    picture = Image.fromarray(noisy_picture(30, 40, channels=3)).convert(mode)
    turned = {"tiffinfo": {274: 6}, "compression": "tiff_lzw"} if mode == "RGB" else {}
    picture.save(tmp_path / "a.tif", **turned, big_tiff=mode == "L")
    assert run(tmp_path / "a.tif", "--force")[0] == 0
    # The same pixels, without what the old file told of how they lay in it.
    pixels, alpha, *_ = kit.read_picture(tmp_path / "a.tif")
    kit.write_picture(tmp_path / "b.png", pixels, alpha)
    assert run(tmp_path / "b.png", "--force")[0] == 0
    for read_one, expected in zip(
        kit.read_picture(tmp_path / "a_restored.tif")[:2],
        kit.read_picture(tmp_path / "b_restored.png")[:2],
        strict=True,
    ):
        np.testing.assert_array_equal(read_one, expected)


def test_the_other_pages_of_a_file_are_told_of_and_not_lost(run, tmp_path):
    pages = [Image.fromarray(noisy_picture(50, width)[..., 0]) for width in (60, 70, 80)]
    scan = tmp_path / "scan.tif"
    pages[0].save(scan, save_all=True, append_images=pages[1:])
    before = scan.read_bytes()
    status, printed = run(scan, "-o", tmp_path / "first.tif")
    assert status == 0 and "first.tif  the first of 3 images, " in printed
    status, printed = run(scan, "-o", scan, "--overwrite")
    assert status == 1 and "holds 3 images, and one would be left of it" in printed
    assert scan.read_bytes() == before


def test_exif_is_kept_in_tiffs(tmp_path):
    exif = Image.Exif()
    exif[306], exif[0x8769] = "2020:01:01 00:00:00", {0x9003: "2019:01:01 00:00:00"}
    pixels = noisy_picture(20, 20)
    for first in ("a.jpg", "a.tif"):
        picture = save(tmp_path / first, pixels, exif=exif.tobytes())
        for second in ("b.tif", "b.jpg"):
            kit.write_picture(tmp_path / second, *kit.read_picture(picture)[:3])
            with Image.open(tmp_path / second) as image:
                assert image.getexif()[306] == exif[306]
                assert image.getexif().get_ifd(0x8769)[0x9003] == "2019:01:01 00:00:00"


def test_tiffs_of_16_bits_are_not_reduced(tmp_path):
    offset = len(tiff_header()) - 100
    content = bytearray(tiff_header(t258=offset, t273=offset + 6, t277=3))
    content[8 + 2 + 2 * 12 :][:12] = b""
    struct.pack_into("<HHI", content, 8 + 2 + 2 * 12, 258, 3, 3)
    struct.pack_into("<HHH", content, offset, 16, 16, 16)
    (tmp_path / "a.tif").write_bytes(content + bytes(20 * 20 * 6))
    with pytest.raises(kit.Failure, match="more than 8 bits per value"):
        kit.read_picture(tmp_path / "a.tif")


def test_names_may_be_long_or_no_text(run, tmp_path):
    for name in (b"n" * 251 + b".png", b"\xff.png"):
        save(tmp_path / os.fsdecode(name), noisy_picture(20, 20))
    assert run(tmp_path, "-o", tmp_path / "out")[0] == 0
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_what_cannot_be_looked_at_is_passed_over(run, tmp_path, monkeypatch):
    save(tmp_path / "in" / "a" / "locked.png", noisy_picture(20, 20))
    save(tmp_path / "in" / "b.png", noisy_picture(20, 20))
    look = Path.stat

    def stat(path, **options):
        if path.parts[-3:] == ("in", "a", "locked.png"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return look(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    status, printed = run(tmp_path / "in")
    assert status == 1 and "locked.png: Permission denied" in printed
    assert (tmp_path / "in_restored" / "b.png").is_file()


def test_large_pictures_are_read_in_strips(tmp_path, monkeypatch):
    monkeypatch.setattr(kit, "STRIP", 7)
    pixels = noisy_picture(40, 30, channels=3)
    path = save(tmp_path / "a.png", pixels)
    np.testing.assert_array_equal(kit.read_picture(path)[0], pixels)
    monkeypatch.setattr(kit, "MAX_PIXELS", 40 * 30 - 1)
    with pytest.raises(kit.Failure, match="has more than 1,199 pixels"):
        kit.read_picture(path)


def test_bad_models_are_told(run, bundle, tmp_path):
    picture = save(tmp_path / "a.png", noisy_picture(20, 20))
    (tmp_path / "empty").mkdir()
    broken = shutil.copytree(bundle.path, tmp_path / "broken")
    (broken / "int8.tflite").write_bytes((broken / "int8.tflite").read_bytes()[:-1])
    cut = shutil.copytree(bundle.path, tmp_path / "cut")
    (cut / "manifest.json").write_text("{")
    (tmp_path / "text.tflite").write_text("no model")
    truncated = tmp_path / "truncated.tflite"
    truncated.write_bytes((bundle.path / "int8.tflite").read_bytes()[:3000])
    for model, message in [
        (tmp_path / "none", "cannot read"),
        (tmp_path / "empty", "holds no manifest.json"),
        (broken, "not the file that its manifest.json lists"),
        (cut, "is damaged"),
        (tmp_path / "text.tflite", "is no TFLite model"),
        (truncated, "is damaged, or restores no pictures"),
    ]:
        status, printed = run(picture, model=model)
        assert status == 1 and message in printed, printed
    assert not (tmp_path / "a_restored.png").exists()


@pytest.fixture
def changed(bundle, tmp_path):
    """Copies the bundle, with another manifest, and names its folder."""

    def changed(change):
        folder = shutil.copytree(bundle.path, tmp_path / "changed", dirs_exist_ok=True)
        content = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(change(content))
        return folder

    return changed


@pytest.mark.parametrize("multiple", [-8, 0, 64, 10**6, True, 8.0, "8", None])
def test_a_stride_that_does_not_fit_is_refused(run, changed, tmp_path, multiple):
    picture = save(tmp_path / "a.png", noisy_picture(70, 90))
    folder = changed(lambda content: json.dumps({**content, "multiple": multiple}))
    for model in (folder, folder / "any-size.tflite"):
        if model.suffix and multiple == 64:  # Fits where no size is fixed.
            continue
        status, printed = run(picture, model=model)
        assert status == 1 and "manifest.json is damaged: its sizes cannot be multiples" in printed


FOREIGN = [
    {"name": "an app", "icons": []},
    {"manifest_version": 3, "version": "1.0", "files": ["a.js"]},
    ["float32.tflite"],
    None,
]


@pytest.mark.parametrize("foreign", FOREIGN)
def test_manifests_of_other_programs_do_not_count(run, changed, tmp_path, foreign):
    picture = save(tmp_path / "a.png", noisy_picture(20, 20))
    folder = changed(lambda content: json.dumps(foreign))
    status, printed = run(picture, model=folder)
    assert status == 1 and "holds no manifest.json of kerasgan's" in printed
    assert run(picture, model=folder / "float32.tflite")[0] == 0


@pytest.mark.parametrize("text", ["{", "", "[" * 100_000, "\ufeff{}"])
def test_what_is_no_json_concerns_a_bundle_alone(run, changed, tmp_path, text):
    picture = save(tmp_path / "a.png", noisy_picture(20, 20))
    folder = changed(lambda content: text)
    status, printed = run(picture, model=folder)
    assert status == 1 and "manifest.json is damaged" in printed
    assert run(picture, model=folder / "float32.tflite")[0] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"files": {}}, "is damaged"),
        ({"files": []}, "is damaged"),
        ({"files": {"int8": "int8.tflite"}}, "is damaged"),
        ({"files": {"int8": {"file": "int8.tflite"}}}, "is damaged"),
        ({"files": {"int8": {"file": "int8.tflite", "sha256": None}}}, "not the file that"),
        ({"files": {"int8": {"file": "a\0b", "sha256": ""}}}, "cannot read"),
        ({"files": {"int8": {"file": "..", "sha256": ""}}}, "is no file"),
        ({"version": 2}, "is of version 2; this program reads 1"),
    ],
)
def test_damaged_manifests_are_told(run, changed, tmp_path, change, message):
    picture = save(tmp_path / "a.png", noisy_picture(20, 20))
    status, printed = run(picture, model=changed(lambda content: json.dumps(content | change)))
    assert status == 1 and message in printed


def test_broken_entries_concern_a_single_file_too(run, changed, tmp_path):
    picture = save(tmp_path / "a.png", noisy_picture(20, 20))
    folder = changed(lambda content: json.dumps({**content, "files": {"int8": []}}))
    status, printed = run(picture, model=folder / "float32.tflite")
    assert status == 1 and "manifest.json is damaged" in printed


def test_a_file_that_the_manifest_does_not_list_is_none_of_its(run, changed, tmp_path):
    folder = changed(lambda content: json.dumps({**content, "multiple": 64}))
    shutil.copy(folder / "int8.tflite", folder / "other.tflite")
    picture = save(tmp_path / "a.png", noisy_picture(70, 90))
    assert run(picture, model=folder / "other.tflite")[0] == 0


def test_files_that_nobody_vouches_for_are_tried_out_apart(bundle, tmp_path, monkeypatch):
    path = shutil.copy(bundle.path / "float32.tflite", tmp_path)
    kit.Model(path, 1)
    # A LiteRT that damage ends, for the processes that this one starts.
    (tmp_path / "ai_edge_litert").mkdir()
    (tmp_path / "ai_edge_litert" / "__init__.py").touch()
    fake = tmp_path / "ai_edge_litert" / "interpreter.py"
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    fake.write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(kit.Failure, match="it ends LiteRT by signal 11"):
        kit.Model(path, 1)
    fake.write_text("def Interpreter(**options):\n    raise RuntimeError('no\\nway')")
    with pytest.raises(kit.Failure, match=r"float32\.tflite is damaged, or restores no.*: no$"):
        kit.Model(path, 1)
    kit.Model(bundle.path / "float32.tflite", 1)
    monkeypatch.setattr(kit, "TRIAL_SECONDS", 0.01)
    with pytest.raises(kit.Failure, match="restores no picture within 0 s"):
        kit.Model(path, 1)


@pytest.mark.slow
def test_damaged_models_never_end_the_program(bundle, tmp_path):
    random, path = np.random.default_rng(0), tmp_path / "a.tflite"
    for file in ("int8.tflite", "any-size.tflite"):
        content = (bundle.path / file).read_bytes()
        for _ in range(30):
            damaged = bytearray(content)
            for place in random.integers(8, len(content), 3):
                damaged[place] = random.choice([0, 1, 127, 128, 255])
            path.write_bytes(damaged)
            with contextlib.suppress(kit.Failure), np.errstate(all="ignore"):
                model = kit.Model(path, 1)
                for size in [(20, 20), (70, 90)]:
                    kit.restore(model, noisy_picture(*size))


def test_what_goes_wrong_in_a_run_is_told(bundle):
    model = kit.Model(bundle.path, 1)

    def fail(noisy):
        raise RuntimeError("it does not\nwork")

    def shrink(noisy):
        return {"restored": noisy[:, 1:]}

    for runner, message in [(fail, "cannot be run: it does not$"), (shrink, "gives back other")]:
        model._runners = dict.fromkeys(model._runners, runner)
        with pytest.raises(kit.Failure, match=message):
            kit.restore(model, noisy_picture(20, 20))


def test_threads_are_limited_to_the_cores_at_hand(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {5}, raising=False)
    threads = []

    class Model(kit.Model):
        def __init__(self, path, count, *others):
            threads.append(count)
            super().__init__(path, count, *others)

    monkeypatch.setattr(kit, "Model", Model)
    picture = save(tmp_path / "a.png", noisy_picture(20, 20))
    before = signal.getsignal(signal.SIGTERM)
    for options in ([], ["--threads", "3"], ["--threads", "9" * 30]):
        kit.main([str(picture), "--overwrite", "--model", str(bundle.path), *options])
    signal.signal(signal.SIGTERM, before)
    assert threads == [1, 1, 1]


def test_benchmark_tells_time_and_memory(run, monkeypatch):
    monkeypatch.setattr(kit, "STEPS_PER_PICTURE", 2)
    status, printed = run("--benchmark", "--size", "40x50")
    assert status == 0
    assert "40x50: first" in printed and "peak memory" in printed
    assert run("--benchmark")[1].count("images/s") == 2


def test_without_a_camera_it_says_what_to_install(run):
    status, printed = run("--camera")
    assert status == 1 and "apt install python3-picamera2" in printed


def test_frames_of_the_camera_are_restored(run, tmp_path, monkeypatch):
    frame = noisy_picture(48, 64, channels=3)

    class Picamera2:
        running = False

        def create_still_configuration(self, main):
            assert main == {"format": "BGR888", "size": (64, 48)}
            return main

        def configure(self, configuration):
            pass

        def start(self):
            Picamera2.running = True

        def capture_array(self, name):
            return frame

        def stop(self):
            Picamera2.running = False

    monkeypatch.setitem(sys.modules, "picamera2", sys)
    monkeypatch.setattr(sys, "Picamera2", Picamera2, raising=False)
    out = tmp_path / "frames"
    assert run("--camera", "--frames", "2", "--size", "48x64", "-o", out)[0] == 0
    frames = sorted(out.iterdir())
    assert len(frames) == 2 and not Picamera2.running
    certain = (frame > 0) & (frame < 255)
    np.testing.assert_array_equal(read(frames[0])[certain], frame[certain])


class Watcher:
    """The program as a service runs it: a process of its own."""

    def __init__(self, model, folder):
        self.command = [sys.executable, PROGRAM, "--model", model, "--watch", folder]
        self.command += ["--interval", "0.2", "--threads", "1"]

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert "Watching" in self.process.stdout.readline()
        return self

    def __exit__(self, *error):
        self.process.send_signal(signal.SIGTERM)
        self.printed = self.process.communicate(timeout=30)[0]
        assert error[0] is not None or self.process.returncode == 0


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_watching_survives_bad_files_half_written_files_and_restarts(bundle, tmp_path):
    folder = tmp_path / "incoming"
    restored = folder / "restored"
    folder.mkdir()
    content = save(tmp_path / "whole.png", noisy_picture(40, 40)).read_bytes()
    with Watcher(bundle.path, folder) as watcher:
        (folder / "bad.png").write_text("no picture")
        (folder / "notes.txt").write_text("not for it")
        save(folder / "day" / "one.png", noisy_picture(30, 30, channels=3))
        # Two thirds first; the rest comes in pieces, each before the file has settled.
        with (folder / "slow.png").open("wb") as file:
            size = len(content) // 8
            for start in range(0, len(content), size):
                file.write(content[start : start + size])
                file.flush()
                assert not (restored / "slow.png").exists()
                time.sleep(0.5)
        wait_for((restored / "slow.png").exists)
        wait_for((restored / "day" / "one.png").exists)
    assert "bad.png" in watcher.printed and watcher.printed.count("Error") == 1
    first = (restored / "slow.png").stat()
    assert first.st_mtime_ns == (folder / "slow.png").stat().st_mtime_ns
    save(folder / "two.png", noisy_picture(30, 30))
    with Watcher(bundle.path, folder) as watcher:
        wait_for((restored / "two.png").exists)
        (folder / "bad.png").write_bytes(content)
        wait_for((restored / "bad.png").exists)
    assert (restored / "slow.png").stat().st_ino == first.st_ino
    names = sorted(path.name for path in restored.rglob("*.png"))
    assert names == ["bad.png", "one.png", "slow.png", "two.png"]
    assert list(folder.rglob(".*")) == [restored / kit.RECORD]


class Clock:
    """Stands in for `time`: it goes on while the program sleeps, and ends it."""

    def __init__(self, seconds, meanwhile):
        self.now, self.end, self.naps = 0.0, seconds, set()
        self.meanwhile = sorted(meanwhile.items())

    def monotonic(self):
        return self.now

    perf_counter = monotonic

    def sleep(self, seconds):
        self.now += seconds
        self.naps.add(seconds)
        while self.meanwhile and self.meanwhile[0][0] <= self.now:
            self.meanwhile.pop(0)[1]()
        if self.now >= self.end:
            raise KeyboardInterrupt


@pytest.fixture
def watch_for(run, monkeypatch):
    """Has the program watch a folder for some seconds, in which things happen; what it printed."""

    def watch_for(seconds, folder, *arguments, meanwhile=()):
        clock = Clock(seconds, dict(meanwhile))
        monkeypatch.setattr(kit, "time", clock)
        status, printed = run("--watch", folder, *arguments)
        assert status == 0 and clock.naps == {1.0}
        return printed

    return watch_for


def test_watching_is_not_held_up_by_what_can_never_be_written(watch_for, tmp_path):
    pixels = np.concatenate([noisy_picture(20, 20, channels=3), noisy_picture(20, 20)], axis=2)
    save(tmp_path / "a.png", pixels).rename(tmp_path / "a.jpg")
    save(tmp_path / f"{'b' * 245}.png", noisy_picture(20, 20))
    save(tmp_path / "c.png", noisy_picture(1, 70_000)).rename(tmp_path / "c.jpg")
    save(tmp_path / "d.png", noisy_picture(20, 20))
    printed = watch_for(6, tmp_path)
    assert printed.count("Error") == printed.count("convert it to PNG first") == 2
    restored = sorted(path.name for path in (tmp_path / "restored").glob("*.*g"))
    assert restored == [f"{'b' * 245}.png", "d.png"]


def test_watching_waits_for_a_disk_folder_by_folder(watch_for, tmp_path, monkeypatch):
    for name in ("full/a.png", "full/b.png", "other/c.png"):
        save(tmp_path / name, noisy_picture(20, 20))
    replace, written = os.replace, {}

    def fill(source, target):
        if Path(target).parent.name == "full" and kit.time.now < 60:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)
        written[Path(target).name] = kit.time.now

    monkeypatch.setattr(os, "replace", fill)
    printed = watch_for(80, tmp_path)
    assert printed.count("No space left on device; trying again later") == 2
    assert written["c.png"] <= 5 and 60 <= written["a.png"] <= written["b.png"] <= 70


def test_watching_knows_its_own_files_from_those_of_others(watch_for, tmp_path):
    folder, restored = tmp_path / "in", tmp_path / "out"
    source, target = folder / "day" / "a.png", restored / "day" / "a.png"
    save(source, noisy_picture(20, 20))
    save(target, np.full((9, 9, 1), 7, np.uint8))
    # Of the same time, as if it were restored from the source.
    os.utime(target, ns=(source.stat().st_mtime_ns,) * 2)
    printed = watch_for(10, folder, "-o", restored)
    assert printed.count(f"{target} is there already, and not from here") == 1
    assert read(target).shape == (9, 9, 1)
    # Moved away, it makes room.
    watch_for(
        10, folder, "-o", restored, meanwhile={5: lambda: target.rename(tmp_path / "theirs.png")}
    )
    assert read(target).shape == (20, 20, 1)
    # A restart knows what is done, though another clock has touched it.
    first = target.stat().st_ino
    os.utime(target, (0, 0))
    assert "Error" not in watch_for(5, folder, "-o", restored)
    assert target.stat().st_ino == first
    # Another picture of that name is restored again, but not over what people made of the first.
    save(source, noisy_picture(30, 30))
    watch_for(5, folder, "-o", restored)
    assert read(target).shape == (30, 30, 1)
    save(target, np.full((9, 9, 1), 7, np.uint8))
    save(source, noisy_picture(40, 40))
    assert "not from here" in watch_for(5, folder, "-o", restored)
    assert read(target).shape == (9, 9, 1)


def test_watching_replaces_nothing_that_is_no_file(watch_for, tmp_path):
    restored = tmp_path / "restored"
    for name in ("pipe.png", "folder.png", "link.png"):
        save(tmp_path / name, noisy_picture(20, 20))
    (restored / "folder.png").mkdir(parents=True)
    os.mkfifo(restored / "pipe.png")
    (restored / "link.png").symlink_to("nowhere")
    assert watch_for(5, tmp_path).count("is there already, and not from here") == 3
    assert (restored / "pipe.png").is_fifo() and (restored / "link.png").is_symlink()


def test_watching_is_cut_off_anywhere_and_goes_on(watch_for, tmp_path):
    source, restored = tmp_path / "a.png", tmp_path / "restored"
    save(source, noisy_picture(20, 20))
    watch_for(5, tmp_path)
    content = (restored / kit.RECORD).read_bytes()
    ends = range(0, len(content) + 1, 12)
    for end in (*ends, len(content)):
        (restored / kit.RECORD).write_bytes(content[:end])
        printed = watch_for(5, tmp_path)
        # Either it is known whose file that is, or it is left alone.
        known = b"sha256" in content[:end] and content[:end].count(b"}") >= 1
        assert printed.count("Error") == (0 if known else 1)
    # Both are lost, the file and the knowledge of it.
    (restored / "a.png").unlink()
    (restored / kit.RECORD).write_bytes(content[:50])
    assert "Error" not in watch_for(5, tmp_path)
    assert "Error" not in watch_for(5, tmp_path) and read(restored / "a.png").shape == (20, 20, 1)


def test_the_record_forgets_what_is_gone(watch_for, tmp_path, monkeypatch):
    monkeypatch.setattr(kit, "SPARE_LINES", 10)
    folder, restored = tmp_path / "in", tmp_path / "out"
    save(folder / "latest.png", noisy_picture(16, 16))
    sizes = range(16, 32)
    changes = [
        (4 * size, lambda size=size: save(folder / "latest.png", noisy_picture(size, size)))
        for size in sizes
    ]
    watch_for(150, folder, "-o", restored, meanwhile=changes)
    assert read(restored / "latest.png").shape == (31, 31, 1)
    assert len((restored / kit.RECORD).read_bytes().splitlines()) <= 15
    # It still knows its own.
    save(folder / "latest.png", noisy_picture(40, 40))
    assert "Error" not in watch_for(5, folder, "-o", restored)
    assert read(restored / "latest.png").shape == (40, 40, 1)
    (restored / "latest.png").unlink()
    (folder / "latest.png").unlink()
    watch_for(5, folder, "-o", restored)
    assert (restored / kit.RECORD).read_bytes() == b""


def test_watching_waits_where_it_cannot_keep_its_record(watch_for, tmp_path):
    save(tmp_path / "a.png", noisy_picture(20, 20))
    (tmp_path / "restored" / kit.RECORD).mkdir(parents=True)
    printed = watch_for(5, tmp_path)
    assert f"cannot write {tmp_path / 'restored' / kit.RECORD}: Is a directory" in printed
    assert not (tmp_path / "restored" / "a.png").exists()


def test_the_program_looks_for_noise_by_the_lines_of_the_library():
    source = Path(impulses.__file__).read_text()
    shared = source.partition(
        "# The kit for the Raspberry Pi carries what follows, word for word.\n"
    )
    assert len(shared[2]) > 5000 and shared[2].strip() in PROGRAM.read_text()
    noisy = noisy_picture(50, 60, channels=3)
    assert kit.find_impulses(noisy) == impulses.find_impulses(noisy)


def test_a_model_for_other_noise_takes_what_has_no_salt_and_pepper(run, bundle, tmp_path):
    shutil.copytree(bundle.path, tmp_path / "camera")
    manifest = tmp_path / "camera" / "manifest.json"
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**content, "noise": {"kind": "camera"}}))
    smooth = save(tmp_path / "smooth.png", smooth_image(0, 40, 50))
    noisy = save(tmp_path / "noisy.png", noisy_picture(40, 50))
    status, printed = run(smooth, noisy, model=manifest.parent)
    assert status == 0 and "smooth_restored.png" in printed
    assert "s: restored" in printed.splitlines()[0]
    assert "which this model does not remove; left as it was" in printed.splitlines()[1]
    np.testing.assert_array_equal(read(tmp_path / "noisy_restored.png"), read(noisy))
    manifest.write_text(json.dumps({**content, "noise": {"kind": "mixed"}}))
    status, printed = run(noisy, "-o", tmp_path / "again.png", model=manifest.parent)
    assert status == 0 and "left as it was" not in printed


def test_what_is_too_small_to_tell_is_left_alone(run, tmp_path):
    dot = save(tmp_path / "dot.png", np.zeros((1, 1, 1), np.uint8))
    status, printed = run(dot)
    assert status == 0 and "there is too little to tell noise by; left as it was" in printed


def test_hidden_folders_are_passed_over(run, tmp_path):
    save(tmp_path / "in" / ".trash" / "old.png", noisy_picture(40, 50))
    save(tmp_path / "in" / "new.png", noisy_picture(40, 50))
    status, printed = run(tmp_path / "in", "-o", tmp_path / "out")
    assert status == 0 and "Left out" not in printed
    assert [path.name for path in (tmp_path / "out").rglob("*")] == ["new.png"]


def test_files_of_a_folder_that_are_no_pictures_are_named(run, tmp_path):
    save(tmp_path / "in" / "new.png", noisy_picture(40, 50))
    (tmp_path / "in" / "moving.gif").write_bytes(b"GIF89a")
    status, printed = run(tmp_path / "in", "-o", tmp_path / "out")
    assert status == 0 and "Left out 1 file that ends in none of .png" in printed
    assert str(tmp_path / "in" / "moving.gif") in printed
    for number in range(6):
        (tmp_path / "in" / f"{number}.txt").touch()
    printed = run(tmp_path / "in", "-o", tmp_path / "again")[1]
    assert "Left out 7 files that end in none of" in printed and printed.count(".txt") == 5
    assert "moving.gif" not in printed


def test_transparency_is_not_lost(run, tmp_path):
    clear = np.concatenate([noisy_picture(40, 50, channels=3)] + [noisy_picture(40, 50)], axis=-1)
    source = save(tmp_path / "clear.png", clear)
    status, printed = run(source, "-o", tmp_path / "clear.bmp")
    assert status == 1 and "it has transparency; convert it to PNG first" in printed
    assert not (tmp_path / "clear.bmp").exists()


@pytest.mark.parametrize("multiple", [8, 64, 128])
def test_windows_overlap_as_in_the_library(bundle, multiple):
    kit = load_kit()
    model = kit.Model(bundle.path, 1)
    model.multiple = multiple
    for extent in (256, 1024, 4096):
        for reach in (None, 20, 200):
            model.known_margin = kit.margin_of({"reach": reach, "multiple": multiple})
            assert 2 * model._margin(extent) == overlap((extent, extent), multiple, reach)


def test_pictures_without_salt_and_pepper_are_copied(run, tmp_path):
    clean = save(tmp_path / "in" / "clean.png", smooth_image(0, 40, 50))
    photo = save(tmp_path / "in" / "photo.jpg", smooth_image(1, 40, 50, 3), quality=80)
    save(tmp_path / "in" / "noisy.png", noisy_picture(40, 50))
    status, printed = run(tmp_path / "in", "-o", tmp_path / "out")
    assert status == 0 and printed.count("; left as it was") == 2
    assert "s: salt and pepper, about 3" in printed and "no salt and pepper: 0.0%" in printed
    for path in (clean, photo):
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    status, printed = run(clean, "-o", tmp_path / "clean.tif")
    np.testing.assert_array_equal(read(tmp_path / "clean.tif"), read(clean))
    assert run(clean, "-o", clean, "--overwrite")[0] == 0
    status, printed = run(clean, "--force")
    assert status == 0 and "left as it was" not in printed
