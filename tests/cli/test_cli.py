import importlib
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

from kerasgan.cli.measuring import CROP, cut
from kerasgan.cli.options import resolve_source
from kerasgan.cli.recipe import changed
from kerasgan.cli.runs import next_run
from kerasgan.data.sources import load_images
from kerasgan.errors import Interrupted, ModelError, Stopped
from kerasgan.images.pictures import Picture, read_picture, write_picture
from kerasgan.measure.baselines import USUAL
from kerasgan.noise.gaussian import Gaussian
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.noise.sensor import Sensor
from kerasgan.noise.speckle import Speckle
from kerasgan.presets import preset
from kerasgan.store.run_folder import RunFolder
from kerasgan.store.zoo import read_saved_model, saved_models
from tests.cli.command import run
from tests.helpers import small_config, smooth_image

# The command of that name hides the module.
_train = importlib.import_module("kerasgan.cli.train")


@pytest.fixture
def train(folder, photos):
    """Runs `kerasgan train` at the smallest scale on the folder of photos."""
    config = small_config(epochs=1, adversary__weight=0.0)
    record = {"config": config.to_dict(), "data": {"fingerprint": "other"}}
    (folder / "small.json").write_text(json.dumps(record))

    def run_train(*arguments, status=0):
        small = ("--config", folder / "small.json", "--data", photos)
        return run("train", *small, *arguments, status=status)

    return run_train


@pytest.fixture
def photo(folder):
    path = folder / "photo.png"
    write_picture(path, Picture(smooth_image(0, 50, 60)))
    return path


def test_train_evaluate_and_denoise_one_after_the_other(train, photos, folder):
    output = train("--amount", "0.3", "--output", "run")
    for method in ("noisy", "median 3×3", "adaptive median", "biharmonic inpainting", "restored"):
        assert method in output
    names = {path.name for path in (folder / "run").iterdir()}
    assert names == {
        "config.json",
        "evaluation.json",
        "generator.keras",
        "history.csv",
        "logs",
        "model.keras",
        "pictures",
    }
    output = run("evaluate", "run", "--amount", "0.1", "--amount", "0.5", "--json", "out.json")
    scores = json.loads((folder / "out.json").read_text())
    assert {score["level"] for score in scores} == {0.1, 0.5}
    assert f"{scores[-1]['psnr']:.2f}" in output
    # The run's own data and seed: the same held-out images and noise.
    run("evaluate", "run", "--data", photos.name, "--json", "again.json")
    assert json.loads((folder / "again.json").read_text()) == json.loads(
        (folder / "run" / "evaluation.json").read_text()
    )
    run("corrupt", photos / "d.tif", "--amount", "0.3", "-o", "noisy.png")
    run("denoise", "noisy.png", "--model", "run")
    noisy, restored = read_picture("noisy.png").pixels, read_picture("noisy_restored.png").pixels
    certain = (noisy > 0) & (noisy < 255)
    np.testing.assert_array_equal(restored[certain], noisy[certain])
    assert np.mean(restored[~certain] != noisy[~certain]) > 0.9


def test_runs_are_numbered_and_the_newest_restores_where_that_is_asked_for(
    train, trained_run, photo, folder
):
    shutil.copytree(trained_run.path, folder / "runs" / "selective-1")
    train("--test-images", "0")
    assert (folder / "runs" / "selective-2" / "generator.keras").is_file()
    assert "Restoring with runs/selective-2" in run("denoise", photo, "--model", "newest")


def test_trainings_that_begin_together_take_folders_of_their_own(folder):
    with next_run("selective") as first, next_run("selective") as second:
        assert [first.name, second.name] == ["selective-1", "selective-2"]
        (second / "config.json").write_text("{}")
    # What nothing was put into is no run.
    assert [path.name for path in (folder / "runs").iterdir()] == ["selective-2"]


@pytest.mark.parametrize("arguments", [("--data", "nowhere"), ("--start", "nowhere")])
def test_a_training_that_cannot_start_leaves_nothing(folder, arguments):
    run("train", *arguments, status=1)
    assert list(folder.iterdir()) == []


