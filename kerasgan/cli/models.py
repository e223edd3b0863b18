"""kerasgan models."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kerasgan.errors import ModelError

if TYPE_CHECKING:
    from kerasgan.noise.base import Noise


@click.command()
def models() -> None:
    """List the models that come with kerasgan."""
    from kerasgan.store.zoo import saved_models

    for name, path in saved_models().items():
        try:
            click.echo("\n".join(_lines(name, path)))
        except ModelError as error:
            click.echo(f"{name}  cannot be used: {error}")
    click.echo(
        "\nFaithful: nearest to the truth. Sharp: with details that look natural; --sharpness goes "
        "back\nfrom 1 to 0, faithful. Other precisions are made by kerasgan export NAME --tflite.\n"
        "Figures of whole pictures, as in the README, are measured by kerasgan evaluate."
    )


def _lines(name: str, path: Path) -> Iterator[str]:
    from kerasgan.store.bundle import Bundle
    from kerasgan.store.purpose import description
    from kerasgan.store.record import image_count

    bundle = Bundle.read(path)
    manifest, noise = bundle.manifest, bundle.noise
    yield f"{name}  {description(bundle)}\n  {path}"
    if manifest["training"] is not None:
        images = image_count(manifest["training"])
        count = "" if images is None else f"{images:,} images of "
        yield f"  trained on {count}{bundle.config.data.source}"
    height, width = next(iter(manifest["signatures"].values()))
    yield (
        f"  PSNR in dB by {noise.quantity}, of {height}×{width} patches of "
        f"{manifest['checked']['source']}:"
    )
    for file, entry in manifest["files"].items():
        yield _figures(file, entry["bytes"], entry["psnr"], "file", noise)
    first = next(iter(manifest["files"].values()))
    yield _figures("keras", manifest["generator"]["bytes"], first["psnr"], "keras", noise)


def _figures(
    name: str, size: int, psnr: dict[str, dict[str, float]], measured: str, noise: "Noise"
) -> str:
    """What one file takes, in bytes, and how well it restores at each level."""
    values = (f"{noise.label(float(level))}: {of[measured]:.2f}" for level, of in psnr.items())
    return f"  {name:9} {size / 1000:6,.0f} kB   {'  '.join(values)}"
