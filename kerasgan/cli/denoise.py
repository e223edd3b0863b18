"""kerasgan denoise."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kerasgan.cli.options import MODEL, PATH, overwrite_option, sharpness_option, start
from kerasgan.cli.pictures import plan_pictures, usual_jobs, work_through
from kerasgan.cli.runs import RUNS, newest_run
from kerasgan.errors import ModelError
from kerasgan.restore.precision import PRECISIONS
from kerasgan.store.machine import processors
from kerasgan.store.zoo import DEFAULT_MODEL

if TYPE_CHECKING:
    from kerasgan.restore.restorer import Restorer

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
@overwrite_option
def denoise(
    images: tuple[Path, ...],
    output: Path | None,
    model: Path | None,
    sharpness: float,
    precision: str | None,
    jobs: int | None,
    overwrite: bool,
) -> None:
    """Restore pictures, IMAGES or whole folders of them, with a trained model."""
    plan = list(plan_pictures(images, output, "_restored", overwrite))
    model = _model(model)
    at = "" if sharpness == 1.0 else f" at sharpness {sharpness:g}"
    click.echo(f"Restoring with {model}{at}")
    from kerasgan.images.pictures import Picture, check_output, read_picture, write_picture
    from kerasgan.restore.restorer import load_restorer

    jobs = min(jobs or usual_jobs(), len(plan))
    threads = max(1, processors() // jobs)
    first = load_restorer(model, sharpness, precision=precision, threads=threads, start=start)

    def restore_file(
        restore: "Restorer",
        index: int,
        source: Path,
        target: Path,
        advance: Callable[[float], None],
    ) -> str:
        started = time.monotonic()
        picture = read_picture(source)
        check_output(target, picture)
        restored = restore(picture.pixels, advance)
        write_picture(target, Picture(restored, picture.alpha, picture.metadata))
        height, width = restored.shape[:2]
        return f"{target}  {width}×{height}, {time.monotonic() - started:.1f} s"

    restorers = [first, *(first.twin(threads) for _ in range(jobs - 1))]
    work_through(plan, restore_file, "Restoring", "restored", restorers)


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
