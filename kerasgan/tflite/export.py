"""From a trained generator to a bundle, every file of which has shown what it must."""

import importlib.metadata
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from kerasgan.data.bundled import load_bundled
from kerasgan.data.clean import ImageSet
from kerasgan.errors import ModelError
from kerasgan.images.contact_sheet import save_comparison
from kerasgan.images.pictures import Picture, write_picture
from kerasgan.images.pixels import Pixels, from_float, to_float
from kerasgan.model.blending import faithful_weights
from kerasgan.model.cost import cost
from kerasgan.model.loading import load_generator
from kerasgan.model.promises import Promises, promises
from kerasgan.noise.base import Noise
from kerasgan.noise.noisy import noisy_image
from kerasgan.restore.files import load_files
from kerasgan.restore.litert import AXES, INPUT, OUTPUT, TFLiteModel, overlap
from kerasgan.restore.restorer import Restorer
from kerasgan.store.bundle import (
    CARD,
    FAITHFUL,
    KERAS,
    MANIFEST,
    SAMPLES,
    Bundle,
    check_replaceable,
    hash_of,
)
from kerasgan.store.files import atomic_folder
from kerasgan.store.zoo import find_model, saved_name
from kerasgan.tflite import QUANTIZATIONS, checks
from kerasgan.tflite.calibration import calibration_pictures, check_fitting, count_pictures
from kerasgan.tflite.card import write_card
from kerasgan.tflite.convert import check_sizes, convert, signature_names

ANY_SIZE = "any-size"
_VERSIONED = ("kerasgan", "tensorflow", "keras", "ai-edge-litert", "numpy")
_SAMPLE_SIZE = 128


