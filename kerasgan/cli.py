"""The command line. Commands import what needs TensorFlow only when they run."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from kerasgan.errors import DataError, KerasganError, OutputError
from kerasgan.presets import PRESETS

RUNS = Path("runs")


class _Amount(click.ParamType[Any]):
    """A share of pixels, or a range of shares: "0.15" or "0.05:0.95"."""

    name = "amount"

    def __init__(self, *, ranges: bool):
        self._ranges = ranges

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str):
            return value
        low, colon, high = value.partition(":")
        try:
            amount = float(low), float(high if colon else low)
        except ValueError:
            self.fail(f"{value!r} is no number" + (" and no LOW:HIGH" if self._ranges else ""))
        if colon and not self._ranges:
            self.fail(f"{value!r} is a range; give one number, as often as you like")
        if not 0.0 <= amount[0] <= amount[1] <= 1.0:
            self.fail(
                f"{value!r} must lie between 0 and 1" + (", the lower first" if colon else "")
            )
        return amount if self._ranges else amount[0]


class _Commands(click.Group):
    """Turns every failure that a person can act on into one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KerasganError as error:
            raise click.ClickException(str(error)) from error
        except MemoryError as error:
            raise click.ClickException(
                "out of memory; close other programs or take less"
            ) from error
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{place}{error.strerror or error}") from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kerasgan", prog_name="kerasgan")
def main() -> None:
    """Train denoising GANs and restore pictures that salt-and-pepper noise has damaged."""


_PATH = click.Path(path_type=Path)
_SHARE = click.FloatRange(0, 1)
_overwrite_option = click.option("--overwrite", is_flag=True, help="Replace what stands there.")


