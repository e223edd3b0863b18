"""kerasgan export."""

import re
from pathlib import Path
from typing import Any, TextIO

import click

from kerasgan.cli.options import MODEL, PATH, SEED, overwrite_option, resolve_source, start
from kerasgan.config import parse_record
from kerasgan.errors import DataError
from kerasgan.presets import PRESETS
from kerasgan.tflite import NUMBERS, QUANTIZATIONS

# A second size, so that pictures are not cut into patches, where calibration pictures have it.
_TILE = (256, 256)


class Size(click.ParamType[Any]):
    """A height and a width in pixels: "480x640"."""

    name = "HxW"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str):
            return value
        match = re.fullmatch(r"([1-9]\d{0,4})[x×]([1-9]\d{0,4})", value)
        if match is None:
            self.fail(f"{value!r} is no size; write height and width like 480x640")
        return int(match[1]), int(match[2])


SIZE = Size()


@click.command()
@click.argument("model", type=MODEL)
@click.option("--tflite", is_flag=True, required=True, help="The format; the only one so far.")
@click.option(
    "--quantize",
    "quantizations",
    type=click.Choice([*QUANTIZATIONS, "all"]),
    multiple=True,
    help="Repeatable. [default: all]",
)
@click.option(
    "--size",
    "sizes",
    type=SIZE,
    multiple=True,
    help="Pictures' height and width; repeatable. [default: the training patches', and 256x256 "
    "where calibration pictures are that large]",
)
@click.option("--dynamic", is_flag=True, help="Also a file that takes any size, more slowly.")
@click.option(
    "--calibration",
    metavar="SOURCE",
    help="Clean pictures to calibrate and check with. [default: what the run was trained with]",
)
@click.option(
    "--io",
    "numbers",
    type=click.Choice(NUMBERS),
    default="uint8",
    show_default=True,
    help="What the int8 file takes and gives: pixels, pixels less 128, or shares.",
)
@click.option(
    "--notes",
    metavar="FILE",
    type=click.File(encoding="utf-8"),
    help="Markdown for the end of the model card: results, provenance, licence.",
)
@click.option(
    "--compact",
    is_flag=True,
    help="Round weights to 11 significant bits: the Keras file shrinks by a third.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the calibration.")
@click.option(
    "-o", "--output", type=PATH, help="The folder. [default: here, MODEL's name + _tflite]"
)
@overwrite_option
def export(
    model: Path,
    tflite: bool,
    quantizations: tuple[str, ...],
    sizes: tuple[tuple[int, int], ...],
    dynamic: bool,
    calibration: str | None,
    numbers: str,
    notes: TextIO | None,
    compact: bool,
    seed: int,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Turn the generator of MODEL, a run folder or .keras file, into checked TFLite files."""
    start()
    from kerasgan.data.sources import load_images
    from kerasgan.model.loading import load_generator
    from kerasgan.store.bundle import check_replaceable, training_record
    from kerasgan.tflite.convert import check_sizes
    from kerasgan.tflite.export import export_bundle

    output = output or Path(model.resolve().stem + "_tflite")
    check_replaceable(output, overwrite=overwrite)
    generator = load_generator(model)
    check_sizes(generator, sizes)
    record = training_record(model)
    config, fingerprint = PRESETS["selective"], None
    if record is not None:
        config, fingerprint = parse_record(record, model)
    data = config.data
    source = data.source if calibration is None else resolve_source(calibration)
    try:
        images = load_images(
            source,
            channels=generator.input_shape[-1],
            seed=config.seed,
            limit=data.limit if calibration is None else None,
            keep_duplicates=data.keep_duplicates,
        )
    except DataError as error:
        if calibration is not None:
            raise
        raise DataError(f"{error}; or name clean pictures with --calibration") from error
    # What training did not see is known of the very images that it was given alone.
    known = calibration is None and fingerprint == images.fingerprint()
    if not sizes:
        patch = (data.patch_size, data.patch_size)
        large = any(min(image.shape[:2]) >= max(_TILE) for image in images.train)
        sizes = (patch, _TILE) if large else (patch,)
    chosen = QUANTIZATIONS if not quantizations or "all" in quantizations else quantizations
    try:
        bundle = export_bundle(
            generator,
            output,
            quantizations=tuple(name for name in QUANTIZATIONS if name in chosen),
            sizes=tuple(dict.fromkeys(sizes)),
            any_size=dynamic,
            calibration=images.train,
            source=source,
            held_out=images.held_out if len(images.held_out) else images.train,
            noise=config.noise,
            unseen=known and len(images.held_out) > 0,
            numbers=numbers,
            seed=seed,
            record=record,
            notes=_read(notes),
            compact=compact,
            overwrite=overwrite,
            on_step=lambda step: click.echo(f"Making and checking {step}"),
        )
    except KeyboardInterrupt:
        raise click.ClickException("interrupted; nothing was written") from None
    click.echo("\nPSNR in dB, a picture counting at most 45, and how far it is from Keras'")
    for name, entry in bundle.manifest["files"].items():
        psnr = "  ".join(
            f"{config.noise.label(float(level))}: {result['file']:.2f} "
            f"({result['file'] - result['keras']:+.3f})"
            for level, result in entry["psnr"].items()
        )
        click.echo(f"{name:9} {entry['bytes'] / 1000:8,.0f} kB   {psnr}")
    click.echo(f"\nRestore pictures with: kerasgan denoise PICTURE --model {output}")


def _read(notes: TextIO | None) -> str:
    if notes is None:
        return ""
    try:
        return notes.read()
    except UnicodeDecodeError as error:
        raise DataError(f"{notes.name} is no text in UTF-8: {error}") from error