def test_a_start_is_kept_so_that_it_is_found_from_elsewhere(folder):
    def start(model):
        return changed(small_config(), [], {"start": model}).start

    assert start(saved_models()["selective-photos"]) == "selective-photos"
    (folder / "runs" / "first").mkdir(parents=True)
    assert start(Path("runs/first")) == str(folder / "runs" / "first")
    set_so = changed(small_config(), ["start=runs/first", "data.source=runs"], {})
    assert set_so.start == start(Path("runs/first"))
    assert set_so.data.source == str(folder / "runs")


def test_what_needs_a_start_can_be_set_beside_it():
    start = Path("selective-photos")
    config = changed(small_config(), ["frozen_statistics=true"], {"start": start})
    assert config.frozen_statistics and config.start == "selective-photos"


def test_a_network_has_room_for_what_it_starts_from():
    faithful = preset("selective")
    plain, gated = (
        changed(faithful, [], {"start": model}).generator
        for model in ("selective-fer2013", "selective-pages")
    )
    assert plain == faithful.generator
    assert gated == read_saved_model("selective-pages").config.generator != plain
    more = ["generator.decoder_blocks=4", "generator.detail=48"]
    grown = changed(faithful, more, {"start": "selective-pages"}).generator
    assert (grown.decoder_blocks, grown.detail, grown.gated) == (4, 48, True)
    # A network of another architecture is refused when its weights are read.
    other = changed(preset("residual"), [], {"start": "selective-pages"})
    assert other.generator == preset("residual").generator


def test_options_and_settings_count_together():
    residual, selective = preset("residual"), preset("selective")
    grey = changed(residual, ["data.grey=0.1"], {"channels": 3})
    assert grey == residual.replace(data__channels=3, data__grey=0.1)
    filters = (16, 32, 64, 96, 128, 160)
    deep = changed(selective, ["generator.filters=16,32,64,96,128,160"], {"patch_size": 64})
    assert deep == selective.replace(data__patch_size=64, generator__filters=filters)
    other = {"kind": "salt-and-pepper", "amount": (0.1, 0.2)}
    salted = changed(residual, ["generator.architecture=selective"], other)
    assert salted.noise == SaltAndPepper((0.1, 0.2))
    speckled = changed(residual, ["noise.level=0.1:0.2"], {"kind": "speckle"})
    assert speckled.noise == Speckle((0.1, 0.2))


def test_amount_and_level_are_not_given_at_a_time():
    with pytest.raises(click.UsageError, match="--amount and --level are one thing"):
        changed(preset("selective"), [], {"amount": (0.2, 0.2), "level": (0.3, 0.3)})


def test_what_would_change_a_run_is_named_as_it_was_typed():
    output = run(
        *("train", "--resume", "run", "--noise", "gaussian", "--level", "25", "--grey"),
        *("--overwrite", "--set", "epochs=3", "--test-images", "3"),
        status=2,
    )
    assert "leave out --overwrite, --set, --noise, --level, --grey\n" in output


@pytest.mark.parametrize("command", ["train", "compare"])
def test_a_training_that_was_asked_to_stop_says_so_and_exits_with_143(command, monkeypatch, folder):
    def stop(*arguments, **options):
        raise Stopped("SIGTERM came")

    monkeypatch.setattr("kerasgan.training.train.train", stop)
    monkeypatch.setattr("kerasgan.training.trials.train", stop)
    output = run(command, "--adversarial-weight", "0", status=128 + 15)
    assert output.splitlines()[-1].startswith("Stopped: SIGTERM came")


def test_the_noise_of_a_recipe_is_chosen():
    def noise(config, **changes):
        return changed(config, [], changes).noise

    residual = preset("residual")
    assert noise(residual, level=(10.0, 30.0)) == Gaussian((10, 30))
    assert noise(residual, kind="speckle", level=(0.1, 0.1)) == Speckle(0.1)
    assert noise(residual, kind="sensor") == Sensor(Sensor.calibration_range)
    assert noise(residual, kind="gaussian") == residual.noise
    assert noise(preset("selective"), level=(0.3, 0.4)) == SaltAndPepper((0.3, 0.4))
    for changes, message in (
        ({"kind": "gaussian"}, "restores salt and pepper alone; the preset residual is for Gaus"),
        ({"level": (3.0, 3.0)}, "level of salt and pepper"),
    ):
        with pytest.raises(click.UsageError, match=message):
            noise(preset("selective"), **changes)
    with pytest.raises(click.UsageError, match="this is Gaussian noise"):
        noise(residual, amount=(0.1, 0.2))


