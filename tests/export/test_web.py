"""The page: what it restores in a real browser, and the commands that write and serve it."""

import contextlib
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from kerasgan.restore.files import load_file
from kerasgan.restore.restorer import Restorer, load_restorer
from kerasgan.store.bundle import Bundle, hash_of
from kerasgan.store.page import write_page
from kerasgan.store.zoo import GENERAL_MODELS, saved_models
from tests.cli.command import run
from tests.helpers import noisy_picture
from tests.restore.test_inspection import page

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "export" / "web"
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def missing():
    """What the page cannot be built or looked at without; in CI, nothing may be."""
    if shutil.which("npm") is None:
        return "no Node.js is installed"
    if not (SOURCE / "node_modules").is_dir():
        return "run npm ci in export/web first"
    return None


def skip_unless_in_ci(reason):
    assert "CI" not in os.environ, reason
    pytest.skip(reason)


@pytest.fixture(scope="module")
def built():
    """The page of these sources, where kerasgan looks for it."""
    if (reason := missing()) is not None:
        skip_unless_in_ci(reason)
    command = ["npm", "run", "build", "--prefix", SOURCE]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert result.returncode == 0, result.stdout


@contextlib.contextmanager
def served(*bundles):
    """The address under which `kerasgan serve` shows bundles."""
    command = [sys.executable, "-m", "kerasgan", "serve", *bundles, "--port", "0"]
    # What is started in the background of a script ignores Ctrl-C, and so would the server.
    listens = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, preexec_fn=listens
    ) as process:
        try:
            line = process.stdout.readline()
            yield re.search(r"http://localhost:\d+/", line)[0]
        finally:
            process.send_signal(signal.SIGINT)
        assert "Stopped" in process.stdout.read()
    assert process.returncode == 0


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What the browser's tests give to the page."""
    folder = tmp_path_factory.mktemp("files")
    clear = noisy_picture(50, 60, 4)
    clear[..., 3] = np.where(np.arange(60) < 40, 255, 128)
    pictures = {
        "tiny": noisy_picture(20, 30),
        "grey": noisy_picture(70, 133),
        "color": noisy_picture(100, 90, 3),
        "clear": clear,
        "plain": np.full((200, 200, 1), 128, np.uint8),
        "text": page(),
        "large": noisy_picture(1500, 2000, 3),
        "huge": np.zeros((5000, 5000, 1), np.uint8),
        "photo": noisy_picture(480, 640),
        "face": noisy_picture(48, 48),
    }
    for name, pixels in pictures.items():
        Image.fromarray(pixels.squeeze()).save(folder / f"{name}.png")
    (folder / "note.png").write_text("no picture")
    (folder / "empty.png").touch()
    (folder / "window.raw").write_bytes(noisy_picture(32, 32).tobytes())
    exif = Image.Exif()
    exif[274] = 6  # To be turned to the right.
    Image.fromarray(noisy_picture(60, 90, 3)).save(folder / "turned.jpg", quality=95, exif=exif)
    return folder


@pytest.fixture(scope="module")
def output(built, bundle, files, tmp_path_factory):
    """What the page did in the browser: pictures that it saved, figures, screenshots."""
    if BROWSER is None:
        skip_unless_in_ci("no Chromium is installed")
    folder = tmp_path_factory.mktemp("output")
    write_page([bundle], folder / "page")
    models = saved_models()
    with (
        served(models["selective-photos"]) as photos,
        served(models["selective-fer2013"]) as faces,
        served(bundle.path) as small,
        served(bundle.path, models["selective-fer2013"]) as several,
    ):
        environment = {"PHOTOS": photos, "FACES": faces, "SMALL": small, "SEVERAL": several}
        environment |= {"FILES": str(files), "OUT": str(folder), "CHROMIUM": BROWSER}
        result = subprocess.run(
            ["npm", "test", "--prefix", SOURCE],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | environment,
        )
    print(result.stdout)
    assert result.returncode == 0, result.stdout
    return folder


def read(path):
    return np.asarray(Image.open(path))


@pytest.mark.slow
@pytest.mark.parametrize("model", ["int8", "dynamic", "float16", "float32"])
@pytest.mark.parametrize("name", ["tiny", "grey", "color", "turned", "clear"])
def test_the_page_restores_as_python_does(output, files, bundle, model, name):
    [file] = files.glob(f"{name}.*")
    restore = Restorer(load_file(bundle.path / f"{model}.tflite"))
    made = read(output / f"{model}_{name}.png").astype(int)
    assert np.all(made[..., :3] == made[..., :1]) == (name in ("tiny", "grey"))
    if name == "turned":
        # Decoders of JPEG differ by some steps; what matters is which way is up.
        upright = np.rot90(read(file), -1)
        assert made.shape[:2] == upright.shape[:2]
        certain = np.all((upright > 20) & (upright < 235), axis=-1)
        assert np.abs(made[..., :3] - upright)[certain].mean() < 5
        return
    noisy = read(file)
    if name == "clear":
        np.testing.assert_array_equal(made[..., 3], noisy[..., 3])
        # What is half clear is rounded by canvases.
        expected = restore(noisy[..., :3]).astype(int)
        assert np.abs(made[..., :3] - expected).mean() < 2
        return
    expected = restore(noisy if noisy.ndim == 3 else noisy[..., np.newaxis]).astype(int)
    assert np.abs(made[..., :3] - expected).max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain", "text"])
