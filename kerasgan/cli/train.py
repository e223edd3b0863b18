"""kerasgan train."""

import contextlib
import math
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from kerasgan.cli.measuring import CROP, cut, measure, write_scores
from kerasgan.cli.options import PATH, SEED, describe, overwrite_option, start
from kerasgan.cli.recipe import recipe, recipe_options
from kerasgan.cli.runs import RUNS, next_run
from kerasgan.cli.subject import choose_baselines
from kerasgan.config import RunConfig
from kerasgan.errors import DataError, Interrupted, OutputError, Stopped
from kerasgan.store.record import read_record
from kerasgan.training.distribution import (
    STRATEGIES,
    Name,
    check_batch,
    is_chief,
    make_strategy,
    resolve_strategy,
    wait_for_all,
)

# Biharmonic inpainting takes about 7 microseconds for each, at half of them noise.
_MANY_PIXELS = 10_000_000
# Of right pairs, by a few hundred images.
_CHANCE = 0.55
# Parameters that change nothing of a run.
_OF_ANY_RUN = ("resume", "test_images", "strategy_name")


@click.command()
@click.option("--resume", type=PATH, metavar="RUN", help="Go on with an interrupted run.")
@click.option("--output", type=PATH, help="The run folder. [default: the next free in runs/]")
@overwrite_option
@recipe_options
@click.option("--adversarial-weight", type=click.FloatRange(0), help="λ; 0 trains without the GAN.")
@click.option(
    "--strategy",
    "strategy_name",
    type=click.Choice(STRATEGIES),
    default="auto",
    show_default=True,
    help="Over what to spread training: all GPUs, the machines of TF_CONFIG, a TPU.",
)
@click.option("--seed", type=SEED, help="Decides weights, order and noise. [default: 0]")
@click.option(
    "--test-images",
    type=click.IntRange(0),
    default=100,
    show_default=True,
    help="Held-out images to measure at the end.",
)
def train(
    resume: Path | None,
    output: Path | None,
    overwrite: bool,
    test_images: int,
    preset: str | None,
    config_file: Path | None,
    settings: tuple[str, ...],
    strategy_name: Name,
    **options: Any,
) -> None:
    """Train a denoising GAN and measure it on held-out pictures."""
    changes = {name: value for name, value in options.items() if value is not None}
    fingerprint: str | None
    if resume is not None:
        _refuse_changes()
        config, fingerprint = read_record(resume / "config.json")
    else:
        config, fingerprint = recipe(preset, config_file, settings, changes)
    strategy_name = resolve_strategy(strategy_name)
    if strategy_name == "multi-worker":
        click.echo("Waiting for the other workers")
    strategy = start(lambda: make_strategy(strategy_name))
    check_batch(config.batch_size, strategy)
    chief = is_chief(strategy)
    if output is not None and str(output.resolve()) == config.data.source:
        raise OutputError(f"{output} holds the pictures to train on; choose another --output")
    path = resume or output or _reserved(config.generator.architecture, chief)
    from kerasgan.data.sources import load_configured
    from kerasgan.measure.evaluation import check_measurable
    from kerasgan.store.run_folder import RunFolder
    from kerasgan.training.train import train

    folder = RunFolder(path)
    if resume is None and chief:
        folder.check_free(overwrite=overwrite)
    images, source = load_configured(config), config.data.source
    describe(source, images, hint=" (--keep-duplicates keeps them)")
    if fingerprint not in (None, images.fingerprint()):
        message = f"{source} does not hold the images that {resume or config_file} was made with"
        if resume is not None:
            raise DataError(message)
        click.echo(f"Note: {message}.")
    if config.adversary.weight and not config.epochs_of("both"):
        click.echo("Note: one epoch is for the generator alone; the discriminator needs more.")
    held_out = cut(images.held_out.first(test_images), CROP)
    check_measurable(held_out)
    history = folder.read_history() if resume is not None else []
    before = int(history[-1]["epoch"]) if history and folder.model.exists() else 0
    if before:
        click.echo(f"Going on after {before} of {config.epochs} epochs")
    click.echo(f"Training into {path}" if chief else "Training; the chief keeps the run")
    with _told_how_to_go_on(folder, config.epochs, before, _also_for_going_on()):
        gan = train(
            config,
            images,
            folder,
            resume=resume is not None,
            overwrite=overwrite,
            verbose=1 if sys.stdout.isatty() else 2,
            strategy=strategy,
        )
    if chief and len(held_out):
        _measure(gan, held_out, config, folder)
    wait_for_all(strategy)
    if chief:
        _tell_if_blind(config, folder)
        click.echo(f"\nRestore pictures with: kerasgan denoise PICTURE --model {path}")


