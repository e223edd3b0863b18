"""kerasgan export."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import click

from kerasgan.cli.options import (
    MODEL,
    PATH,
    SEED,
    SIZE,
    overwrite_option,
    read_bundle,
    resolve_source,
    sharpness_option,
    start,
)
from kerasgan.config import RunConfig
from kerasgan.errors import DataError, ModelError
from kerasgan.presets import PRESETS
from kerasgan.store.record import parse_record
from kerasgan.tflite import NUMBERS, QUANTIZATIONS

# More sizes, so that pictures are not cut into patches, where calibration pictures allow them.
_TILES = (256, 256), (512, 512)


@click.command()
@click.argument("model", type=MODEL)
@click.option("--tflite", is_flag=True, required=True, help="The format; the only one so far.")
@click.option(
    "--quantize",
    "quantizations",
    type=click.Choice([*QUANTIZATIONS, "all"]),
    multiple=True,
    help="Repeatable. [default: all that restore as Keras does]",
)
@click.option(
    "--size",
    "sizes",
    type=SIZE,
    multiple=True,
    help="Pictures' height and width; repeatable. [default: a bundle's own; else the training "
    "patches', and 256x256 and 512x512 where a calibration picture is at least half of that]",
)
@click.option("--dynamic", is_flag=True, help="Also a file that takes any size, more slowly.")
@click.option(
    "--calibration",
    metavar="SOURCE",
    help="Clean pictures to calibrate and check with. [default: what the run was trained with; for "
    "a bundle, where that is not here, scikit-image's photographs]",
)
@click.option(
    "--io",
    "numbers",
    type=click.Choice(NUMBERS),
    default="uint8",
    show_default=True,
    help="What the int8 file takes and gives: pixels, pixels less 128, or shares.",
)
@sharpness_option
@click.option(
    "--subject",
    help="What the training pictures show, such as faces: for the model card and kerasgan models.",
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
    help="Round weights to 9 significant bits: of the Keras file, two fifths are left.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the calibration.")
@click.option(
    "-o", "--output", type=PATH, help="The folder. [default: here, MODEL's name + _tflite]"
)
@click.option(
    "--web",
    type=PATH,
    metavar="DIR",
    help="Also write a page that restores pictures in a browser, for any server of files.",
)
@click.option(
    "--web-with",
    "others",
    type=MODEL,
    multiple=True,
    help="Another bundle, or name, that people can choose on the page; repeatable.",
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
    sharpness: float,
    subject: str | None,
    notes: TextIO | None,
    compact: bool,
    seed: int,
    output: Path | None,
    web: Path | None,
    others: tuple[Path, ...],
    overwrite: bool,
) -> None:
    """Turn the generator of MODEL into checked TFLite files, in a folder with all about them.

    MODEL is a run folder, a .keras file, a bundle, or the name of a model that comes with kerasgan,
    of which the precisions that it comes without are made.
    """
    start()
    from kerasgan.data.pipeline import with_pages
    from kerasgan.model.loading import load_generator
    from kerasgan.store.bundle import Bundle, check_replaceable, is_bundle, training_record
    from kerasgan.store.page import check_page, runnable, write_page
    from kerasgan.store.purpose import removed_noise
    from kerasgan.tflite.convert import check_sizes
    from kerasgan.tflite.export import export_bundle

    whole = model.resolve()
    output = output or Path((whole.name if whole.is_dir() else whole.stem) + "_tflite")
    check_replaceable(output, overwrite=overwrite)
    if web is not None:
        check_page(web, overwrite=overwrite)
        if web.resolve() == output.resolve():
            raise click.UsageError("--web and --output need a folder each")
        if numbers == "int8" and quantizations == ("int8",):
            raise click.UsageError("browsers run no int8 file of --io int8; leave that out")
    elif others:
        raise click.UsageError("--web-with goes with --web")
    beside = [read_bundle(other) for other in others]
    for other in beside:
        runnable(other)
    generator = load_generator(model, sharpness)
    check_sizes(generator, sizes)
    record = training_record(model)
    config, fingerprint, noise = PRESETS["selective"], None, removed_noise(model)
    if record is not None:
        config, fingerprint = parse_record(record, model)
    source = config.data.source if calibration is None else resolve_source(calibration)
    own = Bundle.read(model).manifest if is_bundle(model) else {}
    channels = generator.input_shape[-1]
    source, images = _pictures(
        source, config, channels, named=calibration is not None, elsewhere=bool(own)
    )
    # What training did not see is known of the very images that it was given alone.
    known = fingerprint == images.fingerprint()
    chosen = QUANTIZATIONS if not quantizations or "all" in quantizations else quantizations

    def leave_out(error: ModelError) -> None:
        click.echo(f"Left out: {error}")

    try:
        bundle = export_bundle(
            generator,
            output,
            quantizations=tuple(name for name in QUANTIZATIONS if name in chosen),
            sizes=tuple(dict.fromkeys(sizes or _sizes(own, config, images.train))),
            any_size=dynamic,
            calibration=with_pages(
                images.train,
                config.data.pages,
                patch_size=config.data.patch_size,
                seed=config.seed,
            ),
            source=source,
            held_out=images.held_out if len(images.held_out) else images.train,
            noise=noise,
            unseen=known and len(images.held_out) > 0,
            numbers=numbers,
            seed=seed,
            record=record,
            subject=subject or own.get("subject"),
            notes=_read(notes),
            # A bundle that was exported at another sharpness has that one alone.
            sharpness=own.get("sharpness", 1.0) if sharpness == 1.0 else sharpness,
            faithful=_faithful(model) if sharpness == 1.0 else None,
            compact=compact,
            overwrite=overwrite,
            on_step=lambda step: click.echo(f"Making and checking {step}"),
            on_poor=None if quantizations else leave_out,
        )
    except KeyboardInterrupt:
        raise click.ClickException("interrupted; nothing was written") from None
    _tell(bundle)
    click.echo(f"\nRestore pictures with: kerasgan denoise PICTURE --model {output}")
    if web is not None:
        write_page([bundle, *beside], web, overwrite=overwrite)
        click.echo(f"{web} holds the page; put it on any server that has https")


def _sizes(own: Mapping[str, Any], config: RunConfig, images: Any) -> tuple[tuple[int, int], ...]:
    """The sizes of files that nobody named: those of a bundle, or of patches and tiles."""
    from kerasgan.tflite.calibration import fitting

    if signatures := own.get("signatures"):
        return tuple((height, width) for height, width in signatures.values())
    patch = (config.data.patch_size, config.data.patch_size)
    return (patch, *(tile for tile in _TILES if fitting(images, tile)))


def _tell(bundle: Any) -> None:
    """Says how well each file restores."""
    noise = bundle.noise
    click.echo("\nPSNR in dB, a picture counting at most 45, and how far it is from Keras'")
    for name, entry in bundle.manifest["files"].items():
        psnr = "  ".join(
            f"{noise.label(float(level))}: {result['file']:.2f} "
            f"({result['file'] - result['keras']:+.3f})"
            for level, result in entry["psnr"].items()
        )
        click.echo(f"{name:9} {entry['bytes'] / 1000:8,.0f} kB   {psnr}")


def _pictures(
    source: str, config: RunConfig, channels: int, *, named: bool, elsewhere: bool
) -> tuple[str, Any]:
    """Loads clean pictures; bundles go to places where those of their training are not."""
    from kerasgan.data.sources import BUNDLED, load_images

    data = config.data
    options: dict[str, Any] = {
        "channels": channels,
        "seed": config.split_seed,
        "keep_duplicates": data.keep_duplicates,
    }
    try:
        return source, load_images(source, limit=None if named else data.limit, **options)
    except DataError as error:
        if named:
            raise
        if not elsewhere:
            raise DataError(f"{error}; or name clean pictures with --calibration") from error
        click.echo(
            f"Note: {error}; calibrating and checking with the photographs that come with "
            "scikit-image, or name others with --calibration"
        )
        return BUNDLED, load_images(BUNDLED, **options)


def _faithful(model: Path) -> Path | None:
    """Finds the faithful end of a model, and says so where it is gone."""
    from kerasgan.store.faithful import find_faithful

    faithful = find_faithful(model)
    if faithful is None or faithful.exists():
        return faithful
    click.echo(
        f"Note: {faithful}, from which {model} was fine-tuned, is not there any more, so the "
        "bundle's sharpness will be fixed"
    )
    return None


def _read(notes: TextIO | None) -> str:
    if notes is None:
        return ""
    try:
        return notes.read()
    except UnicodeDecodeError as error:
        raise DataError(f"{notes.name} is no text in UTF-8: {error}") from error
