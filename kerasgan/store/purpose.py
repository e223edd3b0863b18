"""What a model is for: the noise that it was made to remove."""

from pathlib import Path

from kerasgan.config import parse_record
from kerasgan.errors import ModelError
from kerasgan.noise.base import Noise
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.store.bundle import Bundle, is_bundle, training_record


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
