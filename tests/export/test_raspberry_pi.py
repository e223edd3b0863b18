"""The Raspberry Pi kit: the same pictures as the library, and a program that does not give up."""

import ast
import contextlib
import importlib.util
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasgan.restore import Restorer
from kerasgan.tflite.bundle import load_file
from tests.test_restore import noisy_picture

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
    assert not list(folder.rglob(".*"))
