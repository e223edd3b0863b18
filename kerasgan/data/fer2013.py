"""FER2013, 48×48 grey faces, from the CSV file of the Kaggle challenge."""

import csv
import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from kerasgan.data.clean import CleanImages
from kerasgan.data.prepared import load_prepared
from kerasgan.errors import DataError
from kerasgan.images.pixels import Pixels

SIZE = 48
LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
_SPLITS = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
_LEVELS = {"", *map(str, range(1, 256))}
_FILE_NAMES = ("fer2013.csv", "icml_face_data.csv")


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of the CSV file.

    Attributes:
        pixels: (48, 48, 1), uint8.
        label: index into `LABELS`.
        split: "train", "validation" or "test".
    """

    pixels: Pixels
    label: int
    split: str


def read_rows(path: Path) -> Iterator[Row]:
    """Reads the challenge's CSV: columns emotion, pixels and Usage, in any order, spaces allowed.

    Args:
        path: fer2013.csv or icml_face_data.csv.

    Yields:
        Its rows, in order.

    Raises:
        DataError: naming the file and the row that is wrong, and how.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            if not header:
                raise DataError(f"{path} is empty")
            missing = [name for name in ("emotion", "pixels", "Usage") if name not in header]
            if missing:
                raise DataError(
                    f"{path} has no column {', '.join(missing)}; "
                    f"its first line is {','.join(header)[:80]!r}"
                )
            for number, cells in enumerate(reader, start=1):
                if not cells:
                    continue
                where = f"{path}, row {number} (line {reader.line_num})"
                if len(cells) != len(header):
                    raise DataError(f"{where}: {len(cells)} columns, expected {len(header)}")
                yield _parse(where, dict(zip(header, cells, strict=True)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path}: {error}") from error


def _parse(where: str, cells: dict[str, str]) -> Row:
    usage = cells["Usage"].strip()
    if usage not in _SPLITS:
        raise DataError(f"{where}: Usage is {usage!r}, expected one of {', '.join(_SPLITS)}")
    label = cells["emotion"].strip()
    if label not in map(str, range(len(LABELS))):
        raise DataError(f"{where}: emotion is {label!r}, expected 0 to {len(LABELS) - 1}")
    texts = cells["pixels"].split()
    if len(texts) != SIZE * SIZE:
        raise DataError(f"{where}: {len(texts):,} pixels, expected {SIZE * SIZE:,}")
    try:
        values = np.array(texts, np.int64)
    except (ValueError, OverflowError):
        values = np.full(SIZE * SIZE, -1)
    if values.min() < 0 or values.max() > 255:
        wrong = next(text for text in texts if text.lstrip("0") not in _LEVELS)
        raise DataError(f"{where}: pixel value {wrong[:20]!r}, expected 0 to 255")
    return Row(values.astype(np.uint8).reshape(SIZE, SIZE, 1), int(label), _SPLITS[usage])


@dataclasses.dataclass
class Fer2013Config(tfds.core.BuilderConfig):
    """One CSV file, named by its content: a changed file is prepared anew.

    Attributes:
        csv: the file.
    """

    csv: Path | None = None

    @classmethod
    def of(cls, path: Path) -> "Fer2013Config":
        """Returns the configuration of a CSV file.

        Args:
            path: the file.

        Returns:
            A configuration whose name is a hash of the content.

        Raises:
            DataError: if the file cannot be read.
        """
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror}") from error
        return cls(name=f"csv_{digest[:16]}", description=f"Read from {path.name}.", csv=path)


class Fer2013(tfds.core.GeneratorBasedBuilder):
    """tensorflow-datasets builder of FER2013.

    Source: Goodfellow et al., Challenges in representation learning: a report on three machine
    learning contests, ICONIP 2013.
    """

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Download fer2013.csv from Kaggle's data set deadskull7/fer2013 "
        "(https://www.kaggle.com/datasets/deadskull7/fer2013) into the folder of manual downloads; "
        "icml_face_data.csv of the challenge itself will do as well."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            description="48×48 grey faces with seven facial expressions, found by image search.",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(SIZE, SIZE, 1), encoding_format="png"),
                    "label": tfds.features.ClassLabel(names=LABELS),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://www.kaggle.com/datasets/deadskull7/fer2013",
            citation=(
                "@inproceedings{goodfellow2013challenges, "
                "title={Challenges in representation learning: A report on three machine learning "
                "contests}, author={Goodfellow, Ian and others}, booktitle={ICONIP}, year={2013}}"
            ),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        rows: dict[str, list[Row]] = {split: [] for split in _SPLITS.values()}
        for row in read_rows(self._csv(dl_manager)):
            rows[row.split].append(row)
        return {split: self._generate_examples(chosen) for split, chosen in rows.items() if chosen}

    def _generate_examples(self, rows: list[Row]) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, row in enumerate(rows):
            yield number, {"image": row.pixels, "label": row.label}

    def _csv(self, dl_manager: Any) -> Path:
        if isinstance(self.builder_config, Fer2013Config) and self.builder_config.csv:
            return self.builder_config.csv
        for name in _FILE_NAMES:
            if (dl_manager.manual_dir / name).exists():
                return Path(dl_manager.manual_dir / name)
        raise DataError(f"{dl_manager.manual_dir} holds none of {', '.join(_FILE_NAMES)}")


def load_fer2013(path: Path, *, channels: int = 1, limit: int | None = None) -> CleanImages:
    """Loads FER2013; the first time, prepares it in the tensorflow-datasets data folder.

    Args:
        path: fer2013.csv or icml_face_data.csv.
        channels: 1 for grey; 3 repeats it as colour.
        limit: keep at most this many images of each split.

    Returns:
        The images of whichever splits the file has.

    Raises:
        DataError: naming the row that is wrong, or if no row is of Usage Training.
    """
    return load_prepared(Fer2013(config=Fer2013Config.of(path)), channels=channels, limit=limit)
