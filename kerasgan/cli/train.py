"""kerasgan train."""

import signal
import sys
from pathlib import Path
from typing import Any

import click

from kerasgan.cli.evaluate import CROP, measure, write_scores
from kerasgan.cli.options import (
    MODEL,
    PATH,
    SEED,
    SHARE,
    SHARES,
    describe,
    overwrite_option,
    resolve_source,
    start,
)
from kerasgan.cli.runs import next_run
from kerasgan.config import RunConfig, read_record
from kerasgan.distribution import (
    STRATEGIES,
    Name,
    check_batch,
    is_chief,
    make_strategy,
    resolve_strategy,
    wait_for_all,
)
from kerasgan.errors import DataError, Stopped
from kerasgan.presets import PRESETS

# Where in the configuration the options go that do not bear their field's name.
_FIELDS = {
    "data": "data__source",
    "amount": "noise__amount",
    "salt_vs_pepper": "noise__salt_vs_pepper",
    "learning_rate": "g_optimizer__learning_rate",
    "ema": "g_optimizer__ema_momentum",
    "patch_size": "data__patch_size",
    "channels": "data__channels",
    "limit": "data__limit",
    "keep_duplicates": "data__keep_duplicates",
    "mixed_precision": "precision",
}


@click.command()
@click.option("--data", type=click.Path(), help="bundled, a fer2013.csv, a folder, or tfds:NAME.")
@click.option("--preset", type=click.Choice(list(PRESETS)), help="The recipe. [default: selective]")
@click.option("--config", "config_file", type=PATH, help="Start from a run's config.json instead.")
@click.option("--resume", type=PATH, metavar="RUN", help="Go on with an interrupted run.")
@click.option("--start", type=MODEL, help="Start from this model's generator: fine-tune it.")
@click.option("--output", type=PATH, help="The run folder. [default: the next free in runs/]")
@overwrite_option
@click.option("--epochs", type=click.IntRange(1), help="Passes over the training images.")
@click.option("--batch-size", type=click.IntRange(1), help="Patches per step.")
@click.option("--amount", type=SHARES, help="Share of noise: 0.15, or a range, 0.05:0.95.")
@click.option("--salt-vs-pepper", type=SHARE, help="Share of the noise that is white.")
@click.option("--adversarial-weight", type=click.FloatRange(0), help="λ; 0 trains without the GAN.")
@click.option("--reconstruction", type=click.Choice(["mse", "mae", "charbonnier"]), help="Loss.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), help="The generator's.")
@click.option("--ema", type=click.FloatRange(0, 1, True, True), help="Average weights, e.g. 0.999.")
@click.option("--patch-size", type=click.IntRange(16), help="Height and width of training patches.")
@click.option("--color", "channels", flag_value=3, type=int, help="Restore colour.")
@click.option("--grey", "channels", flag_value=1, type=int, help="Restore grey. [default]")
@click.option("--limit", type=click.IntRange(1), help="Use at most so many images of each split.")
@click.option(
    "--mixed-precision",
    type=click.Choice(["float16", "bfloat16"]),
    help="Compute in 16 bits: faster on GPUs, TPUs and some processors.",
)
@click.option(
    "--strategy",
    "strategy_name",
    type=click.Choice(STRATEGIES),
    default="auto",
    show_default=True,
    help="Over what to spread training: all GPUs, the machines of TF_CONFIG, a TPU.",
)
@click.option("--keep-duplicates", is_flag=True, default=None, help="Keep repeated images.")
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
    strategy_name: Name,
    **options: Any,
) -> None:
    """Train a denoising GAN and measure it on held-out pictures."""
    changes = {name: value for name, value in options.items() if value is not None}
    fingerprint = None
    if resume is not None:
        others = {"output": output, "overwrite": overwrite or None, "preset": preset}
        others |= {"config": config_file, **changes}
        _refuse(name for name, value in others.items() if value is not None)
        config, fingerprint = read_record(resume / "config.json")
    elif config_file is not None:
        if preset is not None:
            raise click.UsageError("give --preset or --config, not both")
        config, fingerprint = read_record(config_file)
    else:
        config = PRESETS[preset or "selective"]
    config = _changed(config, changes)
    path = resume or output or next_run(config.generator.architecture)

    strategy_name = resolve_strategy(strategy_name)
    if strategy_name == "multi-worker":
        click.echo("Waiting for the other workers")
    strategy = start(lambda: make_strategy(strategy_name))
    check_batch(config.batch_size, strategy)
    chief = is_chief(strategy)
    from kerasgan.data.sources import load_images
    from kerasgan.evaluation import center_crops, check_measurable, reported_amounts
    from kerasgan.restore import Restorer
    from kerasgan.run_folder import RunFolder
    from kerasgan.training import start_weights, train

    folder = RunFolder(path)
    if resume is None and chief:
        folder.check_free(overwrite=overwrite)
    data = config.data
    images = load_images(
        data.source,
        channels=data.channels,
        seed=config.seed,
        limit=data.limit,
        keep_duplicates=data.keep_duplicates,
    )
    describe(data.source, images, hint=" (--keep-duplicates keeps them)")
    if fingerprint not in (None, images.fingerprint()):
        message = (
            f"{data.source} does not hold the images that {resume or config_file} was made with"
        )
        if resume is not None:
            raise DataError(message)
        click.echo(f"Note: {message}.")
    held_out = center_crops(images.held_out.first(test_images), CROP)
    check_measurable(held_out)
    if resume is None and chief:
        if config.start is not None:
            start_weights(config)  # Refused before there is a run folder.
        folder.create(config, images, overwrite=overwrite)
    click.echo(f"Training into {path}" if chief else "Training; the chief keeps the run")
    try:
        gan = train(
            config,
            images,
            folder,
            resume=resume is not None,
            verbose=1 if sys.stdout.isatty() else 2,
            strategy=strategy,
        )
    except KeyboardInterrupt:
        if not folder.model.exists():
            raise click.ClickException("interrupted before the first epoch was complete") from None
        raise click.ClickException(
            f"interrupted; {len(folder.read_history())} of {config.epochs} epochs are kept in "
            f"{path}. Go on with: kerasgan train --resume {path}"
        ) from None
    except Stopped as error:
        hint = f". Go on with: kerasgan train --resume {path}" if folder.model.exists() else ""
        click.echo(f"Stopped: {error}{hint}", err=True)
        raise SystemExit(128 + signal.SIGTERM) from None
    if chief and len(held_out):
        scores = measure(
            {"restored": Restorer(gan)},
            held_out,
            reported_amounts(config.noise),
            config.noise.salt_vs_pepper,
            config.seed,
        )
        write_scores(folder.evaluation, scores)
    wait_for_all(strategy)
    if chief:
        click.echo(f"\nRestore pictures with: kerasgan denoise PICTURE --model {path}")


def _refuse(options: Any) -> None:
    named = ", ".join("--" + name.replace("_", "-") for name in options)
    if named:
        raise click.UsageError(f"--resume goes on with the run as it is; leave out {named}")


def _changed(config: RunConfig, changes: dict[str, Any]) -> RunConfig:
    changes = {_FIELDS.get(name, name): value for name, value in changes.items()}
    if "start" in changes:
        changes["start"] = str(changes["start"].resolve())
    if "data__source" in changes:
        changes["data__source"] = resolve_source(changes["data__source"])
    try:
        return config.replace(**changes)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