def test_the_page_leaves_alone_what_has_no_noise(output, files, name):
    made, given = read(output / f"left_{name}.png"), read(files / f"{name}.png")
    np.testing.assert_array_equal(made[..., :3], np.repeat(given[..., np.newaxis], 3, axis=-1))


@pytest.mark.slow
def test_the_page_restores_with_the_model_that_is_chosen(output, files, bundle):
    # The page takes the smallest file of each.
    entries = [entry for name, entry in bundle.manifest["files"].items() if name != "any-size"]
    smallest = bundle.path / min(entries, key=lambda entry: entry["bytes"])["file"]
    other = saved_models()["selective-fer2013"] / "int8.tflite"
    for file, name in [(smallest, "first"), (other, "other")]:
        expected = Restorer(load_file(file))(read(files / "tiny.png"))
        made = read(output / f"{name}_model.png")[..., 0].astype(int)
        assert np.abs(made - expected).max() <= 1


@pytest.mark.slow
def test_the_documents_javascript_restores_as_python_does(output, bundle):
    restore = Restorer(load_file(bundle.path / "int8.tflite"))
    made = np.frombuffer((output / "window.raw").read_bytes(), np.uint8).reshape(32, 32, 1)
    assert np.abs(made - restore(noisy_picture(32, 32)).astype(int)).max() <= 1


@pytest.mark.slow
def test_the_sample_is_restored_and_measured_as_python_does(output):
    restore = load_restorer("selective-photos")
    clean = read(SOURCE / "public" / "sample.png")
    noisy, made = (read(output / f"sample_{kind}.png")[..., :3] for kind in ("noisy", "restored"))
    assert np.abs(made - restore(noisy).astype(int)).max() <= 1
    certain = np.all(noisy == clean, axis=-1)
    assert 0.48 < 1 - certain.mean() < 0.52
    assert set(np.unique(noisy[~certain])) == {0, 255}
    expected = [
        value
        for picture in (noisy, made)
        for value in (
            peak_signal_noise_ratio(clean, picture),
            structural_similarity(clean, picture, channel_axis=-1),
        )
    ]
    np.testing.assert_allclose(
        json.loads((output / "sample.json").read_text()), expected, atol=5e-3
    )


@pytest.mark.slow
def test_a_picture_in_many_tiles_is_the_same_and_what_it_costs_is_known(output, files):
    figures = json.loads((output / "figures.json").read_text())
    for name, model in (("photo", "selective-photos"), ("face", "selective-fer2013")):
        restore = load_restorer(model, threads=1)
        noisy, times = read(files / f"{name}.png"), []
        for _ in range(3 if name == "photo" else 10):
            started = time.perf_counter()
            expected = restore(noisy)
            times.append(1000 * (time.perf_counter() - started))
        figures[f"{name}_python_ms"] = min(times)
        if name == "photo":
            made = read(output / "photo.png")[..., 0].astype(int)
            assert np.abs(made - expected).max() <= 1
    print(json.dumps(figures, indent=2))
    (output / "figures.json").write_text(json.dumps(figures, indent=2))
    assert 3_000_000 < figures["first_load_bytes"] < 6_000_000
    for name in ("phone", "desktop"):
        assert read(output / f"{name}.png").std() > 20
    if folder := os.environ.get("KERASGAN_WEB_PICTURES"):
        for name in ("phone.png", "desktop.png"):
            # Of the ways to choose colours, the one that keeps the eye green.
            small = Image.open(output / name).convert("RGB")
            small = small.quantize(256, Image.Quantize.MAXCOVERAGE)
            small.save(Path(folder, name), optimize=True)


