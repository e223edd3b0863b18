"""kerasgan corrupt."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kerasgan.cli.options import PATH, SEED, SHARE, as_salt_and_pepper, overwrite_option
from kerasgan.cli.pictures import check_whole, of_first, plan_pictures, work_through
from kerasgan.errors import OutputError
from kerasgan.noise.base import Noise
from kerasgan.noise.kinds import KINDS, noise_of
from kerasgan.noise.salt_and_pepper import SaltAndPepper


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
    import numpy as np

    from kerasgan.images.formats import LOSSY_SUFFIXES
    from kerasgan.images.pictures import check_output, read_picture, write_picture
    from kerasgan.images.pixels import from_float, to_float
    from kerasgan.noise.noisy import noisy_image

    plan = list(plan_pictures(images, output, "_noisy", overwrite, lossless=True))
    for _, target in plan:
        if target.suffix.lower() in LOSSY_SUFFIXES:
            raise OutputError(f"cannot write {target}: JPEG would blur the noise; use .png")

    def corrupt_file(
        worker: None, index: int, source: Path, target: Path, advance: Callable[[float], None]
    ) -> str:
        picture = read_picture(source)
        check_output(target, picture)
        check_whole(source, target, picture.images)
        noisy = noisy_image(to_float(picture.pixels), noise, seed=seed, index=index)
        pixels = from_float(noisy, picture.pixels.dtype)
        # Other noise than salt and pepper takes more than one bit.
        is_bilevel = picture.is_bilevel and bool(np.isin(pixels, (0, 255)).all())
        write_picture(target, dataclasses.replace(picture, pixels=pixels, is_bilevel=is_bilevel))
        return str(target) + (f"  of {of_first(picture.images)}" if picture.images > 1 else "")

    work_through(plan, corrupt_file, "Adding noise", "corrupted")


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