@contextlib.contextmanager
def _told_how_to_go_on(
    folder: Any, epochs: int, before: int, options: Sequence[str]
) -> Iterator[None]:
    """Tells what an interrupted training has kept, of which `before` epochs were there before."""
    command = shlex.join(["kerasgan", "train", "--resume", str(folder.path), *options])
    going_on = f"Go on with: {command}"
    try:
        yield
    except KeyboardInterrupt as error:
        complete = error.complete if isinstance(error, Interrupted) else before
        if not complete:
            raise click.ClickException(
                "interrupted before the first epoch was complete; begin anew with: --output "
                f"{folder.path} --overwrite"
            ) from None
        raise click.ClickException(
            f"interrupted; {complete} of {epochs} epochs are kept in {folder.path}. {going_on}"
        ) from None
    except Stopped as error:
        hint = f". {going_on}" if folder.model.exists() else ""
        raise Stopped(f"{error}{hint}") from None


def _measure(gan: Any, held_out: Any, config: RunConfig, folder: Any) -> None:
    """Measures what was trained, and keeps the figures with the run."""
    from kerasgan.model.precision import in_float32
    from kerasgan.restore.restorer import Restorer

    usual = choose_baselines(None, config.noise)
    baselines = _quick_enough(usual, held_out, len(config.noise.reported_levels))
    if slow := ", ".join(name for name in usual if name not in baselines):
        click.echo(
            f"Left out {slow}, which would take minutes on these pictures: "
            f"kerasgan evaluate {folder.path} measures it"
        )
    restorers = {"restored": Restorer(in_float32(gan.generator))}
    try:
        scores = measure(restorers, held_out, config.noise, seed=config.seed, baselines=baselines)
    except KeyboardInterrupt:
        raise click.ClickException(
            f"interrupted; the run in {folder.path} is complete, and kerasgan evaluate "
            f"{folder.path} measures it"
        ) from None
    write_scores(folder.evaluation, scores)


def _tell_if_blind(config: RunConfig, folder: Any) -> None:
    """Says so where the discriminator could not tell restored from clean, so taught nothing."""
    told = (row.get("d_right_pairs") for row in folder.read_history())
    best = max((float(share) for share in told if share), default=math.nan)
    if config.adversary.weight and best < _CHANCE:
        click.echo(
            f"\nNote: the discriminator told restored from clean in {best:.0%} of pairs at best, "
            "which is chance: it is blind to what is wrong, and what it passed back was noise. "
            "--preset selective-gan has one that sees."
        )


def _also_for_going_on() -> list[str]:
    """What was typed that the run does not keep, as it would be typed again."""
    context = click.get_current_context()
    return [
        word
        for option in context.command.params
        if option.name in _OF_ANY_RUN
        and option.name != "resume"
        and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
        for word in (option.opts[0], str(context.params[option.name]))
    ]


def _reserved(name: str, chief: bool) -> Path:
    """The next free run folder, which is made for the chief, and removed if it stays empty."""
    return click.get_current_context().with_resource(next_run(name)) if chief else RUNS / name


def _quick_enough(names: tuple[str, ...], images: Any, levels: int) -> tuple[str, ...]:
    """Leaves out slow baselines where there are many pixels to restore."""
    from kerasgan.measure.baselines import SLOW

    pixels = levels * sum(image.shape[0] * image.shape[1] for image in images)
    return tuple(name for name in names if name not in SLOW or pixels <= _MANY_PIXELS)


def _refuse_changes() -> None:
    """Refuses what would change a run, by the names that people type."""
    context = click.get_current_context()
    named = ", ".join(
        option.opts[0]
        for option in context.command.params
        if isinstance(option, click.Option)
        and option.name not in _OF_ANY_RUN
        and context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
        # Two flags for one parameter, neither of which is a yes or no.
        and (
            not option.is_flag
            or option.is_bool_flag
            or option.flag_value == context.params[option.name or ""]
        )
    )
    if named:
        raise click.UsageError(f"--resume goes on with the run as it is; leave out {named}")
