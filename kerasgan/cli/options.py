"""What several commands share: types of options, starting TensorFlow, telling what was loaded."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerasgan.images.formats import MAX_PIXELS
from kerasgan.noise.base import Noise
from kerasgan.noise.kinds import noise_of
from kerasgan.noise.salt_and_pepper import SaltAndPepper

if TYPE_CHECKING:
    from kerasgan.store.bundle import Bundle


class Share(click.ParamType[Any]):
    """A share of pixels, or a range of shares: "0.15" or "0.05:0.95"."""

    name = "share"

    def __init__(self, *, ranges: bool):
        self._ranges = ranges

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str):
            return value
        low, colon, high = value.partition(":")
        try:
            amount = float(low), float(high if colon else low)
        except ValueError:
            self.fail(f"{value!r} is no number" + (" and no LOW:HIGH" if self._ranges else ""))
        if colon and not self._ranges:
            self.fail(f"{value!r} is a range; give one number, as often as you like")
        if not 0.0 <= amount[0] <= amount[1] <= 1.0:
            self.fail(
                f"{value!r} must lie between 0 and 1" + (", the lower first" if colon else "")
            )
        return amount if self._ranges else amount[0]


class Levels(click.ParamType[Any]):
    """A level of noise in its own unit, or a range of levels: "25" or "0:55"."""

    name = "level"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str):
            return value
        low, colon, high = value.partition(":")
        try:
            return float(low), float(high if colon else low)
        except ValueError:
            self.fail(f"{value!r} is no number and no LOW:HIGH")


class Size(click.ParamType[Any]):
    """A height and a width in pixels: "480x640"."""

    name = "HxW"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str):
            return value
        match = re.fullmatch(r"([1-9]\d{0,4})[x×]([1-9]\d{0,4})", value)
        if match is None:
            self.fail(f"{value!r} is no size; write height and width like 480x640")
        height, width = int(match[1]), int(match[2])
        if height * width > MAX_PIXELS:
            self.fail(f"{value!r} is more than {MAX_PIXELS:,} pixels")
        return height, width


class NamedPath(click.Path):
    """A path with a name: an empty one, as of a variable that is not set, would be this folder."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value == "":
            self.fail("it is empty; the current folder is named by a dot")
        if value == "-":
            self.fail("pictures and models are files and folders; nothing is piped")
        return super().convert(value, param, ctx)


class ModelPath(click.ParamType[Any]):
    """The path of a model, or the name of one that comes with kerasgan."""

    name = "model"

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:
        from kerasgan.store.zoo import find_model

        return find_model(PATH.convert(value, param, ctx))


# Baselines, as many as there are.
ALL = "all"
PATH, SOURCE, MODEL = NamedPath(path_type=Path), NamedPath(), ModelPath()


class Baselines(click.ParamType[Any]):
    """Names of baselines, separated by commas; "none"; or "all", which depends on the noise."""

    name = "names"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str):
            return value
        from kerasgan.measure.baselines import BASELINES

        known = {_plain(name): name for name in BASELINES}
        if value in (ALL, "none"):
            return value if value == ALL else ()
        asked = [_plain(name) for name in value.split(",")]
        for name in asked:
            if name not in known:
                self.fail(f"{name!r} is none of all, none, {', '.join(known)}")
        return tuple(known[name] for name in dict.fromkeys(asked))


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "-").replace("×", "x")


def level_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options that say at which levels of noise to measure."""
    amount = click.option(
        "--amount", "amounts", type=SHARE, multiple=True, help="Share of noise; repeatable."
    )
    level = click.option(
        "--level",
        "levels",
        type=float,
        multiple=True,
        help="Level of another kind of noise; repeatable.",
    )
    return amount(level(command))


def as_salt_and_pepper(noise: Noise) -> SaltAndPepper:
    """Refuses options that mean nothing to other kinds of noise."""
    if not isinstance(noise, SaltAndPepper):
        raise click.UsageError(
            f"--amount and --salt-vs-pepper are for salt and pepper; this is {noise.title}: "
            "its levels are named by --level"
        )
    return noise


def noise_like(own: Noise, kind: str | None) -> Noise:
    """The noise that an option asks for; another kind than one's own takes nothing over from it."""
    if kind is None or kind == own.kind:
        return own
    chosen = noise_of(kind)
    return chosen(chosen.calibration_range)


def chosen_levels(
    noise: Noise, amounts: tuple[float, ...], levels: tuple[float, ...], option: str = "--level"
) -> tuple[float, ...]:
    """Checks the levels that an option took; without any, takes those that are reported."""
    if amounts:
        as_salt_and_pepper(noise)
    for level in levels:
        try:
            noise.at(level)
        except ValueError as error:
            raise click.UsageError(f"{option}: {error}") from error
    return tuple(dict.fromkeys(amounts + levels)) or noise.reported_levels


SHARE, SHARES = Share(ranges=False), Share(ranges=True)
SIZE, SEED = Size(), click.IntRange(0, 2**32 - 1)

sharpness_option = click.option(
    "--sharpness",
    type=SHARE,
    metavar="S",
    default=1.0,
    show_default=True,
    help="Of a GAN that was fine-tuned from a faithful model: from 0, nearest to the truth, to 1, "
    "with the details that look natural.",
)
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace what stands there.")


def start(find_devices: Callable[[], Any] | None = None) -> Any:
    """Starts TensorFlow; commands call this before they import what needs it."""
    import kerasgan.model  # noqa: F401  Refuses other backends before Keras fails on them.
    from kerasgan.startup import start_tensorflow

    return start_tensorflow(find_devices)


def resolve_source(source: str) -> str:
    """Makes a data source that is a path absolute, so that it means the same from any folder."""
    from kerasgan.data.sources import BUNDLED, CATALOG

    named = source == BUNDLED or source.startswith(CATALOG)
    return source if named or not Path(source).exists() else str(Path(source).resolve())


def describe(source: str, images: Any, hint: str = "") -> None:
    """Tells how many images a source holds, and how many were dropped."""
    click.echo(
        f"{source}: {len(images.train):,} images to train on, "
        f"{len(images.validation):,} to validate, {len(images.test):,} to test"
    )
    if images.dropped_train or images.dropped_held_out:
        click.echo(
            f"Dropped {images.dropped_train:,} repeated training images and "
            f"{images.dropped_held_out:,} held-out images that stand in training{hint}"
        )
    if images.skipped:
        count = len(images.skipped)
        click.echo(f"Left out {count} image file{'s' * (count > 1)}: {'; '.join(images.skipped)}")


def read_bundle(model: Path) -> "Bundle":
    """Reads the manifest of a bundle; of anything else, says how to make one."""
    from kerasgan.errors import ModelError
    from kerasgan.store.bundle import Bundle, is_bundle

    if not model.exists():
        raise ModelError(f"there is no bundle {model}")
    if not is_bundle(model):
        raise ModelError(
            f"{model} is no bundle; make one with: kerasgan export {model} --tflite -o bundle"
        )
    return Bundle.read(model)
