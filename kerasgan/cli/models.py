"""kerasgan models."""

import click


@click.command()
def models() -> None:
    """List the models that come with kerasgan."""
    from kerasgan.store.bundle import Bundle
    from kerasgan.store.zoo import saved_models

    for name, path in saved_models().items():
        bundle = Bundle.read(path)
        manifest, noise = bundle.manifest, bundle.config.noise
        colors = "colour" if manifest["channels"] == 3 else "grey"
        images = manifest["training"]["data"]["train"]
        source = manifest["training"]["config"]["data"]["source"]
        click.echo(f"{name}  {colors}, trained on {images:,} images of {source}\n  {path}")
        checked = manifest["checked"]["source"]
        click.echo(f"  PSNR in dB by {noise.quantity}, of patches of {checked} at the first size:")
        for file, entry in manifest["files"].items():
            psnr = "  ".join(
                f"{noise.label(float(level))}: {result['file']:.2f}"
                for level, result in entry["psnr"].items()
            )
            click.echo(f"  {file:9} {entry['bytes'] / 1000:6,.0f} kB   {psnr}")