def test_large_pictures_are_measured_without_the_slow_baseline(train, monkeypatch):
    assert _train._quick_enough(USUAL, cut(load_images().held_out, CROP), 3) == USUAL
    monkeypatch.setattr(_train, "_MANY_PIXELS", 1000)
    output = train("--output", "run")
    assert "Left out biharmonic inpainting" in output
    assert "kerasgan evaluate run measures it" in output
    methods = {score["method"] for score in json.loads(Path("run/evaluation.json").read_text())}
    assert methods == {"noisy", "median 3×3", "adaptive median", "restored"}


@pytest.mark.parametrize(
    ("crop", "said"),
    [
        (48, "Measuring the middle 48×48 of 2 larger pictures; kerasgan evaluate --crop 0"),
        (64, "Measuring the middle 64×64 of 1 larger picture;"),
        (70, None),
        (0, None),
    ],
)
def test_pictures_that_are_cut_are_counted(trained_run, photos, crop, said):
    options = ("--data", photos, "--amount", "0.5", "--baselines", "none", "--crop", crop)
    output = run("evaluate", trained_run.path, *options)
    assert said in output if said else "Measuring the middle" not in output


@pytest.mark.slow
def test_a_run_can_be_repeated_from_its_config(train, photos, folder):
    again = ("train", "--config", "one/config.json", "--test-images", "0", "--output")
    options = ("--color", "--ema", "0.9", "--seed", "3", "--saturate", "0.5")
    options += ("--amount-exponent", "0.5", "--reconstruction", "rmse", "--pages", "0.3")
    train("--output", "one", "--test-images", "0", *options)
    kept = (folder / "one/config.json").read_text()
    assert '"saturate": 0.5' in kept and '"pages": 0.3' in kept
    assert '"exponent": 0.5' in kept
    run(*again, "two")
    assert (folder / "one/history.csv").read_text() == (folder / "two/history.csv").read_text()
    (photos / "a.png").unlink()
    assert "does not hold the images" in run(*again, "three")


def test_an_interrupted_run_says_how_to_go_on(train, photos, monkeypatch):
    from kerasgan.training import train as module

    original = module.train

    def interrupted(*args, **kwargs):
        original(*args, **kwargs)
        raise Interrupted(1)

    monkeypatch.setattr(module, "train", interrupted)
    output = train("--output", "run", status=1)
    assert "1 of 1 epochs are kept" in output
    assert "kerasgan train --resume run" in output
    monkeypatch.setattr(module, "train", original)
    output = run("train", "--resume", "run")
    assert "Going on after 1 of 1 epochs" in output and "restored" in output
    assert "restored" in run("train", "--config", "run", "--output", "again", "--data", photos)
    (photos / "a.png").unlink()
    assert "does not hold the images" in run("train", "--resume", "run", status=1)


