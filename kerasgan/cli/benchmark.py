"""kerasgan benchmark."""

import json
from pathlib import Path

import click

from kerasgan.cli.options import MODEL, PATH, SIZE
from kerasgan.cli.progress import Progress
from kerasgan.errors import ModelError
from kerasgan.store.files import check_new, write_text


@click.command()
@click.argument("model", type=MODEL)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
@click.option("--size", type=SIZE, help="Of the pictures. [default: what each file takes at once]")
@click.option("--runs", type=click.IntRange(1), default=50, show_default=True, help="Pictures.")
@click.option("--json", "json_file", type=PATH, help="Write the figures there, too.")
def benchmark(
    model: Path, threads: int, size: tuple[int, int] | None, runs: int, json_file: Path | None
) -> None:
    """Time MODEL, a .tflite file or every file of a bundle, on this machine."""
    from kerasgan.store.bundle import Bundle, is_bundle
    from kerasgan.tflite.benchmark import format_table, measure

    check_new(json_file, ".json")
    if is_bundle(model):
        files = [model / entry["file"] for entry in Bundle.read(model).manifest["files"].values()]
    elif model.suffix == ".tflite":
        files = [model]
    elif not model.exists():
        raise ModelError(f"there is no model {model}")
    else:
        raise ModelError(
            f"{model} is neither a .tflite file nor a bundle; make one with: kerasgan export"
        )
    speeds = []
    with Progress("Timing", len(files), "files") as progress:
        for file in files:
            speeds += measure(file, size=size, threads=threads, runs=runs)
            progress.advance()
            progress.echo(f"Timed {file}", err=True)
    click.echo(format_table(speeds))
    if json_file is not None:
        figures = [speed.to_dict() for speed in speeds]
        write_text(json_file, json.dumps(figures, indent=2) + "\n")
