import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasgan.images.pictures import Picture, read_picture, write_picture
from kerasgan.restore import restorer
from tests.cli.command import run
from tests.helpers import noisy_picture, smooth_image


@pytest.fixture
def photo(folder):
    path = folder / "photo.png"
    write_picture(path, Picture(smooth_image(0, 50, 60)))
    return path


class Restorer:
    """Gives pictures back as they are, or does what it is told to."""

    def __init__(self, restore=lambda pixels, advance: pixels):
        self.restore = restore

    def twin(self, threads):
        return Restorer(self.restore)

    def __call__(self, pixels, advance, *, strength):
        return self.restore(pixels, advance)


@pytest.fixture
def restoring(monkeypatch):
    """Models that give pictures back as they are; the fixture is the list of those loaded."""
    loaded = []

    def load(path, *args, **options):
        loaded.append(path)
        return Restorer()

    monkeypatch.setattr(restorer, "load_restorer", load)
    return loaded


def images_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))


def test_the_model_that_comes_with_kerasgan_restores(photo, folder):
    run("corrupt", photo, "--amount", "0.3")
    output = run("denoise", "photo_noisy.png")
    assert re.search("salt and pepper, about 3.%, by selective-photos; 3", output)
    noisy, restored = (
        read_picture(folder / f"photo_noisy{ending}.png").pixels for ending in ("", "_restored")
    )
    certain = (noisy > 0) & (noisy < 255)
    np.testing.assert_array_equal(restored[certain], noisy[certain])
    clean = read_picture(photo).pixels
    assert np.abs(restored.astype(int) - clean).mean() < 3


def test_strength_goes_from_the_noisy_picture_to_the_restored_one(photo, folder):
    run("corrupt", photo, "--amount", "0.3", "-o", "noisy.png")
    pictures = []
    for strength in ("0", "0.5", "1"):
        target = f"{strength}.png"
        output = run("denoise", "noisy.png", "--strength", strength, "-o", target)
        pictures.append(read_picture(folder / target).pixels.astype(int))
    assert "changed" in output
    noisy, half, restored = pictures
    np.testing.assert_array_equal(noisy, read_picture(folder / "noisy.png").pixels)
    assert np.abs(half - (noisy + restored) / 2).max() <= 0.75
    assert "must lie between 0 and 1" in run("denoise", "noisy.png", "--strength", "2", status=2)


def test_a_run_is_taken_where_it_is_asked_for(photo, folder, restoring):
    for number in (1, 2):
        generator = folder / "runs" / f"trial-{number}" / "generator.keras"
        generator.parent.mkdir(parents=True)
        generator.touch()
        os.utime(generator, (number, number))
    run("denoise", photo, "--model", "newest")
    assert restoring == [Path("runs", "trial-2")]


def test_the_newest_of_no_runs_is_named(photo, restoring):
    output = run("denoise", photo, "--model", "newest", status=1)
    assert "no run in runs/ has completed an epoch" in output
    assert "leave out --model" in output


def test_a_model_called_newest_is_that_model(photo, folder, restoring):
    (folder / "newest").mkdir()
    run("denoise", photo, "--model", "newest")
    assert restoring == [Path("newest")]


@pytest.mark.parametrize("command", [("denoise",), ("corrupt", "--amount", "0.3")])
def test_results_within_the_folder_are_no_pictures_of_it(command, photos, restoring):
    before = images_in(photos)
    for _ in range(2):
        run(*command, "photos", "-o", "photos/done", "--overwrite")
        assert images_in(photos) == sorted([*before, *(f"done/{name}" for name in before)])
    # A folder that is its own output, and one that lies in the output.
    run(*command, "photos/done", "-o", "photos/done", "--overwrite")
    run(*command, "photos/more", "-o", "photos", "--overwrite")
    assert {"e.png", "f.png"} < set(images_in(photos))


@pytest.mark.parametrize("command", [("denoise",), ("corrupt", "--amount", "0.3")])
def test_a_folder_goes_on_after_pictures_that_cannot_be_used(command, photos, restoring):
    (photos / "a.png").write_text("no picture")
    os.mkfifo(photos / "pipe.png")
    output = run(*command, "photos", "-o", "out", status=1)
    assert "a.png: not an image" in output
    done = {"denoise": "restored", "corrupt": "corrupted"}[command[0]]
    assert f"1 of 6 pictures could not be {done}" in output
    expected = ["b.bmp", "c.webp", "d.tif", "more/e.png", "more/f.png"]
    assert images_in(Path("out")) == expected


