"""The folder of a training run: everything there is to know of it, under fixed names."""

import contextlib
import csv
import json
import math
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasgan.config import RunConfig
from kerasgan.errors import ModelError, OutputError
from kerasgan.store.files import write_text
from kerasgan.store.record import is_record, read_record

_VERSIONED = ("kerasgan", "tensorflow", "keras", "numpy", "scikit-image")


@dataclass(frozen=True)
class RunFolder:
    """The files of one training run.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def config(self) -> Path:
        """Everything that decides the outcome: configuration, data fingerprint, versions."""
        return self.path / "config.json"

    @property
    def history(self) -> Path:
        """One row per epoch."""
        return self.path / "history.csv"

    @property
    def model(self) -> Path:
        """The whole GAN with its optimizers, as of the last complete epoch."""
        return self.path / "model.keras"

    @property
    def generator(self) -> Path:
        """The generator alone, with averaged weights where the run averages them."""
        return self.path / "generator.keras"

    @property
    def faithful(self) -> Path:
        """The generator as it was before the discriminator joined in, of runs that begin so."""
        return self.path / "faithful.keras"

    @property
    def evaluation(self) -> Path:
        """How well the finished run restores held-out images."""
        return self.path / "evaluation.json"

    @property
    def logs(self) -> Path:
        """TensorBoard's folder."""
        return self.path / "logs"

    def picture(self, epoch: int) -> Path:
        """The picture of an epoch, counted from 1."""
        return self.path / "pictures" / f"epoch-{epoch:03d}.png"

    def check_free(self, *, overwrite: bool = False) -> None:
        """Checks that a run may be put here.

        Args:
            overwrite: whether a run that stands there may be replaced.

        Raises:
            OutputError: if there is something in the folder, or it is none; or if its config.json
                is another program's.
        """
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(f"{self.path} is a file, not a folder")
        if self.path.exists() and any(self.path.iterdir()) and not overwrite:
            raise OutputError(
                f"{self.path} is not empty; choose another --output, or --overwrite it"
            )
        if self.config.exists() and not is_record(self.config):
            raise OutputError(f"{self.config} is no run's; choose another --output")

    def create(
        self, config: RunConfig, data: Mapping[str, Any], *, overwrite: bool = False
    ) -> None:
        """Makes the folder and writes its config.json.

        Args:
            config: the run's configuration.
            data: what its data are known by, as `CleanImages.record` gives it.
            overwrite: whether a run that stands there may be replaced.

        Raises:
            OutputError: if the folder holds something, or cannot be written to.
        """
        import importlib.metadata

        self.check_free(overwrite=overwrite)
        # A run's own files alone: whatever else stands here is somebody's.
        own = [self.config, self.history, self.model, self.generator, self.faithful]
        for pattern in ("pictures/epoch-*.png", "logs/*/events.out.tfevents.*"):
            own += self.path.glob(pattern)
        for path in (*own, self.evaluation):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise OutputError(f"cannot replace {path}: {error.strerror}") from error
        record = {
            "config": config.to_dict(),
            "data": dict(data),
            "versions": {
                **{name: importlib.metadata.version(name) for name in _VERSIONED},
                "python": platform.python_version(),
            },
        }
        write_text(self.config, json.dumps(record, indent=2) + "\n")

    def read_record(self) -> tuple[RunConfig, str]:
        """Reads config.json.

        Returns:
            The configuration, and the data's fingerprint.

        Raises:
            ModelError: if this is no run folder, or its config.json is damaged.
        """
        return read_record(self.config)

    def read_history(self, complete: int | None = None) -> list[dict[str, str]]:
        """Reads history.csv.

        Args:
            complete: how many epochs the model tells to be complete; a row of one that was not is
                left out. None takes all.

        Returns:
            One dictionary of texts per epoch; none where no epoch is complete. A text is empty
            where the epoch did not know that column.

        Raises:
            ModelError: naming the row that is damaged, or if complete epochs are missing.
        """
        if not self.history.exists():
            return []
        try:
            with self.history.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file, strict=True))
        except (OSError, ValueError, csv.Error) as error:
            raise ModelError(f"{self.history} is damaged: {error}") from error
        # Not 1 where what came before was damaged, and moved away.
        first = _whole_number(rows[0].get("epoch")) if rows else 1
        for number, row in enumerate(rows):
            # What a row has too much of stands under None, and what it lacks is None.
            whole = None not in row and row.get("epoch") == str(first + number)
            if first < 1 or not whole or not all(map(_is_number_or_empty, row.values())):
                raise ModelError(f"{self.history} is damaged in row {number + 1}; move it away")
        last = first + len(rows) - 1
        if rows and complete is not None and last < complete:
            raise ModelError(
                f"{self.history} ends with epoch {last}, but {self.model.name} with epoch "
                f"{complete}; move it away"
            )
        return rows if complete is None else [r for r in rows if int(r["epoch"]) <= complete]


def _whole_number(text: str | None) -> int:
    """The number that a text is, or 0."""
    return int(text) if text is not None and re.fullmatch(r"[1-9][0-9]{0,8}", text) else 0


def _is_number_or_empty(text: str | None) -> bool:
    with contextlib.suppress(ValueError, TypeError):
        return text == "" or math.isfinite(float(text))  # type: ignore[arg-type]
    return False