@pytest.mark.slow
def test_a_real_ctrl_c_keeps_what_is_complete_and_can_be_resumed(photos, folder):
    record = {"config": small_config(epochs=500).to_dict(), "data": {"fingerprint": "other"}}
    (folder / "long.json").write_text(json.dumps(record))
    # A shell's background job, as CI may be one, inherits that interrupts are ignored.
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from kerasgan.cli import main; main()"
    )
    options = ["train", "--config", "long.json", "--data", photos, "--output", "run"]
    options += ["--test-images", "7"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen([sys.executable, "-c", program, *options], **pipes) as process:
        for line in process.stdout:
            if line.startswith("Epoch 3/"):
                process.send_signal(signal.SIGINT)
                break
        try:
            output = process.communicate(timeout=60)[0]
        finally:
            process.kill()
    assert process.returncode == 1
    assert "Traceback" not in output
    assert "Go on with: kerasgan train --resume run --test-images 7\n" in output
    complete = len((folder / "run" / "history.csv").read_text().splitlines()) - 1
    assert complete >= 2
    assert not [path for path in (folder / "run").rglob(".*")]


def interrupt(*args, **kwargs):
    raise KeyboardInterrupt


def test_an_interruption_before_the_first_epoch_says_so(train, monkeypatch):
    from kerasgan.training import train as module

    monkeypatch.setattr(module, "train", interrupt)
    output = train("--output", "run", status=1)
    assert "before the first epoch was complete; begin anew with: --output run --over" in output


def test_an_interruption_while_measuring_says_that_the_run_is_complete(train, monkeypatch):
    monkeypatch.setattr(_train, "measure", interrupt)
    output = train("--output", "run", status=1)
    assert "interrupted; the run in run is complete, and kerasgan evaluate run measures" in output


def test_a_start_that_is_nowhere_is_refused_before_anything_is_read():
    with pytest.raises(ModelError, match="there is no model nowhere to start from"):
        changed(small_config(), [], {"start": Path("nowhere")})


@pytest.mark.parametrize("path", ["photos", "photos/more/e.png"])
def test_denoise_keeps_what_it_is_not_told_to_replace(trained_run, photos, path):
    target = photos if path == "photos" else photos / "more" / "e.png"
    before = {file: file.read_bytes() for file in photos.rglob("*.*")}
    output = run("denoise", target, "-o", target, "--model", trained_run.path, status=1)
    assert "--overwrite" in output
    assert before == {file: file.read_bytes() for file in photos.rglob("*.*")}
    run("denoise", target, "-o", target, "--model", trained_run.path, "--overwrite")


def test_denoise_restores_a_folder_file_by_file(trained_run, photos, folder):
    (photos / "text.png").write_text("no picture")
    output = run("denoise", photos, "-o", "out", "--model", trained_run.path, status=1)
    assert "text.png" in output and "1 of 7 pictures" in output
    names = {str(path.relative_to(folder / "out")) for path in (folder / "out").rglob("*.*")}
    assert names == {"a.png", "b.bmp", "c.webp", "d.tif", "more/e.png", "more/f.png"}


def test_denoise_keeps_transparency_and_depth(trained_run, folder):
    pixels = (smooth_image(0, 30, 40, 3).astype(np.uint16) << 8) + 7
    alpha = np.full((30, 40, 1), 1234, np.uint16)
    write_picture(folder / "deep.png", Picture(pixels, alpha))
    run("corrupt", "deep.png", "--amount", "0.3")
    run("denoise", "deep_noisy.png", "--model", trained_run.path)
    noisy, restored = read_picture("deep_noisy.png"), read_picture("deep_noisy_restored.png")
    certain = (noisy.pixels > 0) & (noisy.pixels < 65535)
    assert certain.mean() == pytest.approx(0.7, abs=0.05)
    np.testing.assert_array_equal(restored.pixels[certain], pixels[certain])
    assert np.mean(np.abs(restored.pixels[~certain] / 65535 - pixels[~certain] / 65535)) < 0.2
    np.testing.assert_array_equal(restored.alpha, alpha)


def test_denoise_refuses_formats_that_cannot_hold_the_result(trained_run, folder):
    write_picture(folder / "deep.png", Picture(smooth_image(0).astype(np.uint16)))
    arguments = ("denoise", "deep.png", "-o", "a.jpg", "--model", trained_run.path)
    assert "no 16 bits" in run(*arguments, status=1)
    assert "must end in one of" in run("denoise", "deep.png", "-o", "a.gif", status=1)


def test_inputs_that_are_no_pictures_are_named(folder):
    (folder / "a.pdf").touch()
    assert "there is no picture fotos" in run("denoise", "fotos", status=1)
    assert "a.pdf is none of the formats read here" in run("denoise", "a.pdf", status=1)


def test_the_current_folder_is_restored_beside_itself(trained_run, photos, monkeypatch):
    monkeypatch.chdir(photos)
    run("denoise", ".", "--model", trained_run.path)
    assert (photos.parent / "photos_restored" / "more" / "e.png").is_file()


def test_a_folder_without_splits_is_measured_whole(trained_run, photos):
    output = run("evaluate", trained_run.path, "--data", photos, "--amount", "0.5")
    assert "6 images" in output


def test_a_run_whose_data_has_changed_is_not_measured_on_it(trained_run, photos, folder):
    path = shutil.copytree(trained_run.path, folder / "run")
    record = json.loads((path / "config.json").read_text())
    record["config"]["data"]["source"] = str(photos)
    record["data"]["fingerprint"] = load_images(str(photos)).fingerprint()
    (path / "config.json").write_text(json.dumps(record))
    options = ("evaluate", "run", "--amount", "0.5", "--baselines", "none")
    assert "restored" in run(*options)
    (photos / "a.png").unlink()
    assert "which it held out is unknown" in run(*options, status=1)


def test_pictures_too_small_to_measure_are_refused_before_training(train, photos):
    write_picture(photos / "test" / "tiny.png", Picture(smooth_image(0, 5, 5)))
    assert "tiny.png is 5×5" in train("--output", "run", status=1)


def test_two_inputs_of_one_name_are_refused(photos, folder):
    write_picture(folder / "a.png", Picture(smooth_image(0)))
    output = run("denoise", "a.png", photos / "a.png", "-o", "out", status=1)
    assert "a.png would both become out/a.png; take them one by one" in output


def test_pictures_that_differ_in_their_suffix_alone_keep_both(photos, folder):
    Image.fromarray(smooth_image(9)[..., 0]).save(photos / "a.jpg")
    run("corrupt", photos, photos / "a.png", "--amount", "0.4", "-o", "out")
    assert sorted(path.name for path in Path("out").glob("a.*")) == ["a.jpg.png", "a.png"]


@pytest.mark.parametrize("command", ["denoise", "inspect", "corrupt --amount 0.1", "benchmark"])
def test_an_empty_name_is_no_folder(photos, command):
    words = command.split()
    assert "it is empty" in run(words[0], "", *words[1:], status=2)
    assert "nothing is piped" in run(words[0], "-", *words[1:], status=2)


def test_figures_replace_figures_alone(photos, trained_run, folder):
    picture = photos / "a.png"
    before = picture.read_bytes()
    options = ("--data", photos, "--amount", "0.3", "--baselines", "none")
    for option, kind in (("--json", ".json"), ("--report", ".html")):
        output = run("evaluate", trained_run.path, *options, option, picture, status=1)
        assert f"a.png is there already, and no {kind} file" in output
    assert "it is a folder" in run("evaluate", trained_run.path, *options, "--json", ".", status=1)
    assert picture.read_bytes() == before


def test_corrupt_is_seeded_and_never_lossy(folder, photo):
    for name, seed in [("a.png", 1), ("b.png", 1), ("c.png", 2)]:
        run("corrupt", photo, "--amount", "0.4", "--seed", seed, "-o", name)
    first, again, other = (read_picture(f"{name}.png").pixels for name in "abc")
    np.testing.assert_array_equal(first, again)
    assert np.mean(first != other) > 0.2
    assert np.mean(first != read_picture(photo).pixels) == pytest.approx(0.4, abs=0.05)
    Image.fromarray(smooth_image(0)[..., 0]).save("photo.jpg")
    run("corrupt", "photo.jpg", "--amount", "0.4")
    assert (folder / "photo_noisy.png").is_file()
    assert "JPEG would blur" in run(
        "corrupt", "photo.jpg", "--amount", "0.4", "-o", "x.jpg", status=1
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "--amount", "1.5"), "'1.5' must lie between 0 and 1"),
        (("train", "--amount", "0.9:0.1"), "the lower first"),
        (("train", "--amount", "much"), "'much' is no number"),
        (("train", "--amount", "nan"), "must lie between"),
        (("train", "--patch-size", "50"), "patch_size must be a multiple of 8"),
        (("train", "--preset", "classic", "--config", "x.json"), "not both"),
        (
            ("train", "--resume", "x", "--epochs", "3", "--overwrite"),
            "leave out --overwrite, --epochs",
        ),
        (("train", "--resume", "x", "--config", "y"), "leave out --config"),
        (("evaluate", "run", "--baselines", "bm5d"), "'bm5d' is none of all, none, median-3x3"),
        (("evaluate", "run", "--amount", "0.1:0.5"), "is a range"),
        (("corrupt", "x.png", "--amount", "2"), "must lie between"),
        (("corrupt", "x.png", "--amount", "0.1", "--salt-vs-pepper", "nan"), "must lie between"),
        (("corrupt", "x.png", "--amount", "0.1", "--seed", str(2**63)), "--seed"),
        (("train", "--adversarial-weight", "nan"), "weight must be finite, not negative"),
        (("denoise",), "Missing argument"),
        (("undo",), "No such command"),
    ],
)
def test_wrong_usage_is_named_and_exits_with_2(arguments, message):
    assert message in run(*arguments, status=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "--data", "nowhere"), "no data source 'nowhere'"),
        (("train", "--data", "nowhere.csv"), "cannot read nowhere.csv"),
        (("train", "--resume", "nowhere"), "there is no nowhere/config.json"),
        (("train", "--config", "nowhere.json"), "there is no nowhere.json"),
        (
            ("train", "--config", Path(__file__).with_name("command.py")),
            "is no config.json of a run, and no recipe in .toml",
        ),
        (("evaluate", "nowhere"), "there is no model nowhere"),
        (("denoise", "nowhere.png", "--model", "nowhere"), "there is no picture nowhere.png"),
        (("corrupt", "nowhere.png", "--amount", "0.1"), "there is no picture nowhere.png"),
    ],
)
def test_failures_are_one_line_and_exit_with_1(arguments, message):
    output = run(*arguments, status=1)
    assert message in output.splitlines()[-1]
    assert output.splitlines()[-1].startswith("Error: ")


