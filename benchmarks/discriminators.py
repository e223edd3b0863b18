"""Which discriminator can tell restored from clean: trained alone, against a frozen generator.

Shows the share of held-out pairs in which the clean picture has the higher logit; a half is chance.

    python benchmarks/discriminators.py fer2013.csv
"""

from pathlib import Path

import click


@click.command()
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.option("--model", default="selective-fer2013", show_default=True, help="Whose restorations.")
@click.option("--amount", "amounts", multiple=True, default=("0.9", "0.05:0.95"), show_default=True)
@click.option("--steps", type=click.IntRange(1), default=300, show_default=True)
@click.option("--every", type=click.IntRange(1), default=100, show_default=True)
@click.option("--batch-size", type=click.IntRange(1), default=32, show_default=True)
@click.option("--held-out", type=click.IntRange(1), default=512, show_default=True)
def discriminators(data, model, amounts, steps, every, batch_size, held_out):
    import keras

    from kerasgan.cli.options import SHARES
    from kerasgan.config import DiscriminatorConfig
    from kerasgan.data.pipeline import evaluation_pairs, training_pairs
    from kerasgan.data.sources import load_images
    from kerasgan.model.adversary import Adversary
    from kerasgan.model.discriminators import build_discriminator
    from kerasgan.model.gan import DenoisingGAN
    from kerasgan.model.loading import load_generator
    from kerasgan.noise.salt_and_pepper import SaltAndPepper

    images = load_images(str(data))
    generator, size = load_generator(model), images.train.images[0].shape[0]
    seeing = {"filters": (32, 64, 96), "architecture": "patch"}
    configs = {
        "classic": DiscriminatorConfig((16, 32, 64, 128), dropout=0.25),
        "classic without dropout": DiscriminatorConfig((16, 32, 64, 128)),
        "patch": DiscriminatorConfig(**seeing),
        "patch, spectral norm": DiscriminatorConfig(**seeing, spectral_norm=True),
    }
    columns = ["amount", "discriminator", *map(str, range(every, steps + 1, every))]
    click.echo(f"| {' | '.join(columns)} |\n{'| --- ' * len(columns)}|")
    for amount in amounts:
        noise = SaltAndPepper(SHARES.convert(amount, None, None))
        options = {"noise": noise, "batch_size": batch_size, "patch_size": size}
        pairs = training_pairs(images.train, **options)
        unseen = evaluation_pairs(images.validation.first(held_out), **options)
        for name, config in configs.items():
            keras.utils.set_random_seed(0)
            patch = config.architecture == "patch"
            adversary = Adversary(
                build_discriminator(config, size, 1, noise),
                objective="relativistic" if patch else "bce",
                suspects_of=noise if patch else None,
            )
            gan = DenoisingGAN(generator)
            gan.compile(d_optimizer=keras.optimizers.Adam(3e-4, 0.5, 0.99), adversary=adversary)
            gan.phase = "discriminator"
            shares = []
            for _ in range(steps // every):
                gan.fit(pairs, steps_per_epoch=every, shuffle=False, verbose=0)
                right = [
                    adversary.judge(noisy, clean, generator(noisy, training=False)).right
                    for noisy, clean in unseen
                ]
                shares.append(float(keras.ops.mean(keras.ops.concatenate(right))))
            cells = [amount, name, *(f"{share:.2f}" for share in shares)]
            click.echo(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    discriminators()
