"""kerasgan models."""

from collections.abc import Iterator
from pathlib import Path

import click

from kerasgan.errors import ModelError


@click.command()
def models() -> None:
    """List the models that come with kerasgan."""
    from kerasgan.store.zoo import saved_models

    for name, path in saved_models().items():
        try:
            click.echo("\n".join(_lines(name, path)))
        except ModelError as error:
            click.echo(f"{name}  cannot be used: {error}")
    click.echo("Figures of whole pictures, as in the README, are measured by kerasgan evaluate.")


def _lines(name: str, path: Path) -> Iterator[str]:
    from kerasgan.store.bundle import Bundle

    bundle = Bundle.read(path)
    manifest, noise = bundle.manifest, bundle.noise
    trained = ""
    if manifest["training"] is not None:
        # A record knows the number where its data could be counted.
        images = manifest["training"]["data"].get("train")
        count = f"{images:,} images of " if isinstance(images, int) else ""
        trained = f", trained on {count}{bundle.config.data.source}"
    yield f"{name}  {'colour' if manifest['channels'] == 3 else 'grey'}{trained}\n  {path}"
    height, width = next(iter(manifest["signatures"].values()))
    yield (
        f"  PSNR in dB by {noise.quantity}, of {height}×{width} patches of "
        f"{manifest['checked']['source']}:"
    )
    for file, entry in manifest["files"].items():
        psnr = "  ".join(
            f"{noise.label(float(level))}: {result['file']:.2f}"
            for level, result in entry["psnr"].items()
        )
        yield f"  {file:9} {entry['bytes'] / 1000:6,.0f} kB   {psnr}"