def test_a_folder_goes_on_after_what_memory_does_not_hold(photos, monkeypatch):
    def restore(pixels, advance):
        if pixels.shape[:2] == (64, 64):
            raise MemoryError
        return pixels

    monkeypatch.setattr(restorer, "load_restorer", lambda *args, **options: Restorer(restore))
    output = run("denoise", "photos", "--force", "-o", "out", status=1)
    assert "photos/d.tif: out of memory" in output
    assert len(images_in(Path("out"))) == 5


def test_metadata_that_cannot_be_written_ends_one_picture_alone(photos, restoring):
    exif = Image.Exif()
    exif[0x010F] = "a long maker note" * 5000
    whole = exif.tobytes()
    # In two segments, as cameras write it: one holds 65,533 bytes.
    parts = [whole[:60_000], b"Exif\0\0" + whole[60_000:]]
    Image.fromarray(smooth_image(0)[..., 0]).save(photos / "long.jpg")
    content = (photos / "long.jpg").read_bytes()
    segments = b"".join(b"\xff\xe1" + (len(part) + 2).to_bytes(2, "big") + part for part in parts)
    (photos / "long.jpg").write_bytes(content[:2] + segments + content[2:])
    output = run("denoise", "photos", "--force", "-o", "out", status=1)
    assert "Error: cannot write out/long.jpg: EXIF data is too long" in output
    assert "1 of 7 pictures could not be restored" in output


def test_a_picture_too_long_for_its_format_is_refused(folder, restoring):
    write_picture(folder / "long.png", Picture(np.zeros((10, 20_000, 1), np.uint8)))
    for command in (("denoise",), ("corrupt", "--amount", "0.1")):
        output = run(*command, "long.png", "-o", "long.webp", status=1)
        assert "it is 20000×10, and .webp holds at most 16383 pixels a side; use .png" in output


def test_operating_system_errors_are_one_line(photo, monkeypatch):
    def fail(*args, **kwargs):
        raise PermissionError(13, "Permission denied", "/dev/secret")

    # By its module: the package knows the command under that name.
    monkeypatch.setattr(sys.modules["kerasgan.cli.denoise"], "_model", fail)
    assert "Error: /dev/secret: Permission denied" in run("denoise", photo, status=1)


@pytest.mark.slow
def test_another_backend_of_keras_is_named(photo, trained_run):
    command = [sys.executable, "-m", "kerasgan", "denoise", photo, "--model", trained_run.path]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: Keras runs on jax")
    assert "Traceback" not in result.stderr


def test_pictures_restored_at_a_time_are_those_restored_one_by_one(photos):
    run("corrupt", "photos", "--amount", "0.4")
    (photos.with_name("photos_noisy") / "b.bmp").write_text("no picture")
    outputs = [
        run("denoise", "photos_noisy", "-o", f"by{jobs}", "--jobs", jobs, status=1)
        for jobs in (1, 3)
    ]
    told = [re.findall(r"by\d(\S+)|Error: (.*)", output) for output in outputs]
    assert told[0] == told[1] and len(told[0]) == 7
    for name in images_in(Path("by1")):
        assert Path("by1", name).read_bytes() == Path("by3", name).read_bytes(), name


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_interruption_ends_pictures_that_were_begun(photos, monkeypatch, jobs):
    began, asked = threading.Barrier(jobs, timeout=10), []

    def restore(pixels, advance):
        if began.wait() == 0:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        for _ in range(1000):
            asked.append(advance(0.001))
            time.sleep(0.01)
        return pixels

    monkeypatch.setattr(restorer, "load_restorer", lambda *args, **options: Restorer(restore))
    # Whoever runs the tests in the background ignores it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        output = run("denoise", "photos", "--force", "-o", "out", "--jobs", jobs, status=1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert "Aborted!" in output and len(asked) < 500
    assert images_in(Path("out")) == []


def test_16_bits_are_restored_by_keras_where_no_file_takes_them(folder, caplog):
    noisy = noisy_picture(40, 50, dtype=np.uint16)
    write_picture(folder / "deep.png", Picture(noisy))
    run("denoise", "deep.png", "--model", "selective-fer2013")
    [line] = [r.getMessage() for r in caplog.records if r.name.startswith("kerasgan")]
    assert line.startswith("Pictures of more than 8 bits are restored by Keras")
    run(
        *("denoise", "deep.png", "--model", "selective-fer2013"),
        *("--precision", "keras", "-o", "keras.png"),
    )
    np.testing.assert_array_equal(
        read_picture(folder / "deep_restored.png").pixels, read_picture(folder / "keras.png").pixels
    )


