"""kerasgan compare."""

import json
import math
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kerasgan.cli.measuring import open_lenses
from kerasgan.cli.options import PATH, SEED, chosen_levels, describe, start
from kerasgan.cli.recipe import recipe, recipe_options
from kerasgan.errors import DataError, OutputError, Stopped
from kerasgan.store.files import check_new, write_text

# Perception is measured on the middle of larger pictures.
CROP = 192
_LEAST_IMAGES = 2


@click.command()
@click.option(
    "--adversarial-weight",
    "weights",
    type=click.FloatRange(0),
    multiple=True,
    help="λ; repeatable. The others are compared with the first. [default: 0, and a third, once "
    "and three times what the recipe says]",
)
@click.option(
    "--seed",
    "seeds",
    type=SEED,
    multiple=True,
    default=(0, 1, 2),
    show_default=True,
    help="Of weights, order and noise; repeatable.",
)
@recipe_options
@click.option(
    "--measure-at",
    "levels",
    type=float,
    multiple=True,
    help="Level of noise to measure at; repeatable. [default: some that training saw]",
)
@click.option(
    "--test-images",
    type=click.IntRange(_LEAST_IMAGES),
    default=1000,
    show_default=True,
    help="Held-out images to measure.",
)
@click.option("--output", type=PATH, default="comparison", show_default=True, help="The folder.")
@click.option("--report", type=PATH, help="Write a page of tables and plots there.")
def compare(
    weights: tuple[float, ...],
    seeds: tuple[int, ...],
    levels: tuple[float, ...],
    test_images: int,
    output: Path,
    report: Path | None,
    preset: str | None,
    config_file: Path | None,
    settings: tuple[str, ...],
    **options: Any,
) -> None:
    """Train once per weight of the adversarial loss and seed, and compare what comes of it.

    All else is equal. The same command goes on where it was interrupted: trainings that are
    finished are not repeated.
    """
    if not all(map(math.isfinite, weights)):
        raise click.UsageError("--adversarial-weight must be a number")
    check_new(report, ".html", ".htm")
    if (output / "config.json").exists():
        raise OutputError(f"{output} holds a training of its own; take another --output")
    changes = {name: value for name, value in options.items() if value is not None}
    config, _ = recipe(preset, config_file, settings, changes)
    weights = weights or _around(config.adversary.weight)
    levels = chosen_levels(config.noise, (), levels, "--measure-at")
    start()
    from kerasgan.data.sources import load_configured
    from kerasgan.measure.comparison import Trial, format_rows, summarize
    from kerasgan.measure.comparison_report import Comparison, write_comparison
    from kerasgan.measure.evaluation import center_crops
    from kerasgan.training.trials import compare

    images, source = load_configured(config), config.data.source
    describe(source, images)
    held_out = center_crops(images.held_out.first(test_images), CROP)
    if len(held_out) < _LEAST_IMAGES:
        raise DataError(
            f"{source} holds out {len(held_out)} images; comparing needs {_LEAST_IMAGES}: "
            "name others with --data"
        )
    lenses = open_lenses(held_out)

    def tell(trial: Trial, done: bool) -> None:
        click.echo(f"\nλ = {trial.weight:g}, seed {trial.seed}{': done before' if done else ''}")

    goes_on = f"what is complete is kept in {output}, and the same command goes on"
    try:
        results = compare(
            config,
            images,
            held_out,
            output,
            weights=weights,
            seeds=seeds,
            levels=levels,
            lenses=lenses,
            verbose=1 if sys.stdout.isatty() else 2,
            on_trial=tell,
        )
    except KeyboardInterrupt:
        raise click.ClickException(f"interrupted; {goes_on}") from None
    except Stopped:
        raise Stopped(f"SIGTERM came; {goes_on}") from None
    rows = summarize(results)
    text = format_rows(rows, config.noise)
    click.echo("\n" + text)
    write_text(output / "comparison.md", text + "\n")
    figures = json.dumps([asdict(row) for row in rows], indent=2)
    write_text(output / "comparison.json", figures + "\n")
    if report is not None:
        command = shlex.join(["kerasgan", *sys.argv[1:]])
        comparison = Comparison(command, Path(source).name, len(held_out), config, rows, results)
        write_comparison(report, comparison)
        click.echo(f"\nOpen {report} in a browser.")


def _around(weight: float) -> tuple[float, ...]:
    """None, and three weights about a recipe's: what means much or little depends on the recipe."""
    if not weight:
        raise click.UsageError(
            "this recipe trains without the discriminator: name weights to compare, "
            "--adversarial-weight 0 --adversarial-weight 1"
        )
    return 0.0, *(float(f"{factor * weight:.2g}") for factor in (1 / 3, 1, 3))
