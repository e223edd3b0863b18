"""The record of a training run: its config.json, or the same inside a bundle's manifest."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasgan.config import RunConfig
from kerasgan.decoding import require
from kerasgan.errors import ModelError, first_line
from kerasgan.store.files import holds_keys, read_json


def is_record(file: Path) -> bool:
    """Tells a config.json of a run, damaged or not, from those of other programs."""
    return holds_keys(file, ("config", "data", "fingerprint"))


def read_record(path: Path) -> tuple[RunConfig, str]:
    """Reads a config.json.

    Args:
        path: the file.

    Returns:
        The configuration, and the fingerprint of the data that it was used with.

    Raises:
        ModelError: if there is none, or it is damaged.
    """
    try:
        record = read_json(path)
    except FileNotFoundError as error:
        raise ModelError(f"there is no {path}, as a training run has one") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is damaged: {error}") from error
    return parse_record(record, path)


def image_count(record: Mapping[str, Any]) -> int | None:
    """How many images a training had, by its record; None where its data could not be counted."""
    count = record["data"].get("train")
    return count if isinstance(count, int) else None


def parse_record(record: Any, path: Path) -> tuple[RunConfig, str]:
    """Reads the content of a config.json.

    Args:
        record: dictionaries as JSON gives them.
        path: where they stand, for messages.

    Returns:
        The configuration, and the fingerprint of the data that it was used with.

    Raises:
        ModelError: if it is damaged.
    """
    try:
        fingerprint = record["data"]["fingerprint"]
        require(isinstance(fingerprint, str), "the fingerprint of its data is no text")
        return RunConfig.from_dict(record["config"]), fingerprint
    except (
        ValueError,
        LookupError,
        TypeError,
        ArithmeticError,
        AttributeError,
        RecursionError,
    ) as error:
        raise ModelError(f"{path} is damaged: {first_line(error)}") from error