def test_a_precision_that_a_bundle_does_not_have_is_named(photo):
    output = run(
        *("denoise", photo, "--model", "selective-photos", "--precision", "float16"), status=1
    )
    assert "selective-photos has no float16 file; it has keras, dynamic, int8" in output


@pytest.mark.parametrize("command", [("denoise",), ("corrupt", "--amount", "0.3")])
def test_files_that_are_left_out_are_named(command, photos, restoring, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    Image.open(photos / "a.png").save(photos / "more" / "g.gif")
    for name in ("more/phone.heic", "notes.txt", ".hidden"):
        (photos / name).touch()
    output = run(*command, "photos", "-o", "out")
    assert (
        "Left out 2 files that cannot be read: photos/more/phone.heic (pip install "
        "'kerasgan[heic]' reads it); photos/notes.txt (no format read here)\n"
    ) in output
    assert "more/g.png" in images_in(Path("out")) and len(images_in(Path("out"))) == 7
    for number in range(9):
        (photos / f"{number}.txt").touch()
    output = run(*command, "photos", "-o", "out", "--overwrite")
    assert "Left out 11 files" in output and output.count("(no format read here)") == 5
    output = run(*command, photos / "more" / "phone.heic", status=1)
    assert "phone.heic: pip install 'kerasgan[heic]' reads it" in output


def test_several_pictures_need_a_folder(photo, folder, restoring):
    for sources in ([str(photo), str(photo)], [str(folder)]):
        output = run("denoise", *sources, "-o", "x.png", status=1)
        assert "x.png is a name for one picture" in output
    assert not (folder / "x.png").exists()


def test_the_other_pages_of_a_file_are_told_of_and_not_lost(folder, restoring):
    pages = [Image.fromarray(noisy_picture(50, width)[..., 0]) for width in (60, 70, 80)]
    pages[0].save(folder / "scan.tif", save_all=True, append_images=pages[1:])
    before = (folder / "scan.tif").read_bytes()
    output = run("denoise", "scan.tif", "--force", "-o", "first.tif")
    assert "the first of 3 images" in output
    output = run("denoise", "scan.tif", "--force", "-o", "scan.tif", "--overwrite", status=1)
    assert "scan.tif holds 3 images, and one would be left of it" in output
    corrupt = ("corrupt", "scan.tif", "--amount", "0.1", "-o")
    assert "first.tif  of the first of 3 images" in run(*corrupt, "first.tif", "--overwrite")
    output = run(*corrupt, "scan.tif", "--overwrite", status=1)
    assert "scan.tif holds 3 images, and one would be left of it" in output
    assert (folder / "scan.tif").read_bytes() == before


def test_a_folder_that_looks_like_a_file_is_to_be_made_first(folder, photo):
    corrupt = ("corrupt", photo, "--amount", "0.1", "-o", "v1.2/")
    assert "if it is to be a folder, make that first" in run(*corrupt, status=1)
    (folder / "v1.2").mkdir()
    run(*corrupt)
    assert [path.name for path in (folder / "v1.2").iterdir()] == [photo.name]


def test_names_that_the_terminal_cannot_write_are_escaped(folder):
    write_picture(folder / "\N{SNOWFLAKE}.png", Picture(smooth_image(0, 50, 60)))
    result = subprocess.run(
        [sys.executable, "-m", "kerasgan", "inspect", "\N{SNOWFLAKE}.png"],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
    )
    assert result.returncode == 0 and result.stdout.startswith(b"\\u2744.png")


def test_a_tiff_that_is_left_alone_keeps_its_bytes_under_its_other_ending(folder, restoring):
    pages = [Image.new("1", (70, 60), 1) for _ in range(2)]
    pages[0].save(folder / "scan.tif", save_all=True, append_images=pages[1:])
    assert "left as it was" in run("denoise", "scan.tif", "-o", "scan.tiff")
    assert (folder / "scan.tiff").read_bytes() == (folder / "scan.tif").read_bytes()


def test_sharpness_is_for_a_model_that_is_named(photo):
    assert "--sharpness is for a GAN" in run("denoise", photo, "--sharpness", "0.5", status=2)
