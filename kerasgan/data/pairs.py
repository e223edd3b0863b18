"""Pictures that came noisy, each beside a clean one of the same scene."""

from pathlib import Path

from kerasgan.data.clean import ImageSet
from kerasgan.errors import DataError
from kerasgan.images.formats import find_images
from kerasgan.images.pictures import read_picture
from kerasgan.images.pixels import Pixels, as_bytes

_NAMED = 5


def find_pairs(folder: Path, noisy: str, clean: str) -> list[tuple[Path, Path]]:
    """Finds pairs of pictures by their names.

    Args:
        folder: searched with its subfolders.
        noisy: what stands in the path of a noisy picture, below the folder and without its suffix.
        clean: what stands in its place in the path of the clean one; may be empty.

    Returns:
        Pairs of a noisy and a clean picture, sorted by the former.

    Raises:
        DataError: if there is no folder or no pair, or naming noisy pictures without a clean one,
            or several that could make one pair.

    Example:
        >>> find_pairs(Path("polyu"), "real", "mean")[0]
        (PosixPath('polyu/plug_real.JPG'), PosixPath('polyu/plug_mean.JPG'))
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}")
    if not noisy or noisy == clean:
        raise DataError("noisy pictures need something in their names that clean ones have not")
    by_name: dict[str, list[Path]] = {}
    for path in find_images(folder):
        by_name.setdefault(_name(path, folder), []).append(path)
    asked = {name: name.replace(noisy, clean) for name in by_name if noisy in name}
    if not asked:
        raise DataError(f"{folder} holds no picture with {noisy!r} in its name")
    alone = [name for name, partner in asked.items() if partner not in by_name]
    if alone:
        more = "; …" if len(alone) > _NAMED else ""
        raise DataError(
            f"{len(alone)} of the {len(asked)} pictures in {folder} with {noisy!r} in their names "
            f"have no partner with {clean!r} instead: {'; '.join(alone[:_NAMED])}{more}"
        )
    for name in (*asked, *asked.values()):
        if len(by_name[name]) > 1:
            raise DataError(
                f"{' and '.join(map(str, by_name[name]))} differ in their suffixes alone: take out "
                "those that do not belong to a pair"
            )
    return [(by_name[name][0], by_name[partner][0]) for name, partner in asked.items()]


def load_pairs(
    folder: Path, noisy: str, clean: str, *, channels: int = 1, limit: int | None = None
) -> tuple[ImageSet, ImageSet]:
    """Loads pairs of pictures.

    Args:
        folder: as for `find_pairs`, like the next two.
        noisy: what tells noisy pictures.
        clean: what tells clean ones.
        channels: 1 for grey, 3 for colour. Transparency is dropped; 16 bits are rounded to 8.
        limit: load at most this many pairs.

    Returns:
        The clean and the noisy pictures, both named by the noisy ones' paths below the folder.

    Raises:
        DataError: as `find_pairs` does; or naming a picture that cannot be decoded, or has another
            size than its partner.
    """
    pairs = find_pairs(folder, noisy, clean)[:limit]
    names = tuple(str(path.relative_to(folder)) for path, _ in pairs)
    images = [[_decoded(path, channels) for path in pair] for pair in pairs]
    for (path, partner), (own, other) in zip(pairs, images, strict=True):
        if own.shape != other.shape:
            raise DataError(f"{path} is {_size(own)}, but {partner} is {_size(other)}")
    noisy_images, clean_images = zip(*images, strict=True)
    return ImageSet(clean_images, names), ImageSet(noisy_images, names)


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


def _decoded(path: Path, channels: int) -> Pixels:
    return as_bytes(read_picture(path).pixels, channels)


def _size(image: Pixels) -> str:
    return f"{image.shape[1]}×{image.shape[0]}"
