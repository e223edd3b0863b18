import importlib
import json

import pytest
from PIL import Image

from kerasgan.errors import Stopped
from tests.cli.command import run
from tests.helpers import small_config, smooth_image

# The command of that name hides the module.
_compare = importlib.import_module("kerasgan.cli.compare")


@pytest.fixture
def compare(folder):
    """Runs `kerasgan compare` at the smallest scale."""
    pictures = folder / "pictures"
    parts = {"train": range(8), "validation": range(8, 11), "test": range(11, 16)}
    for part, seeds in parts.items():
        (pictures / part).mkdir(parents=True)
        for seed in seeds:
            Image.fromarray(smooth_image(seed)[..., 0]).save(pictures / part / f"{seed:02}.png")
    at_once = small_config(epochs=1, adversary__begins=0.0, adversary__warmup=0.0)
    record = {"config": at_once.to_dict(), "data": {"fingerprint": "other"}}
    (folder / "small.json").write_text(json.dumps(record))

    def run_compare(*arguments, status=0):
        common = ("--config", folder / "small.json", "--data", pictures, "--measure-at", "0.5")
        return run("compare", *common, *arguments, status=status)

    return run_compare


WEIGHTS = ("--adversarial-weight", "0", "--adversarial-weight", "0.1")


@pytest.mark.slow
def test_trainings_are_compared_and_not_repeated(compare, folder):
    seeds = ("--seed", "0", "--seed", "1")
    output = compare(*WEIGHTS, *seeds, "--report", "page.html")
    assert "λ = 0.1, seed 1\n" in output
    table = (folder / "comparison" / "comparison.md").read_text()
    assert table.strip() in output and "| | λ = 0 | λ = 0.1 |" in table
    assert "<h1>" in (folder / "page.html").read_text()
    rows = json.loads((folder / "comparison" / "comparison.json").read_text())
    assert {row["weight"] for row in rows} == {0.0, 0.1}
    models = sorted((folder / "comparison").glob("*/model.keras"))
    assert len(models) == 4
    written = [path.stat().st_mtime_ns for path in models]

    again = compare(*WEIGHTS, *seeds)
    assert table.strip() in again and "λ = 0.1, seed 1: done before\n" in again
    assert [path.stat().st_mtime_ns for path in models] == written
    # Other levels are measured, and not trained for again.
    assert "Salt and pepper, 20%" in compare(*WEIGHTS, *seeds, "--measure-at", "0.2")
    assert [path.stat().st_mtime_ns for path in models] == written

    (folder / "comparison" / "weight-0.0_seed-0" / "values.json").write_text("{")
    assert "values.json is damaged; remove it" in compare(*WEIGHTS, *seeds, status=1)


def test_other_options_are_refused(compare):
    one = ("--adversarial-weight", "0", "--seed", "0")
    compare(*one)
    assert "holds a training with other options" in compare(*one, "--epochs", "2", status=1)


def test_epochs_that_leave_nothing_to_compare_are_refused(compare, folder):
    options = ("--set", "adversary.begins=0.7", *WEIGHTS)
    assert "of 1 epoch none is left for the discriminator" in compare(*options, status=1)
    assert not (folder / "comparison").exists()


def test_without_the_discriminator_the_generator_learns_as_long(compare, folder, monkeypatch):
    epochs = []
    monkeypatch.setattr(
        "kerasgan.training.trials._known_values",
        lambda run, config, *rest: epochs.append(config) or {},
    )
    monkeypatch.setattr("kerasgan.measure.comparison.summarize", lambda results: [])
    options = ("--set", "adversary.begins=0.5", "--set", "adversary.warmup=0.2", "--epochs", "10")
    compare(*options, *WEIGHTS, "--seed", "0")
    learning = [c.epochs - c.epochs_of("discriminator") for c in epochs]
    assert learning == [8, 8] and [c.adversary.weight for c in epochs] == [0.0, 0.1]


def test_the_folder_of_a_training_is_refused(compare, folder):
    (folder / "run").mkdir()
    (folder / "run" / "config.json").write_text("{}")
    assert "run holds a training of its own" in compare("--output", "run", status=1)


def test_too_few_images_are_refused(compare, folder):
    for picture in sorted((folder / "pictures" / "test").iterdir())[:4]:
        picture.unlink()
    output = compare(*WEIGHTS, status=1)
    assert "holds out 1 images; comparing needs 2" in output


def test_weights_lie_around_the_recipes(compare):
    assert _compare._around(1.8) == (0.0, 0.6, 1.8, 5.4)
    output = compare("--set", "adversary.weight=0", status=2)
    assert "this recipe trains without the discriminator: name weights to compare" in output


def test_a_training_that_was_interrupted_in_its_first_epoch_begins_anew(compare, folder):
    one = ("--adversarial-weight", "0", "--seed", "3")
    compare(*one)
    run_folder = folder / "comparison" / "weight-0.0_seed-3"
    (run_folder / "model.keras").unlink()
    (run_folder / "values.json").unlink()
    compare(*one)
    assert (run_folder / "values.json").is_file()


def test_trainings_of_all_seeds_know_which_pictures_were_held_out(compare, folder):
    (folder / "loose").mkdir()
    for seed in range(20):
        Image.fromarray(smooth_image(seed)[..., 0]).save(folder / "loose" / f"{seed:02}.png")
    compare("--adversarial-weight", "0", "--seed", "3", "--data", "loose")
    output = run(
        *("evaluate", "comparison/weight-0.0_seed-3", "--amount", "0.5", "--baselines", "none")
    )
    assert "* restored" in output


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt(), 1), (Stopped("x"), 143)])
def test_an_interruption_says_how_to_go_on(compare, monkeypatch, error, status):
    def interrupted(*args, **kwargs):
        raise error

    monkeypatch.setattr("kerasgan.training.trials.train", interrupted)
    output = compare(*WEIGHTS, status=status)
    assert "is kept in comparison, and the same command goes on" in output