def export_bundle(
    generator: Any,
    path: Path | str,
    *,
    noise: Noise,
    calibration: ImageSet,
    held_out: ImageSet,
    source: str,
    quantizations: Sequence[str] = QUANTIZATIONS,
    sizes: Sequence[tuple[int, int]] = ((48, 48),),
    any_size: bool = False,
    unseen: bool = False,
    numbers: str = "uint8",
    seed: int = 0,
    record: dict[str, Any] | None = None,
    subject: str | None = None,
    notes: str = "",
    sharpness: float = 1.0,
    faithful: Path | str | None = None,
    compact: bool = False,
    overwrite: bool = False,
    on_step: Callable[[str], None] = lambda step: None,
    on_poor: Callable[[ModelError], None] | None = None,
) -> Bundle:
    """Converts, checks and writes a generator.

    Args:
        generator: the Keras model.
        path: the folder to make.
        noise: what the generator undoes.
        calibration: clean images by which "int8" chooses its ranges.
        held_out: clean images on which the files are compared with Keras.
        source: what those images are called in the manifest.
        quantizations: which of `tflite.QUANTIZATIONS`.
        sizes: heights and widths that the files take, in pixels; each is a signature.
        any_size: whether to write a float32 file that takes any size, too.
        unseen: whether it is known that training did not see those.
        numbers: what "int8" takes and gives; see `convert.convert`.
        seed: decides the calibration pictures.
        record: the content of the training run's config.json, where there is one.
        subject: what the pictures show that it was trained on, such as "faces".
        notes: Markdown for the end of the model card.
        sharpness: that of `generator`, from 0, faithful, to 1, as it was trained; for the manifest.
        faithful: what `load_generator` takes: the generator that this one was fine-tuned from, so
            that the bundle's sharpness can be changed. A model that comes with kerasgan is named in
            the manifest, any other is copied.
        compact: whether to round weights first, which leaves two fifths of the Keras file.
        overwrite: whether a bundle that stands at `path` may be replaced.
        on_step: told what begins.
        on_poor: told of each precision that does not restore as Keras does, which is then left out;
            None makes that an error.

    Returns:
        The bundle.

    Raises:
        ModelError: if the generator does not take a size, a file does not pass a check, no file is
            left, or `faithful` is no network of the same shape.
        DataError: if "int8" has no calibration picture of at least half a size.
        OutputError: if the folder cannot be written.
    """
    path = Path(path)
    check_sizes(generator, sizes)
    check_replaceable(path, overwrite=overwrite)
    if "int8" in quantizations:
        # That they do shows here, and not after the minutes that other precisions take.
        for size in sizes:
            check_fitting(calibration, size)
    promised = promises(generator)
    if compact:
        generator = _with_short_weights(generator)
    with atomic_folder(path) as folder:
        _save_keras(generator, folder / KERAS)
        pairs = checks.held_out_pairs(held_out, sizes[0], noise)
        end = None if faithful is None else _keep_end(faithful, generator, folder, compact=compact)
        keras_psnr = checks.psnrs(Restorer(generator), pairs)
        files = {}
        for name in (*quantizations, *([ANY_SIZE] if any_size else [])):
            on_step(name)
            quantization = "float32" if name == ANY_SIZE else name
            content = convert(
                generator,
                quantization,
                sizes=None if name == ANY_SIZE else sizes,
                calibration=lambda size: calibration_pictures(calibration, size, noise, seed=seed),
                numbers=numbers,
            )
            file = folder / f"{name}.tflite"
            file.write_bytes(content)
            model = TFLiteModel(file, multiple=promised.multiple)
            try:
                psnr = _compared(model, quantization, noise, pairs, keras_psnr)
            except ModelError as error:
                if on_poor is None:
                    raise
                on_poor(error)
                file.unlink()
                continue
            files[name] = {
                **_entry(file),
                **_checked(
                    model, quantization, generator.count_params(), exact=promised.certain_exact
                ),
                "psnr": psnr,
            }
        if not files:
            raise ModelError("no precision restores as Keras does")
        manifest = {
            "version": 1,
            **_interface(generator.input_shape[-1], promised, sizes),
            "cost": asdict(cost(generator)),
            "noise": noise.to_dict(),
            "files": files,
            "generator": _entry(folder / KERAS),
            "sharpness": sharpness,
            "faithful": end,
            "subject": subject,
            "checked": {"source": _name(source), "unseen": unseen},
            "calibration": {
                "source": _name(source),
                "pictures": sum(map(count_pictures, sizes)),
                "levels": list(noise.calibration_range),
                "seed": seed,
            }
            if "int8" in files
            else None,
            "versions": {name: importlib.metadata.version(name) for name in _VERSIONED},
            "training": _portable(record),
        }
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        bundle = Bundle.read(folder)
        on_step("samples")
        _write_samples(bundle, generator, noise)
        write_card(folder / CARD, manifest, notes)
    return Bundle.read(path)


def _interface(
    channels: int, promised: Promises, sizes: Sequence[tuple[int, int]]
) -> dict[str, Any]:
    """What a program must know to run the files."""
    signatures = signature_names(sizes)
    return {
        "signatures": {name: list(size) for name, size in signatures.items()},
        "input": INPUT,
        "output": OUTPUT,
        "layout": "NHWC",
        "axes": list(AXES),
        "channels": channels,
        "range": [0.0, 1.0],
        "multiple": promised.multiple,
        "overlap": {
            name: overlap(size, promised.multiple, promised.reach)
            for name, size in signatures.items()
        },
        "reach": promised.reach,
        "certain_pixels_exact": promised.certain_exact,
    }


def _keep_end(
    faithful: Path | str, generator: Any, folder: Path, *, compact: bool
) -> dict[str, Any]:
    """Keeps the faithful end of a generator, or where it is; returns its entry in the manifest."""
    end = load_generator(faithful)
    # That they fit shows here, and not when somebody turns the knob.
    faithful_weights(end, generator)
    if (name := saved_name(find_model(faithful))) is not None:
        return {"model": name}
    _save_keras(_with_short_weights(end) if compact else end, folder / FAITHFUL)
    return _entry(folder / FAITHFUL)


