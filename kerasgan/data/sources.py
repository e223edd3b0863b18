"""From what a user names, "bundled" or a path, to clean images."""

from pathlib import Path

from kerasgan.config import RunConfig
from kerasgan.data.clean import CleanImages
from kerasgan.errors import DataError

# scikit-image's photographs, and what comes before the name of one of tensorflow-datasets.
BUNDLED, CATALOG = "bundled", "tfds:"


def load_images(
    source: str | Path = BUNDLED,
    *,
    channels: int = 1,
    seed: int = 0,
    limit: int | None = None,
    keep_duplicates: bool = False,
    hold_out: bool = True,
) -> CleanImages:
    """Loads clean images from any kind of source.

    Args:
        source: "bundled" for the photographs inside scikit-image; the path of a fer2013.csv; a
            folder of images; or "tfds:NAME" for a dataset of tensorflow-datasets.
        channels: 1 for grey, 3 for colour.
        seed: decides the held-out images of a source without a validation split, and which ones
            of a folder `limit` keeps.
        limit: keep at most this many images of each split.
        keep_duplicates: keep exact repetitions within training, and held-out images that stand in
            training; both are dropped otherwise.
        hold_out: whether a source without a validation split is split; otherwise all of it is
            `train`.

    Returns:
        The images, split into train, validation and test.

    Raises:
        DataError: naming what cannot be read, and where.

    Example:
        >>> images = load_images("fer2013.csv")
        >>> len(images.train)
        27473
    """
    images = _load(str(source), channels, seed, limit)
    if not keep_duplicates:
        images = images.without_duplicates()
    return images.with_held_out(seed) if hold_out else images


def load_configured(config: RunConfig) -> CleanImages:
    """Loads the clean images that a configuration trains on.

    Args:
        config: what to train.

    Returns:
        The images, split as every training by this configuration splits them.

    Raises:
        DataError: as `load_images` does.
    """
    data = config.data
    return load_images(
        data.source,
        channels=data.channels,
        seed=config.split_seed,
        limit=data.limit,
        keep_duplicates=data.keep_duplicates,
    )


def _load(source: str, channels: int, seed: int, limit: int | None) -> CleanImages:
    if source == BUNDLED:
        from kerasgan.data.bundled import load_bundled

        return load_bundled(channels, limit)
    if source.startswith(CATALOG):
        from kerasgan.data.catalog import load_catalog

        return load_catalog(source.removeprefix(CATALOG), channels=channels, limit=limit)
    path = Path(source)
    if path.suffix.lower() == ".csv":
        from kerasgan.data.fer2013 import load_fer2013

        return load_fer2013(path, channels=channels, limit=limit)
    if path.is_dir():
        from kerasgan.data.folder import load_folder

        return load_folder(path, channels=channels, seed=seed, limit=limit)
    raise DataError(
        f"no data source {source!r}: name FER2013's .csv, a folder of images, tfds:NAME or bundled"
    )
