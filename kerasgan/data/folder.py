"""A folder of image files as clean images."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kerasgan.data.clean import CleanImages, ImageSet
from kerasgan.errors import DataError
from kerasgan.images import (
    SUFFIXES,
    Pixels,
    find_images,
    from_float,
    read_picture,
    to_float,
    with_channels,
)

_SPLITS = ("train", "validation", "test")
_NAMED_FAILURES = 5


def load_folder(
    folder: Path, *, channels: int = 1, seed: int = 0, limit: int | None = None
) -> CleanImages:
    """Loads the image files of a folder and its subfolders.

    Subfolders `train`, `validation` and `test` are taken as splits where there is a `train`;
    otherwise everything is `train`, for `CleanImages.with_held_out` to split.

    Args:
        folder: the folder.
        channels: 1 for grey, 3 for colour. Transparency is dropped; 16 bits are rounded to 8.
        seed: decides which images a limit keeps.
        limit: keep at most this many images of each split.

    Returns:
        The images, decoded, named by their paths below the folder.

    Raises:
        DataError: if there is no folder or no image in it, or naming the files that cannot be
            decoded.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}")
    splits = {name: find_images(folder / name) for name in _SPLITS if (folder / name).is_dir()}
    if "train" not in splits:
        splits = {"train": find_images(folder)}
    if not splits["train"]:
        raise DataError(f"{folder} holds no images to train on ({', '.join(SUFFIXES)})")
    draw = random.Random(seed)
    failures: list[str] = []
    images: dict[str, Any] = {}
    for name, paths in splits.items():
        if limit is not None and limit < len(paths):
            paths = draw.sample(paths, limit)
        images[name] = ImageSet.collect(_decode(folder, paths, channels, failures))
    if failures:
        named = "\n  ".join(failures[:_NAMED_FAILURES])
        more = "\n  …" if len(failures) > _NAMED_FAILURES else ""
        raise DataError(
            f"{len(failures)} of the image files in {folder} cannot be used; repair them or take "
            f"them out:\n  {named}{more}"
        )
    return CleanImages(**images)


def _decode(
    folder: Path, paths: Sequence[Path], channels: int, failures: list[str]
) -> Iterator[tuple[str, Pixels]]:
    for path in paths:
        try:
            pixels = read_picture(path).pixels
        except DataError as error:
            failures.append(str(error))
            continue
        if pixels.dtype != "uint8":
            pixels = from_float(to_float(pixels), "uint8")
        yield str(path.relative_to(folder)), with_channels(pixels, channels)
