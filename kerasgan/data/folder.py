"""A folder of image files as clean images."""

import dataclasses
import functools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from kerasgan.data.clean import SPLIT_NAMES, CleanImages
from kerasgan.errors import DataError
from kerasgan.images.formats import SUFFIXES, find_images
from kerasgan.images.pictures import read_picture
from kerasgan.images.pixels import Pixels, as_bytes
from kerasgan.store.bundle import is_bundle
from kerasgan.store.record import is_record
from kerasgan.store.run_folder import RunFolder

_NAMED_FAILURES = 5
# The share of bad files above which something is wrong with the folder, and not with a file.
_TOLERATED_FAILURES = 0.01


def load_folder(
    folder: Path, *, channels: int = 1, seed: int = 0, limit: int | None = None
) -> CleanImages:
    """Loads the image files of a folder and its subfolders.

    Subfolders `train`, `validation` (or `val`) and `test` are taken as splits where they exist;
    where there is no `train`, everything outside the others is. Pictures of kerasgan's own, in run
    folders and bundles, are passed over.

    Args:
        folder: the folder.
        channels: 1 for grey, 3 for colour. Transparency is dropped; 16 bits are rounded to 8.
        seed: decides which images a limit keeps.
        limit: keep at most this many images of each split.

    Returns:
        The images, decoded, named by their paths below the folder. Files that cannot be decoded
        are left out, and named in `skipped`, as long as they are less than one in a hundred.

    Raises:
        DataError: if there is no folder or no image in it, or naming the files that cannot be
            decoded, or two folders of one split.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}")
    draw = random.Random(seed)
    failures: list[str] = []
    splits = {split: _limited(paths, limit, draw) for split, paths in _find_splits(folder).items()}
    images = CleanImages.from_splits(
        {split: _decode(folder, paths, channels, failures) for split, paths in splits.items()}
    )
    if len(failures) >= _TOLERATED_FAILURES * sum(map(len, splits.values())) and failures:
        named = "; ".join(failures[:_NAMED_FAILURES])
        more = "; …" if len(failures) > _NAMED_FAILURES else ""
        raise DataError(
            f"{len(failures)} of the image files in {folder} cannot be used; repair them or take "
            f"them out: {named}{more}"
        )
    return dataclasses.replace(images, skipped=tuple(failures))


def _find_splits(folder: Path) -> dict[str, list[Path]]:
    splits: dict[str, list[Path]] = {}
    for split, names in SPLIT_NAMES.items():
        existing = [folder / name for name in names if (folder / name).is_dir()]
        if len(existing) > 1:
            raise DataError(
                f"{folder} holds {' and '.join(path.name for path in existing)}, two names for one "
                "split; put all of it into one of them"
            )
        if existing:
            splits[split] = _find_clean(existing[0])
    if "train" not in splits:
        taken = {path for paths in splits.values() for path in paths}
        splits["train"] = [path for path in _find_clean(folder) if path not in taken]
    if not splits["train"]:
        raise DataError(f"{folder} holds no images to train on ({', '.join(SUFFIXES)})")
    return splits


def _find_clean(folder: Path) -> list[Path]:
    """Finds a folder's images, but for those that kerasgan wrote into folders of its own."""

    @functools.cache
    def is_own(below: Path) -> bool:
        if below == folder:
            return False
        return is_record(RunFolder(below).config) or is_bundle(below) or is_own(below.parent)

    return [path for path in find_images(folder) if not is_own(path.parent)]


def _limited(paths: list[Path], limit: int | None, draw: random.Random) -> list[Path]:
    return paths if limit is None or limit >= len(paths) else draw.sample(paths, limit)


def _decode(
    folder: Path, paths: Sequence[Path], channels: int, failures: list[str]
) -> Iterator[tuple[str, Pixels]]:
    for path in paths:
        try:
            pixels = read_picture(path).pixels
        except DataError as error:
            failures.append(str(error))
            continue
        yield str(path.relative_to(folder)), as_bytes(pixels, channels)
