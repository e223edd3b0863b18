"""What a model is for: the noise that it was made to remove, and from which pictures."""

from collections.abc import Iterator
from pathlib import Path

from kerasgan.errors import ModelError
from kerasgan.noise.base import Noise
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.store.bundle import Bundle, is_bundle, training_record
from kerasgan.store.record import parse_record


def removed_noise(path: Path) -> Noise:
    """Finds which noise a model removes.

    Args:
        path: a run folder, a bundle, or a file in one of them.

    Returns:
        What the bundle or the run's config.json tells. Salt and pepper where nothing tells it, as
        of a lone file: until there was another kind, models were trained for nothing else.
    """
    return recorded_noise(path) or SaltAndPepper((0.0, 1.0))


def recorded_noise(path: Path) -> Noise | None:
    """Finds which noise a model is said to remove.

    Args:
        path: a run folder, a bundle, or a file in one of them.

    Returns:
        What the bundle or the run's config.json tells; None where nothing does.
    """
    folder = path if path.is_dir() else path.parent
    try:
        if is_bundle(folder):
            return Bundle.read(folder).noise
        record = training_record(path)
    except ModelError:
        return None  # Loading the model tells what is wrong with it.
    return None if record is None else parse_record(record, path)[0].noise


def knows_pages(path: Path) -> bool:
    """Tells whether a model leaves alone what is black and white on purpose.

    Args:
        path: a run folder, a bundle, or a file in one of them.

    Returns:
        Whether it learnt from pages, screens and drawings, too, by its configuration, and says of
        each value how likely it is noise; False where there is no configuration.
    """
    try:
        record = training_record(path)
    except ModelError:
        return False
    if record is None:
        return False
    config, _ = parse_record(record, path)
    return config.data.pages > 0 and config.generator.gated


def description(bundle: Bundle) -> str:
    """Tells what a bundle is for, such as "faces, grey, sharp".

    Args:
        bundle: any bundle.

    Returns:
        What its pictures show, their colours, and its side of faithful and sharp, if it is known.
    """
    manifest = bundle.manifest
    subject = manifest.get("subject") or "pictures"
    colors = "colour" if manifest["channels"] == 3 else "grey"
    return ", ".join([subject, colors, *_character(bundle)])


def _character(bundle: Bundle) -> Iterator[str]:
    manifest = bundle.manifest
    sharpness = manifest.get("sharpness", 1.0)
    if 0.0 < sharpness < 1.0:
        yield f"sharpness {sharpness:g}"
    elif sharpness and manifest.get("faithful") is not None:
        yield "sharp"
    elif not sharpness or manifest["training"] and not bundle.config.adversary.weight:
        yield "faithful"
