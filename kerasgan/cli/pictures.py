"""kerasgan denoise and kerasgan corrupt: commands on picture files."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from kerasgan.cli.options import (
    MODEL,
    PATH,
    SEED,
    SHARE,
    as_salt_and_pepper,
    overwrite_option,
    sharpness_option,
    start,
)
from kerasgan.cli.runs import RUNS, newest_run
from kerasgan.errors import DataError, KerasganError, ModelError, OutputError
from kerasgan.noise.base import Noise
from kerasgan.noise.kinds import KINDS, noise_of
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.store.zoo import DEFAULT_MODEL

# What `denoise --model` takes for the newest run.
NEWEST = "newest"


@click.command()
@click.argument("images", type=PATH, nargs=-1, required=True)
@click.option("-o", "--output", type=PATH, help="A file, or a folder. [default: beside the input]")
@click.option(
    "--model",
    type=MODEL,
    help="A run folder, a .keras or .tflite file, a bundle, a name that `kerasgan models` lists, "
    f"or {NEWEST!r}: the newest run in {RUNS}/. [default: {DEFAULT_MODEL}, which comes with "
    "kerasgan]",
)
@sharpness_option
@overwrite_option
def denoise(
    images: tuple[Path, ...],
    output: Path | None,
    model: Path | None,
    sharpness: float,
    overwrite: bool,
) -> None:
    """Restore pictures, IMAGES or whole folders of them, with a trained model."""
    plan = list(_plan(images, output, "_restored", overwrite))
    model = _model(model)
    at = "" if sharpness == 1.0 else f" at sharpness {sharpness:g}"
    click.echo(f"Restoring with {model}{at}")
    start()
    from kerasgan.images.pictures import Picture, check_output, read_picture, write_picture
    from kerasgan.restore.restorer import load_restorer

    restore = load_restorer(model, sharpness)

    def restore_file(index: int, source: Path, target: Path) -> str:
        started = time.monotonic()
        picture = read_picture(source)
        check_output(target, picture)
        restored = restore(picture.pixels)
        write_picture(target, Picture(restored, picture.alpha, picture.metadata))
        height, width = restored.shape[:2]
        return f"{target}  {width}×{height}, {time.monotonic() - started:.1f} s"

    _work_through(plan, restore_file, "restored")


def _model(model: Path | None) -> Path:
    """Finds what an option left open: the model that comes with kerasgan, or the newest run."""
    from kerasgan.store.zoo import find_model

    if model is None:
        return find_model(DEFAULT_MODEL)
    if model != Path(NEWEST) or model.exists():
        return model
    if (run := newest_run()) is None:
        raise ModelError(
            f"no run in {RUNS}/ has completed an epoch; begin one with `kerasgan train`, or leave "
            f"out --model to restore with {DEFAULT_MODEL}"
        )
    return run


@click.command()
@click.argument("images", type=PATH, nargs=-1, required=True)
@click.option("--amount", type=SHARE, help="Share of pixels replaced by salt and pepper.")
@click.option("--salt-vs-pepper", type=SHARE, help="Share of them that is white. [default: 0.5]")
@click.option(
    "--noise",
    "kind",
    type=click.Choice(list(KINDS)),
    default=SaltAndPepper.kind,
    show_default=True,
    help="The kind of noise.",
)
@click.option("--level", type=float, help="Level of another kind of noise.")
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("-o", "--output", type=PATH, help="A file, or a folder. [default: beside the input]")
@overwrite_option
def corrupt(
    images: tuple[Path, ...],
    amount: float | None,
    salt_vs_pepper: float | None,
    kind: str,
    level: float | None,
    seed: int,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Add noise to pictures, IMAGES or whole folders, to try things on."""
    noise = _noise(kind, amount, level, salt_vs_pepper)
    from kerasgan.images.pictures import (
        LOSSY_SUFFIXES,
        Picture,
        check_output,
        read_picture,
        write_picture,
    )
    from kerasgan.images.pixels import from_float, to_float

    plan = list(_plan(images, output, "_noisy", overwrite, lossless=True))
    for _, target in plan:
        if target.suffix.lower() in LOSSY_SUFFIXES:
            raise OutputError(f"cannot write {target}: JPEG would blur the noise; use .png")
    start()
    from kerasgan.data.pipeline import noisy_image

    def corrupt_file(index: int, source: Path, target: Path) -> str:
        picture = read_picture(source)
        check_output(target, picture)
        noisy = noisy_image(to_float(picture.pixels), noise, seed=seed, index=index)
        pixels = from_float(noisy, picture.pixels.dtype)
        write_picture(target, Picture(pixels, picture.alpha, picture.metadata))
        return str(target)

    _work_through(plan, corrupt_file, "corrupted")