def test_export_writes_a_page_with_what_browsers_can_run(
    built, trained_run, photos, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    precisions = [f"--quantize={name}" for name in ("float32", "float16", "int8")]
    small = ("--tflite", *precisions, "--dynamic", "--size", "32x32", "--calibration", photos)
    small += ("-o", "bundle")
    output = run("export", trained_run.path, *small, "--web", "page")
    assert "page holds the page; put it on any server that has https" in output
    page = tmp_path / "page"
    manifest = Bundle.read(page / "bundle").manifest
    assert set(manifest["files"]) == {"int8", "float16", "float32"}
    for entry in manifest["files"].values():
        assert hash_of(page / "bundle" / entry["file"]) == entry["sha256"]
    sent = {path.relative_to(page).as_posix() for path in page.rglob("*") if path.is_file()}
    assert {"index.html", "sw.js", "litert/litert.js", "litert/litert.wasm.gz"} <= sent
    assert sum((page / name).stat().st_size for name in sent) < 5_000_000
    # All that the page needs after its first visit, but the models, which it keeps by itself.
    kept = json.loads(re.search(r"\[[^][]*litert[^][]*\]", (page / "sw.js").read_text())[0])
    models = {f"bundle/{entry['file']}" for entry in manifest["files"].values()}
    models |= {"bundle/manifest.json", "bundles.json"}
    assert set(kept) == sent - models - {"sw.js"}
    again = run("export", trained_run.path, *small, "--overwrite", "--web", tmp_path, status=1)
    assert "no part of a page" in again or "current folder" in again


def test_serve_gives_files_as_a_server_should(built, bundle):
    with served(bundle.path) as address:
        for name, kind in [
            ("", "text/html"),
            ("sw.js", "text/javascript"),
            ("app.webmanifest", "application/manifest+json"),
            ("bundle/int8.tflite", "application/octet-stream"),
        ]:
            with urllib.request.urlopen(address + name) as response:
                assert response.headers["Content-Type"] == kind
                # A worker has the policy of its own answer, not that of the page.
                assert "connect-src 'self'" in response.headers["Content-Security-Policy"]
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(address + "bundle/any-size.tflite")


def test_the_models_for_pictures_of_any_subject_are_served(built):
    with served() as address, urllib.request.urlopen(address + "bundles.json") as response:
        titles = [entry["title"] for entry in json.load(response)]
    assert [re.search(r"\((.*)\)", title)[1] for title in titles] == list(GENERAL_MODELS)


def test_what_cannot_be_served_is_named(built, bundle, trained_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "is no bundle; make one with" in run("serve", trained_run.path, status=1)
    signed = shutil.copytree(bundle.path, tmp_path / "signed")
    content = json.loads((signed / "manifest.json").read_text())
    content["files"] = {"int8": content["files"]["int8"]}
    content["files"]["int8"]["input"]["dtype"] = "int8"
    (signed / "manifest.json").write_text(json.dumps(content))
    assert "nothing that browsers can run" in run("serve", signed, status=1)
    damaged = shutil.copytree(bundle.path, tmp_path / "damaged")
    with (damaged / "int8.tflite").open("ab") as file:
        file.write(b"more")
    assert "the hashes differ" in run("serve", damaged, status=1)


def test_an_installation_without_the_page_says_how_to_get_it(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr("kerasgan.store.page._BUILT", tmp_path / "none")
    assert "npm run build --prefix export/web" in run("serve", bundle.path, status=1)


def test_a_page_is_written_over_a_page_alone(built, bundle, tmp_path):
    for _ in range(2):
        write_page([bundle], tmp_path / "page", overwrite=True)
    assert json.loads((tmp_path / "page" / "bundles.json").read_text()) == [
        {"folder": "bundle", "title": f"pictures, grey ({bundle.path.name})"}
    ]
    with pytest.raises(OSError, match="is not empty"):
        write_page([bundle], tmp_path / "page")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="is a file"):
        write_page([bundle], tmp_path / "file")
    (tmp_path / "page" / "CNAME").write_text("example.org")
    with pytest.raises(OSError, match="holds CNAME, which is no part of a page"):
        write_page([bundle], tmp_path / "page", overwrite=True)
    assert (tmp_path / "page" / "CNAME").read_text() == "example.org"


def test_a_page_offers_several_bundles(built, bundle, tmp_path):
    other = Bundle.read(saved_models()["selective-fer2013-gan"])
    faithful = shutil.copytree(bundle.path, tmp_path / "far-back")
    content = {**bundle.manifest, "sharpness": 0.0, "subject": "faces"}
    (faithful / "manifest.json").write_text(json.dumps(content))
    write_page([Bundle.read(faithful), other], tmp_path / "page")
    listed = json.loads((tmp_path / "page" / "bundles.json").read_text())
    assert listed == [
        {"folder": "bundle", "title": "faces, grey, faithful (far-back)"},
        {"folder": "bundle-2", "title": "faces, grey, sharp (selective-fer2013-gan)"},
    ]
    for folder in ("bundle", "bundle-2"):
        page = Bundle.read(tmp_path / "page" / folder)
        for entry in page.manifest["files"].values():
            assert page.checked_file(entry)
    output = run("export", bundle.path, "--tflite", "--web-with", other.path, status=2)
    assert "--web-with goes with --web" in output


def test_a_port_that_is_taken_is_named(built, bundle):
    with served(bundle.path) as address:
        port = address.rstrip("/").rpartition(":")[2]
        assert f"cannot listen on port {port}" in run(
            "serve", bundle.path, "--port", port, status=1
        )
