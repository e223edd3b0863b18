"""kerasgan denoise."""

import time
from pathlib import Path

import click

from kerasgan.cli.options import MODEL, PATH, overwrite_option, sharpness_option, start
from kerasgan.cli.pictures import plan_pictures, work_through
from kerasgan.cli.runs import RUNS, newest_run
from kerasgan.errors import ModelError
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
    plan = list(plan_pictures(images, output, "_restored", overwrite))
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

    work_through(plan, restore_file, "restored")


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
