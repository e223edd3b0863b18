"""Any dataset of tensorflow-datasets that has an image feature."""

import tensorflow_datasets as tfds

from kerasgan.data import fer2013  # noqa: F401, registers the builder of that name
from kerasgan.data.clean import CleanImages
from kerasgan.data.prepared import load_prepared
from kerasgan.errors import DataError, first_line


def load_catalog(name: str, *, channels: int = 1, limit: int | None = None) -> CleanImages:
    """Loads a dataset by its tensorflow-datasets name, downloading it the first time.

    Args:
        name: as for `tfds.builder`, "mnist" or "oxford_flowers102:2.1.1".
        channels: 1 for grey, 3 for colour; transparency is dropped, 16 bits are rounded to 8.
        limit: keep at most this many images of each split.

    Returns:
        The first image feature of its splits train, validation (or val) and test.

    Raises:
        DataError: if there is no such dataset, or it has no train split, or no image feature.
    """
    try:
        builder = tfds.builder(name)
    except Exception as error:  # It asserts what it wants of names and versions.
        reason = first_line(error)
        raise DataError(f"tensorflow-datasets has no dataset {name!r}: {reason}") from error
    return load_prepared(builder, channels=channels, limit=limit)
