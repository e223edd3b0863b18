"""The model card of a bundle: what it is for, what it does, and what it does not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kerasgan.config import RunConfig
from kerasgan.decoding import decode
from kerasgan.noise.base import Noise
from kerasgan.store.bundle import KERAS
from kerasgan.store.files import write_text
from kerasgan.store.record import image_count
from kerasgan.tflite import QUANTIZATIONS


def write_card(path: Path, manifest: dict[str, Any], notes: str = "") -> None:
    """Writes a model card in Markdown.

    Args:
        path: the file.
        manifest: the content of the bundle's manifest.json; all figures are taken from it.
        notes: what only its maker knows, in Markdown; it becomes the end of the card.

    Raises:
        OutputError: if the file cannot be written.
    """
    lines = [*_lines(manifest), *(["", notes.strip()] if notes else [])]
    write_text(path, "\n".join(lines) + "\n")


def _lines(manifest: dict[str, Any]) -> Iterator[str]:
    noise = decode(Noise, manifest["noise"], "noise")
    colors = "colour" if manifest["channels"] == 3 else "grey"
    subject = f" in {manifest['subject']}" if manifest["subject"] else ""
    yield "# A restorer of noisy pictures\n"
    yield (
        f"It undoes {noise.title}{subject}. Its input is the noisy picture, {colors}, values 0 to "
        "255 standing for 0 to 1; its output is the restored one."
    )
    if manifest["certain_pixels_exact"]:
        yield (
            "\nPixels from 1 to 254 cannot be such noise and come back as they were, from every "
            "file here, bit by bit. The network decides on 0 and 255 alone."
        )
    yield from _sharpness(manifest)
    yield "\n![The sample, and what each file makes of it](samples/comparison.png)\n"
    yield "## Files\n"
    yield "| file | bytes | takes and gives | pieces in XNNPACK | operators outside |"
    yield "| --- | --- | --- | --- | --- |"
    for entry in manifest["files"].values():
        outside = sum(entry["xnnpack"]["outside"].values())
        yield (
            f"| {entry['file']} | {entry['bytes']:,} | {_numbers(entry['input'])} | "
            f"{entry['xnnpack']['partitions']} | {outside} |"
        )
    sizes = ", ".join(
        f"{height}×{width} (`{name}`)" for name, (height, width) in manifest["signatures"].items()
    )
    yield (
        f"\nSizes, height × width, with their signatures: {sizes}. Larger pictures are restored in "
        "overlapping tiles."
    )
    if "any-size" in manifest["files"]:
        yield f"`any-size.tflite` takes any multiple of {manifest['multiple']}, more slowly."
    yield from _cost(manifest.get("cost"))
    yield from _outside(manifest["files"])
    if missing := [name for name in QUANTIZATIONS if name not in manifest["files"]]:
        yield (
            f"\nOther precisions ({', '.join(missing)}) are made of {KERAS} by `kerasgan export "
            "FOLDER --tflite`, where FOLDER is this one, or its name in `kerasgan models`: those "
            "that restore as it does."
        )
    yield "\n## How well each file restores\n"
    levels = list(next(iter(manifest["files"].values()))["psnr"])
    yield "| file | " + " | ".join(noise.label(float(level)) for level in levels) + " |"
    yield "| --- |" + " --- |" * len(levels)
    for entry in manifest["files"].values():
        cells = (
            f"{result['file']:.2f} ({result['file'] - result['keras']:+.3f})"
            for result in (entry["psnr"][level] for level in levels)
        )
        yield f"| {entry['file']} | " + " | ".join(cells) + " |"
    checked = manifest["checked"]
    unseen = ", which training did not see" if checked["unseen"] else ""
    yield (
        "\nMean PSNR in dB, and the difference from the Keras model, on noisy pictures of the "
        f"first size, cut from images of {checked['source']}{unseen}; outputs rounded to 8 bits; a "
        "picture counts at most 45 dB. Measured by `kerasgan export` when it wrote this bundle; "
        "`kerasgan evaluate` measures whole images."
    )
    yield "\n## Training\n"
    if manifest["training"] is None:
        yield "Not known: the generator came without the record of its training run."
    else:
        yield from _training(manifest["training"])
    if calibration := manifest["calibration"]:
        low, high = map(noise.label, calibration["levels"])
        yield (
            f"\n8-bit ranges were chosen on {calibration['pictures']} noisy pictures, all sizes "
            f"together, {noise.title} of {low} to {high}, cut from "
            f"{Path(calibration['source']).name} (seed {calibration['seed']})."
        )
    yield "\n## Limits\n"
    if noise.kind == "salt-and-pepper":
        yield (
            "- Other noise, blur or compression stays.\n"
            "- JPEG spreads noise over its neighbours: restore before compressing."
        )
    yield (
        "- What was lost is guessed from what is left around it: a restored detail is plausible, "
        "not proven. Do not identify people or read evidence by it."
    )


def _sharpness(manifest: dict[str, Any]) -> Iterator[str]:
    if manifest["sharpness"] != 1.0:
        yield (
            f"\nExported at sharpness {manifest['sharpness']:g}: its weights lie between those of "
            "a faithful model (0) and of the same after adversarial training (1)."
        )
    if manifest["faithful"] is not None:
        yield (
            f"\nAfter adversarial training, with details that look natural. {KERAS} and what is "
            "exported of it can be made as faithful as you like: `--sharpness 0.5`, or 0, which "
            "restores as the model did before that training."
        )


def _training(record: dict[str, Any]) -> Iterator[str]:
    config = RunConfig.from_dict(record["config"])
    low, high = map(config.noise.label, config.noise.level)
    drawn = "" if config.noise.exponent == 1 else f", drawn by exponent {config.noise.exponent:g}"
    source = Path(config.data.source).name
    images = image_count(record)
    count = "" if images is None else f"{images:,} images, "
    weight = config.adversary.weight
    adversarial = f" + {weight:g} · adversarial loss" if weight else ""
    yield (
        f"- Data: {source}, {count}patches of {config.data.patch_size}×{config.data.patch_size}\n"
        f"- Noise: {config.noise.description}, {low}{'' if low == high else f' to {high}'}{drawn}\n"
        f"- Recipe: {config.generator.architecture}, {config.epochs} epochs, batches of "
        f"{config.batch_size}, {config.reconstruction.upper()}{adversarial}"
    )


def _numbers(tensor: dict[str, Any]) -> str:
    if not tensor["scale"]:
        return "float32 in [0, 1]"
    scale = f"1/{round(1 / tensor['scale'])}"
    return f"{tensor['dtype']}, scale {scale}, zero point {tensor['zero_point']}"


def _cost(cost: dict[str, Any] | None) -> Iterator[str]:
    if cost is None:
        return
    counted = cost["multiply_accumulates"]
    each = "" if counted is None else f", and {counted:,.0f} multiply-accumulates for each pixel"
    yield f"\nThe network has {cost['weights']:,} weights{each}, whatever runs it."


def _outside(files: dict[str, Any]) -> Iterator[str]:
    for entry in files.values():
        if outside := entry["xnnpack"]["outside"]:
            kinds = ", ".join(f"{count} {kind}" for kind, count in outside.items())
            yield f"\n{entry['file']}: TFLite's own kernels run {kinds}; XNNPACK runs the rest."
