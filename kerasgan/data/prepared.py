"""Images of a tensorflow-datasets builder."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from kerasgan.data.clean import SPLIT_NAMES, CleanImages
from kerasgan.errors import DataError
from kerasgan.images.pixels import Pixels, as_bytes


def load_prepared(
    builder: tfds.core.DatasetBuilder, *, channels: int, limit: int | None
) -> CleanImages:
    """Reads the images of a builder, preparing them the first time.

    Args:
        builder: a tensorflow-datasets builder.
        channels: 1 for grey, 3 for colour.
        limit: keep at most this many images of each split.

    Returns:
        Its images.

    Raises:
        DataError: if it cannot be prepared, or has no train split or no image feature.
    """
    try:
        _prepare(builder)
    except Exception as error:  # Builders raise whatever their sources raise.
        raise _as_data_error(builder.name, error) from error
    features: Any = getattr(builder.info.features, "items", dict)()
    feature = next((key for key, it in features if isinstance(it, tfds.features.Image)), None)
    if feature is None:
        raise DataError(f"the dataset {builder.name} has no image feature")
    available = {
        split: next((key for key in keys if key in builder.info.splits), None)
        for split, keys in SPLIT_NAMES.items()
    }
    if available["train"] is None:
        raise DataError(f"the dataset {builder.name} has no images to train on")
    return CleanImages.from_splits(
        {
            split: _read(builder, key, feature, channels, limit)
            for split, key in available.items()
            if key is not None
        }
    )


def _prepare(builder: tfds.core.DatasetBuilder) -> None:
    try:
        builder.download_and_prepare()
    except Exception:
        # Another process, as of the same training, may have prepared it meanwhile.
        if not builder.data_path.exists():
            raise
        builder.download_and_prepare()


def _read(
    builder: Any, split: str, feature: str, channels: int, limit: int | None
) -> Iterator[tuple[str, Pixels]]:
    examples = builder.as_dataset(
        split=split, decoders=tfds.decode.PartialDecoding({feature: True})
    )
    if limit is not None:
        examples = examples.take(limit)
    # Images of one size are handed over many at a time, which is several times faster.
    one_size = None not in builder.info.features[feature].shape
    batches = examples.map(lambda example: example[feature]).batch(256 if one_size else 1)
    for number, pixels in enumerate(itertools.chain.from_iterable(tfds.as_numpy(batches))):
        if pixels.dtype not in (np.uint8, np.uint16):
            raise DataError(f"the images of {builder.name} are {pixels.dtype}, not 8 or 16 bits")
        opaque = pixels[..., : 3 if pixels.shape[-1] > 2 else 1]
        yield f"{split} {number}", as_bytes(opaque, channels)


def _as_data_error(name: str, error: BaseException) -> DataError:
    """Finds our own message below the layers that tensorflow-datasets puts around it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, DataError):
            return cause
        cause = cause.__cause__ or cause.__context__
    # In one line, because the instructions for manual downloads take several.
    return DataError(f"cannot prepare the dataset {name}: {' '.join(str(error).split())}")
