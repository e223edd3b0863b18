"""Recipes with a name: faithful, sharp, small, for other noise, and the reference's."""

import tomllib
from pathlib import Path

from kerasgan.config import (
    AdversaryConfig,
    DataConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    OptimizerConfig,
    RunConfig,
)
from kerasgan.errors import DataError
from kerasgan.noise.gaussian import Gaussian
from kerasgan.noise.salt_and_pepper import SaltAndPepper

# Restores blindly, whatever the amount, and leaves certain pixels alone. Faithful: it learns from
# the reconstruction alone.
_SELECTIVE = RunConfig(
    data=DataConfig(),
    noise=SaltAndPepper(level=(0.05, 0.95)),
    generator=GeneratorConfig(architecture="selective", filters=(16, 32, 64, 128)),
    discriminator=DiscriminatorConfig(
        filters=(32, 64, 96), architecture="patch", spectral_norm=True
    ),
    adversary=AdversaryConfig(
        weight=0.0,
        objective="relativistic",
        balance="gradient",
        suspects_only=True,
        fade=2.5,
        feature_matching=1.3,
        clip=2.5,
        frozen_statistics=True,
        begins=0.7,
        warmup=0.07,
    ),
    reconstruction="mae",
    suspects_only=True,
    g_optimizer=OptimizerConfig(
        learning_rate=8e-3, beta_1=0.9, algorithm="muon", schedule="cosine"
    ),
    d_optimizer=OptimizerConfig(learning_rate=3e-4, beta_1=0.5, beta_2=0.99),
    epochs=10,
    batch_size=32,
)

PRESETS = {
    # Sharp: against a discriminator, and with what it takes to draw fine lines.
    "selective-gan": _SELECTIVE.replace(
        adversary__weight=0.6,
        generator__detail=32,
        g_optimizer__ema_momentum=0.99,
        epochs=12,
    ),
    "selective": _SELECTIVE,
    # A quarter of the weights, and not half of the multiplications. Among few channels, 8 bits lose
    # most to a wide one.
    "selective-small": _SELECTIVE.replace(
        generator__filters=(16, 24, 32, 56), generator__activation="relu6"
    ),
    # For noise that spares no pixel: widest where patterns of a few pixels are told from noise.
    "residual": _SELECTIVE.replace(
        data__patch_size=64,
        noise=Gaussian(level=Gaussian.bounds),
        generator=GeneratorConfig(architecture="residual", filters=(16, 48, 80, 104)),
        adversary__fade=0.0,
        adversary__suspects_only=False,
        suspects_only=False,
    ),
    # The reference writes its generator loss 100 · MSE + BCE; divided by 100 it is this one.
    "classic": RunConfig(
        data=DataConfig(),
        noise=SaltAndPepper(level=(0.15, 0.15)),
        generator=GeneratorConfig(architecture="classic", filters=(64, 128, 256)),
        discriminator=DiscriminatorConfig(filters=(64, 128, 256, 512), dropout=0.25),
        adversary=AdversaryConfig(weight=0.01),
        reconstruction="mse",
        suspects_only=False,
        g_optimizer=OptimizerConfig(learning_rate=2e-4, beta_1=0.5),
        d_optimizer=OptimizerConfig(learning_rate=2e-4, beta_1=0.5),
        epochs=10,
        batch_size=64,
    ),
}

DEFAULT = "selective-gan"


def preset(name: str) -> RunConfig:
    """Returns a recipe by its name.

    Args:
        name: "selective-gan", "selective", "selective-small", "residual" or "classic".

    Returns:
        The recipe, to be used as it is or changed with `RunConfig.replace`.

    Raises:
        ValueError: if there is no preset of that name.
    """
    if name not in PRESETS:
        raise ValueError(f"no preset {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name]


def read_recipe(path: Path) -> RunConfig:
    """Reads a recipe that a person wrote: what differs from a preset.

    Args:
        path: a TOML file with keys as in config.json, and `preset`, "selective-gan" where it
            is missing.

    Returns:
        The recipe.

    Raises:
        DataError: naming the file, and the key or line that is wrong.

    Example:
        A file of these lines::

            preset = "selective-small"
            epochs = 20
            [noise]
            level = [0.3, 0.95]
    """
    try:
        changes = tomllib.loads(path.read_text(encoding="utf-8"))
        return preset(changes.pop("preset", DEFAULT)).changed(changes)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