@main.command()
@click.option("--data", type=click.Path(), help="bundled, a fer2013.csv, a folder, or tfds:NAME.")
@click.option("--preset", type=click.Choice(list(PRESETS)), help="The recipe. [default: selective]")
@click.option("--config", "config_file", type=_PATH, help="Start from a run's config.json instead.")
@click.option("--resume", type=_PATH, metavar="RUN", help="Go on with an interrupted run.")
@click.option("--output", type=_PATH, help="The run folder. [default: the next free in runs/]")
@_overwrite_option
@click.option("--epochs", type=click.IntRange(1), help="Passes over the training images.")
@click.option("--batch-size", type=click.IntRange(1), help="Patches per step.")
@click.option("--amount", type=_Amount(ranges=True), help="Share of noise: 0.15, or 0.05:0.95.")
@click.option("--salt-vs-pepper", type=_SHARE, help="Share of the noise that is white.")
@click.option("--adversarial-weight", type=click.FloatRange(0), help="λ; 0 trains without the GAN.")
@click.option("--reconstruction", type=click.Choice(["mse", "mae", "charbonnier"]), help="Loss.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), help="The generator's.")
@click.option("--ema", type=click.FloatRange(0, 1, True, True), help="Average weights, e.g. 0.999.")
@click.option("--patch-size", type=click.IntRange(16), help="Height and width of training patches.")
@click.option("--color/--grey", default=None, help="What to restore. [default: grey]")
@click.option("--limit", type=click.IntRange(1), help="Use at most so many images of each split.")
@click.option("--keep-duplicates", is_flag=True, default=None, help="Keep repeated images.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    help="Decides weights, order and noise. [default: 0]",
)
@click.option(
    "--test-images",
    type=click.IntRange(0),
    default=100,
    show_default=True,
    help="Held-out images to measure at the end.",
)
def train(
    resume: Path | None, output: Path | None, overwrite: bool, test_images: int, **options: Any
) -> None:
    """Train a denoising GAN and measure it on held-out pictures."""
    if resume is not None:
        clashing = [name for name, value in options.items() if value is not None]
        clashing += ["output"] * (output is not None) + ["overwrite"] * overwrite
        if clashing:
            named = ", ".join(
                "--" + name.replace("_", "-").removesuffix("-file") for name in clashing
            )
            raise click.UsageError(f"--resume goes on with the run as it is; leave out {named}")
    else:
        config, expected_fingerprint = _config_from_options(**options)

    _start()
    from kerasgan.data.sources import load_images
    from kerasgan.training import RunFolder, train

    folder = RunFolder(resume or output or _next_run(options["preset"] or "selective"))
    if resume is not None:
        config, expected_fingerprint = folder.read_record()
    data = config.data
    images = load_images(
        data.source,
        channels=data.channels,
        seed=config.seed,
        limit=data.limit,
        keep_duplicates=data.keep_duplicates,
    )
    _describe(data.source, images)
    if expected_fingerprint not in (None, images.fingerprint()):
        message = f"{data.source} no longer holds the images that the run was started with"
        if resume is not None:
            raise DataError(message)
        click.echo(f"Note: {message}.")
    if resume is None:
        folder.create(config, images, overwrite=overwrite)
    click.echo(f"Training into {folder.path}")
    try:
        gan = train(
            config, images, folder, resume=resume is not None, verbose=1 if _interactive() else 2
        )
    except KeyboardInterrupt:
        complete = len(folder.read_history())
        if not complete:
            raise click.ClickException("interrupted before the first epoch was complete") from None
        raise click.ClickException(
            f"interrupted; {complete} of {config.epochs} epochs are kept in {folder.path}. "
            f"Go on with: kerasgan train --resume {folder.path}"
        ) from None
    if test_images:
        from kerasgan.evaluation import center_crops, reported_amounts

        held_out = images.held_out.select(range(min(test_images, len(images.held_out))))
        with gan.averaged_weights():
            scores = _measure(
                {"restored": gan},
                center_crops(held_out, 512),
                reported_amounts(config.noise),
                config.noise.salt_vs_pepper,
                config.seed,
            )
        _write_json(folder.path / "evaluation.json", scores)
    click.echo(f"\nRestore pictures with: kerasgan denoise PICTURE --model {folder.path}")


def _config_from_options(
    *, preset: str | None, config_file: Path | None, **options: Any
) -> tuple[Any, str | None]:
    from kerasgan.presets import preset as find_preset

    fingerprint = None
    if config_file is not None:
        if preset is not None:
            raise click.UsageError("give --preset or --config, not both")
        from kerasgan.config import read_record

        config, fingerprint = read_record(config_file)
    else:
        config = find_preset(preset or "selective")
    color = options.pop("color")
    changes = {
        _CONFIG_FIELDS.get(name, name): value
        for name, value in options.items()
        if value is not None
    }
    if color is not None:
        changes["data__channels"] = 3 if color else 1
    source = changes.get("data__source")
    if source is not None and Path(source).exists():
        changes["data__source"] = str(Path(source).resolve())
    try:
        return config.replace(**changes), None if source else fingerprint
    except ValueError as error:
        raise click.UsageError(str(error)) from error


_CONFIG_FIELDS = {
    "data": "data__source",
    "amount": "noise__amount",
    "salt_vs_pepper": "noise__salt_vs_pepper",
    "learning_rate": "g_optimizer__learning_rate",
    "ema": "g_optimizer__ema_momentum",
    "patch_size": "data__patch_size",
    "limit": "data__limit",
    "keep_duplicates": "data__keep_duplicates",
}


@main.command()
@click.argument("model", type=_PATH)
@click.option("--data", type=click.Path(), help="What to measure on. [default: the run's own data]")
@click.option("--amount", "amounts", type=_Amount(ranges=False), multiple=True, help="Repeatable.")
@click.option("--salt-vs-pepper", type=_SHARE, help="Share of the noise that is white.")
@click.option(
    "--split",
    type=click.Choice(["held-out", "train", "validation", "test"]),
    default="held-out",
    show_default=True,
)
@click.option("--limit", type=click.IntRange(1), help="Measure at most so many images.")
@click.option(
    "--crop",
    type=click.IntRange(0),
    default=512,
    show_default=True,
    help="Cut larger images to their centre, for the slow baselines' sake; 0 measures them whole.",
)
@click.option(
    "--seed", type=click.IntRange(0), help="Decides the noise. [default: the run's, or 0]"
)
@click.option("--json", "json_file", type=_PATH, help="Write the figures there, too.")
def evaluate(
    model: Path,
    data: str | None,
    amounts: tuple[float, ...],
    salt_vs_pepper: float | None,
    split: str,
    limit: int | None,
    crop: int,
    seed: int | None,
    json_file: Path | None,
) -> None:
    """Measure a trained MODEL, a run folder or .keras file, beside classical filters."""
    _start()
    from kerasgan.data.sources import load_images
    from kerasgan.evaluation import center_crops, reported_amounts
    from kerasgan.restore import load_generator
    from kerasgan.training import RunFolder

    generator = load_generator(model)
    folder = RunFolder(model if model.is_dir() else model.parent)
    config = folder.read_record()[0] if folder.config.is_file() else PRESETS["selective"]
    source = data or config.data.source
    images = load_images(
        source,
        channels=generator.input_shape[-1],
        seed=config.seed,
        limit=config.data.limit if data is None else None,
        keep_duplicates=config.data.keep_duplicates,
    )
    _describe(source, images)
    chosen = getattr(images, split.replace("-", "_"))
    if limit is not None:
        chosen = chosen.select(range(min(limit, len(chosen))))
    if not len(chosen):
        raise DataError(f"{source} has no images in its split {split}")
    scores = _measure(
        {"restored": generator},
        center_crops(chosen, crop) if crop else chosen,
        amounts or reported_amounts(config.noise),
        config.noise.salt_vs_pepper if salt_vs_pepper is None else salt_vs_pepper,
        config.seed if seed is None else seed,
    )
    if json_file is not None:
        _write_json(json_file, scores)


@main.command()
@click.argument("images", type=_PATH, nargs=-1, required=True)
@click.option("-o", "--output", type=_PATH, help="A file, or a folder. [default: beside the input]")
@click.option("--model", type=_PATH, help="A run folder or .keras file. [default: the newest run]")
@_overwrite_option
def denoise(
    images: tuple[Path, ...], output: Path | None, model: Path | None, overwrite: bool
) -> None:
    """Restore pictures, IMAGES or whole folders of them, with a trained model."""
    plan = list(_plan(images, output, "_restored", overwrite))
    if model is None:
        model = _newest_run()
        click.echo(f"Restoring with {model}")
    _start()
    from kerasgan.images import Picture, check_output, read_picture, write_picture
    from kerasgan.restore import Restorer, load_generator

    restore = Restorer(load_generator(model))
    failures = 0
    for source, target in plan:
        started = time.monotonic()
        try:
            picture = read_picture(source)
            check_output(target, picture)
            restored = restore(picture.pixels)
            write_picture(target, Picture(restored, picture.alpha, picture.metadata))
        except KerasganError as error:
            if len(plan) == 1:
                raise
            failures += 1
            click.echo(f"Error: {error}", err=True)
            continue
        height, width = restored.shape[:2]
        click.echo(f"{target}  {width}×{height}, {time.monotonic() - started:.1f} s")
    if failures:
        raise click.ClickException(f"{failures} of {len(plan)} pictures could not be restored")


@main.command()
@click.argument("images", type=_PATH, nargs=-1, required=True)
@click.option(
    "--amount", type=_Amount(ranges=False), required=True, help="Share of pixels replaced."
)
@click.option("--salt-vs-pepper", type=_SHARE, default=0.5, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("-o", "--output", type=_PATH, help="A file, or a folder. [default: beside the input]")
@_overwrite_option
def corrupt(
    images: tuple[Path, ...],
    amount: float,
    salt_vs_pepper: float,
    seed: int,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Add salt-and-pepper noise to pictures, IMAGES or whole folders, to try things on."""
    from kerasgan.images import (
        LOSSY_SUFFIXES,
        Picture,
        from_float,
        read_picture,
        to_float,
        write_picture,
    )

    plan = list(_plan(images, output, "_noisy", overwrite, lossless=True))
    for _, target in plan:
        if target.suffix.lower() in LOSSY_SUFFIXES:
            raise OutputError(f"cannot write {target}: JPEG would blur the noise; use .png")
    _start()
    from kerasgan.data.pipeline import noisy_image

    for index, (source, target) in enumerate(plan):
        picture = read_picture(source)
        noisy = noisy_image(
            to_float(picture.pixels), amount, salt_vs_pepper=salt_vs_pepper, seed=seed, index=index
        )
        pixels = from_float(noisy, picture.pixels.dtype)
        write_picture(target, Picture(pixels, picture.alpha, picture.metadata))
        click.echo(target)


def _start() -> None:
    from kerasgan.startup import start_tensorflow

    start_tensorflow()


def _interactive() -> bool:
    return sys.stdout.isatty()


def _next_run(preset: str) -> Path:
    number = 1
    while (RUNS / f"{preset}-{number}").exists():
        number += 1
    return RUNS / f"{preset}-{number}"


def _newest_run() -> Path:
    generators = sorted(RUNS.glob("*/generator.keras"), key=lambda path: path.stat().st_mtime)
    if not generators:
        raise click.UsageError(
            f"there is no trained model in {RUNS}/; train one with: kerasgan train, or give --model"
        )
    return generators[-1].parent


def _describe(source: str, images: Any) -> None:
    click.echo(
        f"{source}: {len(images.train):,} images to train on, "
        f"{len(images.validation):,} to validate, {len(images.test):,} to test"
    )
    if images.dropped_train or images.dropped_held_out:
        click.echo(
            f"Dropped {images.dropped_train:,} repeated training images and "
            f"{images.dropped_held_out:,} held-out images that stand in training "
            "(--keep-duplicates keeps them)"
        )


def _measure(
    models: dict[str, Any],
    images: Any,
    amounts: Sequence[float],
    salt_vs_pepper: float,
    seed: int,
) -> Any:
    from kerasgan.evaluation import evaluate, format_table
    from kerasgan.restore import Restorer

    with click.progressbar(length=len(images) * len(amounts), label="Measuring") as bar:
        scores = evaluate(
            {name: Restorer(model) for name, model in models.items()},
            images,
            amounts,
            salt_vs_pepper=salt_vs_pepper,
            seed=seed,
            on_image=lambda: bar.update(1),
        )
    click.echo("\n" + format_table(scores))
    return scores


def _write_json(path: Path, scores: Any) -> None:
    from kerasgan.files import write_text

    write_text(path, json.dumps([score.to_dict() for score in scores], indent=2) + "\n")


def _plan(
    sources: Sequence[Path],
    output: Path | None,
    ending: str,
    overwrite: bool,
    lossless: bool = False,
) -> Iterator[tuple[Path, Path]]:
    """Pairs every picture with the file that its result goes to."""
    from kerasgan.images import LOSSY_SUFFIXES, SUFFIXES, check_output, find_images

    single = len(sources) == 1 and not sources[0].is_dir()
    seen: set[Path] = set()
    for source in sources:
        if source.is_dir():
            folder = output or source.with_name(source.resolve().name + ending)
            files = [(path, folder / path.relative_to(source)) for path in find_images(source)]
            if not files:
                raise DataError(f"{source} holds no images ({', '.join(SUFFIXES)})")
        elif output is None:
            files = [(source, source.with_stem(source.stem + ending))]
        elif single and (output.suffix and not output.is_dir()):
            files = [(source, output)]
        else:
            files = [(source, output / source.name)]
        for path, target in files:
            if lossless and target != output and target.suffix.lower() in LOSSY_SUFFIXES:
                target = target.with_suffix(".png")
            check_output(target)
            if target in seen:
                raise OutputError(f"two pictures would become {target}; restore them one by one")
            seen.add(target)
            if target.exists() and not overwrite:
                raise OutputError(f"{target} is there already; --overwrite replaces it")
            yield path, target
