"""kerasgan models."""

import click


@click.command()
def models() -> None:
    """List the models that come with kerasgan."""
    from kerasgan.tflite.bundle import Bundle
    from kerasgan.zoo import saved_models

    for name, path in saved_models().items():
        manifest = Bundle.read(path).manifest
        colors = "colour" if manifest["channels"] == 3 else "grey"
        images = manifest["training"]["data"]["train"]
        source = manifest["training"]["config"]["data"]["source"]
        click.echo(f"{name}  {colors}, trained on {images:,} images of {source}\n  {path}")
        for file, entry in manifest["files"].items():
            psnr = "  ".join(
                f"{amount}: {result['file']:.2f}" for amount, result in entry["psnr"].items()
            )
            click.echo(f"  {file:9} {entry['bytes'] / 1000:6,.0f} kB   PSNR in dB at  {psnr}")
