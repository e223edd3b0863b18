"""What happens between the epochs of a run: keeping, logging, stopping."""

import csv
import io
import math
import threading
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasgan.config import RunConfig
from kerasgan.errors import OutputError, Stopped, TrainingError
from kerasgan.images.contact_sheet import save_comparison
from kerasgan.model.precision import in_float32
from kerasgan.store.files import atomic_path, write_text
from kerasgan.store.run_folder import RunFolder

_PICTURED = 4


class SeedEpochs(keras.callbacks.Callback):
    """Ties dropout to the seed and the epoch alone: Keras saves no state of it with a model."""

    def __init__(self, seed: int):
        super().__init__()
        self._seed = seed

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        discriminator = self.model.discriminator
        for number, layer in enumerate(discriminator.layers if discriminator else ()):
            if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
                digits = np.random.SeedSequence((self._seed, epoch, number)).generate_state(2)
                layer.seed_generator.state.assign(digits)


class Phases(keras.callbacks.Callback):
    """Lets both networks learn in turn, as a configuration says, and then together.

    Args:
        config: of the run; `RunConfig.phase` tells what learns in each of its epochs.

    Example:
        >>> config = kerasgan.preset("selective-gan")
        >>> gan.fit(
        ...     pairs, steps_per_epoch=100, epochs=config.epochs, callbacks=[Phases(config)]
        ... )
    """

    def __init__(self, config: RunConfig):
        super().__init__()
        self._config = config

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        phase = self._config.phase(epoch)
        if phase != self.model.phase:
            self.model.phase = phase
            # What was traced is the step of the phase before.
            self.model.make_train_function(force=True)


class StopEarly(keras.callbacks.Callback):
    """Ends training after the step in which a loss is no number any more, or a stop was asked.

    Attributes:
        complete: epochs that are, at least.
    """

    def __init__(self, asked_to_stop: threading.Event):
        super().__init__()
        self._asked = asked_to_stop
        self.complete = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.complete = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        for name, value in logs.items():
            if not math.isfinite(value):
                raise TrainingError(
                    f"{name} became {value} in step {batch + 1} of epoch {self.complete + 1}; "
                    f"complete epochs that are kept: {self.complete}. Lower the --learning-rate"
                )
        if self._asked.is_set():
            raise Stopped(f"SIGTERM came; complete epochs that are kept: {self.complete}")


class LogForTensorBoard(keras.callbacks.Callback):
    """Logs every epoch for TensorBoard; Keras' own callback keeps 20 kB of each in memory."""

    def __init__(self, folder: Path):
        super().__init__()
        self._writers = {
            part: tf.summary.create_file_writer(str(folder / part))
            for part in ("train", "validation")
        }

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        for name, value in logs.items():
            part = "validation" if name.startswith("val_") else "train"
            with self._writers[part].as_default():
                tf.summary.scalar(f"epoch_{name.removeprefix('val_')}", value, step=epoch)

    def on_train_end(self, logs: Any = None) -> None:
        for writer in self._writers.values():
            writer.close()


class KeepEpochs(keras.callbacks.Callback):
    """Keeps the models, the history and a picture of every complete epoch."""

    def __init__(self, folder: RunFolder, config: RunConfig, first_epoch: int, shown: Any):
        super().__init__()
        self._folder = folder
        self._faithful_epochs = config.epochs_of("reconstruction") if config.adversary.weight else 0
        self._first_epoch = first_epoch
        self._rows: list[dict[str, Any]] = [*folder.read_history(first_epoch)]
        self._record = folder.config.read_text(encoding="utf-8")
        batches = list(shown.unbatch().take(_PICTURED))
        self._noisy, self._clean = (np.stack(images) for images in zip(*batches, strict=True))

    def on_train_begin(self, logs: Any = None) -> None:
        self._generator = in_float32(self.model.generator)
        # The process may have been killed while its last epoch was kept.
        if self._first_epoch:
            self._keep_generator(self._first_epoch)
            if not self._folder.picture(self._first_epoch).exists():
                self._keep_picture(self._first_epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._rows.append({"epoch": epoch + 1, **logs})
        try:
            self._keep(epoch)
        except OutputError:
            if self._folder.config.is_file():
                raise
            self._keep(epoch)  # The folder was removed while it was written to.

    def _keep(self, epoch: int) -> None:
        text = io.StringIO()
        # A run that another version began knows other columns.
        columns = dict.fromkeys(name for row in self._rows for name in row)
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        if not self._folder.config.is_file():
            write_text(self._folder.config, self._record)
        # Before the model, which counts: a row that it does not know of is dropped on resume.
        write_text(self._folder.history, text.getvalue())
        self.model.epochs.assign(epoch + 1)
        with atomic_path(self._folder.model) as temporary:
            self.model.save(temporary)
        self._keep_generator(epoch + 1)
        self._keep_picture(epoch + 1)

    def _keep_picture(self, complete: int) -> None:
        restored = self._generator(self._noisy, training=False).numpy()
        save_comparison(
            self._folder.picture(complete),
            {"clean": self._clean, "noisy": self._noisy, "restored": restored},
        )

    def _keep_generator(self, complete: int) -> None:
        with self.model.averaged_weights():
            self._generator.set_weights(self.model.generator.get_weights())
        paths = [self._folder.generator]
        if complete == self._faithful_epochs:
            paths.append(self._folder.faithful)
        for path in paths:
            with atomic_path(path) as temporary:
                self._generator.save(temporary)
