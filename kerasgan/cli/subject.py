"""What is measured: on which images, with which noise, beside which baselines."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from kerasgan.cli.options import ALL, as_salt_and_pepper, describe, noise_like
from kerasgan.config import RunConfig
from kerasgan.errors import DataError
from kerasgan.noise.base import Noise

HELD_OUT = "held-out"


def choose_noise(model: Path, kind: str | None, salt_vs_pepper: float | None) -> Noise:
    """Finds the noise to measure with, and says so where the model never saw it."""
    from kerasgan.store.purpose import recorded_noise, removed_noise

    noise = noise_like(removed_noise(model), kind)
    if salt_vs_pepper is not None:
        noise = dataclasses.replace(as_salt_and_pepper(noise), salt_vs_pepper=salt_vs_pepper)
    seen = recorded_noise(model)
    if seen is not None and noise.kind not in seen.kinds:
        click.echo(f"Note: {model.name} learnt from {seen.title}; it never saw {noise.title}.")
    return noise


def choose_baselines(asked: Any, noise: Any) -> tuple[str, ...]:
    """Finds the baselines to measure, and says which are not installed."""
    from kerasgan.measure.baselines import fitting, installed, usual

    names = {None: usual(noise), ALL: fitting(noise)}.get(asked, asked)
    found = installed(names)
    if missing := ", ".join(name for name in names if name not in found):
        click.echo(f"Note: left out {missing}; pip install 'kerasgan[baselines]' brings it")
    return found


def refuse_noise(
    data: str | None,
    kind: str | None,
    amounts: Sequence[float],
    levels: Sequence[float],
    salt_vs_pepper: float | None,
    split: str,
) -> None:
    """Refuses what means nothing where pictures come with their noise."""
    if data is None:
        raise click.UsageError("--pairs needs the folder that holds them: --data FOLDER")
    given = {
        "--noise": kind,
        "--amount": amounts,
        "--level": levels,
        "--salt-vs-pepper": salt_vs_pepper is not None,
        "--split": split != HELD_OUT,
    }
    if named := ", ".join(name for name, value in given.items() if value):
        raise click.UsageError(f"--pairs measures all of a folder as it is; leave out {named}")


def choose_images(
    model: Path,
    source: str,
    split: str,
    limit: int | None,
    config: RunConfig,
    fingerprint: str | None,
    channels: int,
) -> Any:
    """Loads the clean images to measure on: of the model's own data, those that it held out.

    Its own are known by their fingerprint, since a bundle does not tell where they lay.
    """
    from kerasgan.data.sources import load_images

    def load(limit: int | None) -> Any:
        return load_images(
            source,
            channels=channels,
            seed=config.split_seed,
            limit=limit,
            keep_duplicates=config.data.keep_duplicates,
            hold_out=False,
        )

    whole = load(config.data.limit)
    images = whole if len(whole.train) < 2 else whole.with_held_out(config.split_seed)
    named = source == config.data.source
    own = named if fingerprint is None else fingerprint == images.fingerprint()
    if named and not own:
        raise DataError(
            f"{source} does not hold the images that {model} was trained on, so which it held out "
            "is unknown; name images to measure with --data"
        )
    if not own:
        images = whole if config.data.limit is None else load(None)
    describe(source, images)
    chosen = getattr(images, split.replace("-", "_"))
    if split == HELD_OUT and not len(chosen):
        chosen = images.train
    if not len(chosen):
        raise DataError(f"{source} has no images in its split {split}")
    return chosen.first(limit)