def _work_through(
    plan: Sequence[tuple[Path, Path]], work: Callable[[int, Path, Path], str], done: str
) -> None:
    """Does the same to every picture, and goes on after those that cannot be used."""
    failures = 0
    for index, (source, target) in enumerate(plan):
        try:
            click.echo(work(index, source, target))
        except (KerasganError, MemoryError) as error:
            if len(plan) == 1:
                raise
            failures += 1
            what = str(error) if isinstance(error, KerasganError) else f"{source}: out of memory"
            click.echo(f"Error: {what}", err=True)
    if failures:
        raise click.ClickException(f"{failures} of {len(plan)} pictures could not be {done}")


def _noise(
    kind: str, amount: float | None, level: float | None, salt_vs_pepper: float | None
) -> Noise:
    """Makes the noise that options describe."""
    if (amount is None) == (level is None):
        raise click.UsageError("give --amount, or the --level of another --noise")
    try:
        values: dict[str, Any] = {"level": amount if level is None else level}
        noise = noise_of(kind)(**values)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if amount is None and salt_vs_pepper is None:
        return noise
    noise = as_salt_and_pepper(noise)
    if salt_vs_pepper is None:
        return noise
    return dataclasses.replace(noise, salt_vs_pepper=salt_vs_pepper)


def _lies_within(path: Path, folder: Path, source: Path) -> bool:
    """Tells whether a picture of a source is a result of last time, in a folder of its own."""
    folder, source = folder.resolve(), source.resolve()
    inside = folder != source and folder.is_relative_to(source)
    return inside and path.parent.resolve().is_relative_to(folder)


def _plan(
    sources: Sequence[Path],
    output: Path | None,
    ending: str,
    overwrite: bool,
    lossless: bool = False,
) -> Iterator[tuple[Path, Path]]:
    """Pairs every picture with the file that its result goes to."""
    from kerasgan.images.pictures import LOSSY_SUFFIXES, SUFFIXES, check_output, find_images

    to_file = output is not None and bool(output.suffix) and not output.is_dir()
    seen: set[Path] = set()
    for source in sources:
        if source.is_dir():
            real = source.resolve()
            folder = output or real.with_name(real.name + ending)
            files = [
                (path, folder / path.relative_to(source))
                for path in find_images(source)
                if not _lies_within(path, folder, source)
            ]
            if not files:
                raise DataError(f"{source} holds no images ({', '.join(SUFFIXES)})")
        elif not source.exists():
            raise DataError(f"there is no picture {source}")
        elif source.suffix.lower() not in SUFFIXES:
            raise DataError(f"{source} is none of the formats read here ({', '.join(SUFFIXES)})")
        elif output is None:
            files = [(source, source.with_stem(source.stem + ending))]
        elif to_file and len(sources) == 1:
            files = [(source, output)]
        else:
            files = [(source, output / source.name)]
        for path, target in files:
            if lossless and target != output and target.suffix.lower() in LOSSY_SUFFIXES:
                target = target.with_suffix(".png")
            check_output(target)
            if target in seen:
                raise OutputError(f"two pictures would become {target}; take them one by one")
            seen.add(target)
            if target.exists() and not overwrite:
                raise OutputError(f"{target} is there already; --overwrite replaces it")
            yield path, target
