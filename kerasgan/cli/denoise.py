"""kerasgan denoise."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kerasgan.cli.options import MODEL, PATH, SHARE, overwrite_option, sharpness_option, start
from kerasgan.cli.pictures import check_whole, of_first, plan_pictures, usual_jobs, work_through
from kerasgan.cli.runs import RUNS, newest_run
from kerasgan.errors import ModelError
from kerasgan.restore.precision import PRECISIONS
from kerasgan.store.machine import processors
from kerasgan.store.zoo import saved_name

if TYPE_CHECKING:
    from kerasgan.images.pictures import Picture

# What `denoise --model` takes for the newest run.
NEWEST = "newest"


@click.command()
@click.argument("images", type=PATH, nargs=-1, required=True)
@click.option("-o", "--output", type=PATH, help="A file, or a folder. [default: beside the input]")
@click.option(
    "--model",
    type=MODEL,
    help="A run folder, a .keras or .tflite file, a bundle, a name that `kerasgan models` lists, "
    f"or {NEWEST!r}: the newest run in {RUNS}/. [default: of those that come with kerasgan the one "
    "that fits what a picture looks like, and another after it where noise of another kind "
    "appears]",
)
@sharpness_option
@click.option(
    "--strength",
    type=SHARE,
    metavar="S",
    default=1.0,
    show_default=True,
    help="How far to go from the noisy picture to the restored one: 0.7 leaves a little grain.",
)
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    help="What of a bundle restores. [default: dynamic, int8, float16 or float32, the first that "
    "there is; for 16 bits float32, float16, dynamic or keras]",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    help="Pictures restored at a time. [default: one for each processor, as far as memory holds]",
)
@click.option(
    "--force",
    is_flag=True,
    help="Restore every picture, whatever noise there is. [default: those alone that have noise "
    "which a model removes; `kerasgan inspect` tells which]",
)
@overwrite_option
def denoise(
    images: tuple[Path, ...],
    output: Path | None,
    model: Path | None,
    sharpness: float,
    strength: float,
    precision: str | None,
    jobs: int | None,
    force: bool,
    overwrite: bool,
) -> None:
    """Restore pictures, IMAGES or whole folders of them, with trained models.

    A picture without noise that a model removes is copied as it is.
    """
    if sharpness != 1.0 and model is None:
        raise click.UsageError("--sharpness is for a GAN: name it with --model")
    plan = list(plan_pictures(images, output, "_restored", overwrite))
    model = _model(model)
    at = "" if sharpness == 1.0 else f" at sharpness {sharpness:g}"
    named = "the models that fit" if model is None else saved_name(model) or model
    click.echo(f"Restoring with {named}{at}")
    from kerasgan.images.pictures import check_output, read_picture, write_picture
    from kerasgan.restore.choice import Choice, Step
    from kerasgan.restore.restorer import Restorer, load_restorer

    done: list[Path] = []
    left: list[Path] = []
    jobs = min(jobs or usual_jobs(), len(plan))
    threads = max(1, processors() // jobs)

    def load(path: Path) -> Restorer:
        return load_restorer(path, sharpness, precision=precision, threads=threads, start=start)

    def restore_file(
        restore: Choice,
        index: int,
        source: Path,
        target: Path,
        advance: Callable[[float], None],
    ) -> str:
        started = time.monotonic()
        picture = read_picture(source)
        check_output(target, picture)
        height, width = picture.pixels.shape[:2]
        size = f"{width}×{height}"
        if picture.images > 1:
            size = f"{of_first(picture.images)}, {size}"
        restored, steps, objection, fits, rest = restore(picture.pixels, advance)
        if objection is not None:
            as_it_is = _leave(source, target, picture)
            left.append(target)
            anyway = "; --force restores it anyway" if fits else ""
            return f"{target}  {size}: {objection}; {as_it_is}{anyway}"
        check_whole(source, target, picture.images)
        result = picture.restored(restored)
        write_picture(target, result)
        changed = (result.pixels != picture.pixels).any(axis=-1).mean()
        done.append(target)
        seconds = time.monotonic() - started
        return (
            f"{target}  {size}, {seconds:.1f} s: {'; then '.join(map(told, steps))}; "
            f"{changed:.1%} of pixels changed{rest}"
        )

    def told(step: Step) -> str:
        return step.found.sentence + ("" if model else f", by {step.model.name}")

    first = Choice(model, load, strength=strength, force=force)
    workers = [first, *(first.twin(threads) for _ in range(jobs - 1))]
    try:
        work_through(plan, restore_file, "Restoring", "restored", workers)
    finally:
        if len(plan) > 1:
            counts = len(done), len(left), len(plan) - len(done) - len(left)
            click.echo("{} restored, {} left as they were, {} not done".format(*counts))


def _leave(source: Path, target: Path, picture: "Picture") -> str:
    """Puts a picture where its result is expected, the same file where that can be; says how."""
    from kerasgan.images.formats import LOSSY_SUFFIXES, TIFF_SUFFIXES
    from kerasgan.images.pictures import write_picture
    from kerasgan.store.files import atomic_path

    suffixes = {source.suffix.lower(), target.suffix.lower()}
    same = len(suffixes) == 1 or suffixes in ({*LOSSY_SUFFIXES}, {*TIFF_SUFFIXES})
    if not same:
        write_picture(target, picture)
    elif not (target.exists() and target.samefile(source)):
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)
    lossy = not same and target.suffix.lower() in LOSSY_SUFFIXES
    return "not restored, but saved as JPEG, which loses a little" if lossy else "left as it was"


def _model(model: Path | None) -> Path | None:
    """Finds the newest run, where it is asked for."""
    if model != Path(NEWEST) or model.exists():
        return model
    if (run := newest_run()) is None:
        raise ModelError(
            f"no run in {RUNS}/ has completed an epoch; begin one with `kerasgan train`, or leave "
            "out --model to restore with the models that come with kerasgan"
        )
    return run