def _with_short_weights(generator: Any) -> Any:
    """Rounds weights to 9 significant bits; the zeros behind them compress away."""
    import keras

    short = keras.models.clone_model(generator)
    short.set_weights(
        [
            np.ldexp(np.rint(np.ldexp(significand, 9)), exponent - 9).astype(np.float32)
            for significand, exponent in map(np.frexp, generator.get_weights())
        ]
    )
    return short


def _save_keras(generator: Any, path: Path) -> None:
    """Saves a model in fewer bytes: Keras itself stores its parts as they are."""
    generator.save(path)
    with zipfile.ZipFile(path) as stored:
        parts = {name: stored.read(name) for name in stored.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as compressed:
        for name, content in parts.items():
            compressed.writestr(name, content)


def _checked(model: TFLiteModel, quantization: str, weights: int, *, exact: bool) -> dict[str, Any]:
    """Runs the checks that need no pictures, and describes the file for the manifest."""
    name = model.path.name
    signatures = len(model.sizes) or 1
    checks.check_size(name, model.path.stat().st_size, quantization, weights, signatures)
    checks.check_values(name, model, exact=exact)
    found = checks.placement(model)
    # An 8-bit classic ends in an operator that XNNPACK does not have; the card names it.
    whole = not exact and bool(model.sizes) and quantization != "int8"
    checks.check_operators(name, found, whole=whole)
    return {
        "input": asdict(model.input),
        "output": asdict(model.output),
        "xnnpack": asdict(found),
    }


def _compared(
    model: TFLiteModel,
    quantization: str,
    noise: Noise,
    pairs: dict[float, list[tuple[Pixels, Pixels]]],
    keras_psnr: dict[float, Pixels],
) -> dict[str, dict[str, float]]:
    """Checks that a file restores as Keras does, and says for the manifest how both do."""
    own_psnr = checks.psnrs(Restorer(model), pairs)
    checks.check_quality(model.path.name, own_psnr, keras_psnr, quantization, noise)
    return {
        str(level): {
            "file": round(checks.capped_mean(own), 4),
            "keras": round(checks.capped_mean(keras_psnr[level]), 4),
        }
        for level, own in own_psnr.items()
    }


def _portable(record: dict[str, Any] | None) -> dict[str, Any] | None:
    """Leaves out where the data lay on the machine that trained: a bundle goes elsewhere."""
    if record is None:
        return None
    config = record["config"]
    data = {**config["data"], "source": _name(config["data"]["source"])}
    config = {**config, "data": data}
    if config.get("start"):
        config["start"] = Path(config["start"]).name
    return {**record, "config": config}


def _name(source: str) -> str:
    return Path(source).name if Path(source).exists() else source


def _entry(file: Path) -> dict[str, Any]:
    return {"file": file.name, "bytes": file.stat().st_size, "sha256": hash_of(file)}


def _write_samples(bundle: Bundle, generator: Any, noise: Noise) -> None:
    """Writes a noisy picture, and what Keras and each file make of it."""
    photograph = load_bundled(generator.input_shape[-1], None).test.images[0]
    top, left = ((extent - _SAMPLE_SIZE) // 2 for extent in photograph.shape[:2])
    clean = photograph[top : top + _SAMPLE_SIZE, left : left + _SAMPLE_SIZE]
    level = noise.checked_levels[len(noise.checked_levels) // 2]
    noisy = from_float(noisy_image(to_float(clean), noise.at(level)), np.uint8)
    pictures = {"clean": clean, "noisy": noisy, "keras": Restorer(generator)(noisy)}
    pictures |= {name: Restorer(model)(noisy) for name, model in load_files(bundle)}
    for name, pixels in pictures.items():
        write_picture(bundle.path / SAMPLES / f"{name}.png", Picture(pixels))
    columns = {name: [to_float(pixels)] for name, pixels in pictures.items()}
    save_comparison(bundle.path / SAMPLES / "comparison.png", columns, inches=_SAMPLE_SIZE / 120)
