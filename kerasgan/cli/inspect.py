"""kerasgan inspect."""

import json
from pathlib import Path
from typing import Any

import click

from kerasgan.cli.options import PATH
from kerasgan.cli.pictures import pictures_of
from kerasgan.errors import KerasganError


@click.command()
@click.argument("images", type=PATH, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, with all values.")
def inspect(images: tuple[Path, ...], as_json: bool) -> None:
    """Tell which noise there is in pictures, IMAGES or whole folders, and how much of it.

    `denoise` looks in the same way before it restores.
    """
    from kerasgan.images.pictures import read_picture
    from kerasgan.restore.inspection import inspect as look

    entries: list[dict[str, Any]] = []
    for path in [path for source in images for path in pictures_of(source, source)]:
        entry: dict[str, Any] = {"picture": str(path)}
        try:
            pixels = read_picture(path).pixels
            found = look(pixels)
        except (KerasganError, MemoryError) as error:
            own = str(error) if isinstance(error, KerasganError) else f"{path}: out of memory"
            entry["error"] = own
            click.echo(f"Error: {own}", err=True)
        else:
            height, width = pixels.shape[:2]
            entry |= {"width": width, "height": height, **found.to_dict()}
            if not as_json:
                click.echo(f"{path}  {width}×{height}: {found.sentence}")
        entries.append(entry)
    if as_json:
        click.echo(json.dumps({"pictures": entries}, indent=2))
    if failures := sum("error" in entry for entry in entries):
        total = f"{len(entries)} picture{'s' * (len(entries) > 1)}"
        raise click.ClickException(f"{failures} of {total} could not be inspected")
