"""The options that make a run's configuration, for commands that train."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import click

from kerasgan.cli.options import (
    MODEL,
    PATH,
    SHARE,
    SHARES,
    SOURCE,
    Levels,
    as_salt_and_pepper,
    noise_like,
    resolve_source,
)
from kerasgan.config import Reconstruction, RunConfig
from kerasgan.errors import ModelError
from kerasgan.noise.kinds import KINDS
from kerasgan.presets import DEFAULT, PRESETS, read_recipe
from kerasgan.store.bundle import training_record
from kerasgan.store.record import is_record, parse_record, read_record
from kerasgan.store.zoo import find_model, saved_name

# Where in the configuration the options go that do not bear their field's name.
_FIELDS = {
    "data": "data.source",
    "kind": "noise.kind",
    "level": "noise.level",
    "adversarial_weight": "adversary.weight",
    "amount": "noise.level",
    "amount_exponent": "noise.exponent",
    "salt_vs_pepper": "noise.salt_vs_pepper",
    "learning_rate": "g_optimizer.learning_rate",
    "ema": "g_optimizer.ema_momentum",
    "patch_size": "data.patch_size",
    "channels": "data.channels",
    "saturate": "data.saturate",
    "pages": "data.pages",
    "limit": "data.limit",
    "keep_duplicates": "data.keep_duplicates",
    "mixed_precision": "precision",
}
_OF_SALT_AND_PEPPER = {"amount", "salt_vs_pepper"}
_OPTIONS = (
    click.option("--data", type=SOURCE, help="bundled, a fer2013.csv, a folder, or tfds:NAME."),
    click.option(
        "--preset",
        type=click.Choice(list(PRESETS)),
        help="The recipe: selective-gan is sharp; selective, faithful; selective-small, the same "
        "for slow devices; residual, for other noise than salt and pepper; classic, the "
        f"reference's. [default: {DEFAULT}]",
    ),
    click.option(
        "--config",
        "config_file",
        type=PATH,
        help="Start from a run folder's recipe instead, or a .toml of what differs from a preset.",
    ),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="Set any field of config.json, e.g. generator.filters=24,48,96; repeatable.",
    ),
    click.option(
        "--start",
        type=MODEL,
        help="Fine-tune this model's generator, against its run's discriminator where that fits.",
    ),
    click.option("--epochs", type=click.IntRange(1), help="Passes over the training images."),
    click.option("--batch-size", type=click.IntRange(1), help="Patches per step."),
    click.option(
        "--noise",
        "kind",
        type=click.Choice(list(KINDS)),
        help="What to restore from. [default: the recipe's]",
    ),
    click.option(
        "--level", type=Levels(), help="Of another kind of noise: one, or a range, e.g. 0:55."
    ),
    click.option("--amount", type=SHARES, help="Share of noise: 0.15, or a range, 0.05:0.95."),
    click.option(
        "--amount-exponent",
        type=click.FloatRange(0, min_open=True),
        help="Below 1: draw dense noise more often than sparse. [default: 1]",
    ),
    click.option("--salt-vs-pepper", type=SHARE, help="Share of the noise that is white."),
    click.option("--reconstruction", type=click.Choice(get_args(Reconstruction)), help="Loss."),
    click.option(
        "--learning-rate", type=click.FloatRange(0, min_open=True), help="The generator's."
    ),
    click.option(
        "--ema", type=click.FloatRange(0, 1, True, True), help="Average weights, e.g. 0.999."
    ),
    click.option(
        "--patch-size", type=click.IntRange(16), help="Height and width of training patches."
    ),
    click.option(
        "--saturate",
        type=SHARE,
        help="Share of patches to expose wrongly, for pictures with white or black areas.",
    ),
    click.option(
        "--pages",
        type=SHARE,
        help="Share of patches to cut from made-up text, screens and drawings, so that these are "
        "restored, too.",
    ),
    click.option("--color", "channels", flag_value=3, type=int, help="Restore colour."),
    click.option("--grey", "channels", flag_value=1, type=int, help="Restore grey. [default]"),
    click.option(
        "--limit", type=click.IntRange(1), help="Use at most so many images of each split."
    ),
    click.option("--keep-duplicates", is_flag=True, default=None, help="Keep repeated images."),
    click.option(
        "--mixed-precision",
        type=click.Choice(["float16", "bfloat16"]),
        help="Compute in 16 bits: faster on GPUs, TPUs and some processors.",
    ),
)


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options that decide how a network is trained."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def recipe(
    preset: str | None, config_file: Path | None, settings: Sequence[str], changes: dict[str, Any]
) -> tuple[RunConfig, str | None]:
    """Makes the configuration that options describe, and finds the fingerprint of its data."""
    config, fingerprint = PRESETS[preset or DEFAULT], None
    if config_file is not None:
        if preset is not None:
            raise click.UsageError("give --preset or --config, not both")
        if config_file.is_dir():
            config_file = config_file / "config.json"
        if config_file.suffix.lower() == ".toml":
            config = read_recipe(config_file)
        elif config_file.is_file() and not is_record(config_file):
            raise ModelError(f"{config_file} is no config.json of a run, and no recipe in .toml")
        else:
            config, fingerprint = read_record(config_file)
    return changed(config, settings, changes), fingerprint


def changed(config: RunConfig, settings: Sequence[str], changes: dict[str, Any]) -> RunConfig:
    """Puts options in the place of what a configuration says, and settings in that of both.

    All at a time: some are legal beside others alone.
    """
    if {"amount", "level"} <= changes.keys():
        raise click.UsageError("--amount and --level are one thing; give one of them")
    noise = noise_like(config.noise, changes.get("kind"))
    if _OF_SALT_AND_PEPPER & changes.keys():
        as_salt_and_pepper(noise)
    given: dict[str, Any] = {} if noise is config.noise else {"noise": noise.to_dict()}
    for name, value in changes.items():
        part, _, field = _FIELDS.get(name, name).rpartition(".")
        owner = given.setdefault(part, {}) if part else given
        owner[field] = str(value) if isinstance(value, Path) else value
    try:
        config = config.with_settings(settings, given)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    config = config.replace(data__source=resolve_source(config.data.source))
    return config if config.start is None else _starting(config, config.start)


def _starting(config: RunConfig, start: str) -> RunConfig:
    """Makes the start mean the same from any folder, and the network have room for its weights."""
    if not (path := find_model(start)).exists():
        raise ModelError(f"there is no model {start} to start from")
    network = config.generator
    if (record := training_record(path)) is not None:
        network = network.with_room_for(parse_record(record, path)[0].generator)
    return config.replace(start=saved_name(path) or str(path.resolve()), generator=network)
