import importlib
import json

import pytest
from PIL import Image

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
    record = {"config": small_config(epochs=1).to_dict(), "data": {"fingerprint": "other"}}
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
    assert "λ = 0.1, seed 1" in output
    table = (folder / "comparison" / "comparison.md").read_text()
    assert table.strip() in output and "| | λ = 0 | λ = 0.1 |" in table
    assert "<h1>" in (folder / "page.html").read_text()
    rows = json.loads((folder / "comparison" / "comparison.json").read_text())
    assert {row["weight"] for row in rows} == {0.0, 0.1}
    models = sorted((folder / "comparison").glob("*/model.keras"))
    assert len(models) == 4
    written = [path.stat().st_mtime_ns for path in models]

    again = compare(*WEIGHTS, *seeds)
    assert table.strip() in again
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