def test_a_folder_in_use_is_kept(train, folder):
    (folder / "run").mkdir()
    (folder / "run" / "precious.txt").write_text("mine")
    assert "not empty" in train("--output", "run", status=1)
    assert [path.name for path in (folder / "run").iterdir()] == ["precious.txt"]


def test_a_run_does_not_go_where_its_pictures_are(train, photos):
    output = train("--output", photos, "--overwrite", status=1)
    assert f"{photos} holds the pictures to train on" in output


def test_folders_do_not_hide_sources_of_that_name(folder):
    for name in ("bundled", "tfds:mnist"):
        (folder / name).mkdir()
        assert resolve_source(name) == name
    assert resolve_source("./bundled") == str(folder / "bundled")


def test_a_split_that_is_empty_is_named(photos, trained_run):
    for name in ("train", "validation"):
        write_picture(photos / name / "a.png", Picture(smooth_image(len(name), 40, 40)))
    arguments = ("evaluate", trained_run.path, "--data", photos, "--split", "test")
    assert "no images in its split test" in run(*arguments, status=1)


def test_version_and_help():
    assert re.fullmatch(r"kerasgan, version \d+\.\d+\.\d+\n", run("--version"))
    for command in ("train", "evaluate", "denoise", "corrupt"):
        assert command in run("--help")
        assert "Usage" in run(command, "--help")


@pytest.mark.parametrize(
    ("weight", "shares", "told"),
    [
        (0.1, ["0.47", "0.53"], "in 53% of pairs at best, which is chance"),
        (0.1, ["", "0.52", "0.9"], None),
        (0.1, ["", ""], None),
        (0.0, [], None),
    ],
)
def test_a_discriminator_that_stays_at_chance_is_told(weight, shares, told, tmp_path, capsys):
    run_folder = RunFolder(tmp_path)
    rows = [f"{number},{share}" for number, share in enumerate(shares, 1)]
    run_folder.history.write_text("\n".join(["epoch,d_right_pairs", *rows]) + "\n")
    _train._tell_if_blind(small_config(adversary__weight=weight), run_folder)
    printed = capsys.readouterr().out
    assert told in printed if told else not printed
