"""Training: from a configuration and clean images to a run folder with everything in it."""

import contextlib
import csv
import functools
import io
import math
import signal
import threading
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras.src.saving import saving_lib

from kerasgan.config import RunConfig
from kerasgan.data.clean import CleanImages
from kerasgan.data.pipeline import evaluation_pairs, steps_per_epoch, training_pairs
from kerasgan.distribution import check_batch, is_chief
from kerasgan.errors import (
    DistributionError,
    ModelError,
    OutputError,
    Stopped,
    TrainingError,
    first_line,
)
from kerasgan.files import atomic_path, write_text
from kerasgan.gan import DenoisingGAN
from kerasgan.networks import build_generator, in_float32
from kerasgan.pictures import save_comparison
from kerasgan.restore import load_generator
from kerasgan.run_folder import RunFolder

_PICTURED = 4

# Keras looks up what not to save of an optimizer on one it makes for that, at every save, and loses
# 140 kB of memory with it: it caches the answer under one name and asks for it under another.
if hasattr(saving_lib, "get_attr_skipset"):
    saving_lib.get_attr_skipset = functools.cache(saving_lib.get_attr_skipset)


def train(
    config: RunConfig,
    images: CleanImages,
    folder: RunFolder,
    *,
    resume=False,
    verbose=1,
    strategy=None,
):
    """Trains a GAN, keeping every complete epoch in a run folder.

    Of several workers, the chief alone writes; all of them read the folder when they resume.

    Args:
        config: what to train.
        images: what to train on.
        folder: made beforehand with `RunFolder.create`.
        resume: whether to go on from the folder's last complete epoch.
        verbose: 0 for silence, 1 for Keras' progress bar, 2 for one line per epoch.
        strategy: the tf.distribute.Strategy to spread it by; None for the current one.

    Returns:
        The trained `DenoisingGAN`.

    Raises:
        OutputError: if the folder can no longer be written to; complete epochs are kept.
        ModelError: if there is no complete epoch to resume from, or the model that the
            configuration starts from is missing or another network.
        DistributionError: if replicas cannot share a batch evenly, or another worker is lost.
        TrainingError: if a loss is no finite number; complete epochs are kept.
        Stopped: if SIGTERM came; the step was finished, and complete epochs are kept.
    """
    strategy = strategy or tf.distribute.get_strategy()
    check_batch(config.batch_size, strategy)
    keras.utils.set_random_seed(config.seed)
    data, noise = config.data, config.noise
    steps = steps_per_epoch(images.train, batch_size=config.batch_size, patch_size=data.patch_size)
    with strategy.scope():
        gan = (
            load_gan(folder.model)
            if resume
            else DenoisingGAN.from_run_config(config, steps * config.epochs)
        )
        if config.start is not None and not resume:
            gan.generator.set_weights(start_weights(config))
    first_epoch = int(gan.g_optimizer.iterations.numpy()) // steps
    shared = {
        "batch_size": config.batch_size,
        "patch_size": data.patch_size,
        "amount": noise.amount,
        "salt_vs_pepper": noise.salt_vs_pepper,
        "seed": config.seed,
    }
    measured = evaluation_pairs(images.validation, **shared)

    def training(**share):
        return training_pairs(
            images.train,
            flip=data.flip,
            saturate=data.saturate,
            amount_exponent=noise.amount_exponent,
            first_epoch=first_epoch,
            **shared,
            **share,
        )

    def validation(**share):
        several = strategy.num_replicas_in_sync > 1
        return evaluation_pairs(images.validation, even=several, **shared, **share)

    with _sigterm_noted() as asked_to_stop, _lost_workers_named(strategy):
        callbacks = [_SeedEpochs(config.seed), _StopEarly(asked_to_stop)]
        if is_chief(strategy):
            callbacks += [
                _KeepEpochs(folder, first_epoch, measured.take(1)),
                _LogForTensorBoard(folder.logs),
            ]
        gan.fit(
            _over_workers(strategy, training, config.batch_size),
            validation_data=_over_workers(strategy, validation, config.batch_size),
            validation_steps=int(measured.cardinality()),
            initial_epoch=first_epoch,
            epochs=config.epochs,
            steps_per_epoch=steps,
            callbacks=callbacks,
            # The pairs come shuffled; Keras would only warn that it does not.
            shuffle=False,
            verbose=verbose,
        )
    return gan


def _over_workers(strategy, pairs, batch_size):
    """Gives each worker its part; one machine's replicas share out what it gets by themselves."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return pairs()

    def part(context):
        own = pairs(worker=context.input_pipeline_id, workers=context.num_input_pipelines)
        return own.rebatch(context.get_per_replica_batch_size(batch_size))

    return strategy.distribute_datasets_from_function(part)


@contextlib.contextmanager
def _lost_workers_named(strategy):
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.InternalError) as error:
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            raise
        raise DistributionError(
            "another worker was lost; complete epochs are kept: start all workers again, with "
            "--resume"
        ) from error


@contextlib.contextmanager
def _sigterm_noted():
    """Yields an event that SIGTERM sets, instead of ending the process."""
    asked = threading.Event()
    # Signals reach the main thread alone; in another, somebody else takes care of them.
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, before)


def start_weights(config: RunConfig):
    """Reads the weights that a fine-tuned generator starts from.

    Args:
        config: what to train, with a model to start from.

    Returns:
        A list of arrays, for the generator's `set_weights`.

    Raises:
        ModelError: if there is no such model, or its network is not the configuration's.
    """
    given = load_generator(config.start)
    own = build_generator(config.generator, config.data.channels)
    if _size_and_limits(given) != _size_and_limits(own):
        raise ModelError(
            f"{config.start} is no {own.name} of the same size and activation to start from"
        )
    return given.get_weights()


def _size_and_limits(generator):
    """What two networks must share for weights to mean the same in both."""
    relus = [layer for layer in generator.layers if type(layer) is keras.layers.ReLU]
    return [weight.shape for weight in generator.weights], [relu.max_value for relu in relus]


def load_gan(path: Path) -> DenoisingGAN:
    """Loads a whole GAN with its optimizers.

    Args:
        path: a run folder's model.keras.

    Returns:
        The compiled model, ready to be trained on.

    Raises:
        ModelError: if there is none, or it is damaged.
    """
    if not path.is_file():
        raise ModelError(f"there is no {path}: no epoch of this run is complete; train anew")
    try:
        return keras.models.load_model(path)
    except Exception as error:  # Whatever a damaged file makes Keras raise.
        raise ModelError(f"cannot load {path}: {first_line(error)}") from error


class _SeedEpochs(keras.callbacks.Callback):
    """Ties dropout to the seed and the epoch alone: Keras saves no state of it with a model."""

    def __init__(self, seed):
        super().__init__()
        self._seed = seed

    def on_epoch_begin(self, epoch, logs=None):
        for number, layer in enumerate(self.model.discriminator.layers):
            if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
                digits = np.random.SeedSequence((self._seed, epoch, number)).generate_state(2)
                layer.seed_generator.state.assign(digits)


class _StopEarly(keras.callbacks.Callback):
    """Ends training after the step in which a loss is no number any more, or a stop was asked."""

    def __init__(self, asked_to_stop):
        super().__init__()
        self._asked = asked_to_stop
        self._complete = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._complete = epoch

    def on_train_batch_end(self, batch, logs=None):
        for name, value in logs.items():
            if not math.isfinite(value):
                raise TrainingError(
                    f"{name} became {value} in step {batch + 1} of epoch {self._complete + 1}; "
                    f"complete epochs that are kept: {self._complete}. Lower the --learning-rate"
                )
        if self._asked.is_set():
            raise Stopped(f"SIGTERM came; complete epochs that are kept: {self._complete}")


class _LogForTensorBoard(keras.callbacks.Callback):
    """Logs every epoch for TensorBoard; Keras' own callback keeps 20 kB of each in memory."""

    def __init__(self, folder):
        super().__init__()
        self._writers = {
            part: tf.summary.create_file_writer(str(folder / part))
            for part in ("train", "validation")
        }

    def on_epoch_end(self, epoch, logs=None):
        for name, value in logs.items():
            part = "validation" if name.startswith("val_") else "train"
            with self._writers[part].as_default():
                tf.summary.scalar(f"epoch_{name.removeprefix('val_')}", value, step=epoch)

    def on_train_end(self, logs=None):
        for writer in self._writers.values():
            writer.close()


class _KeepEpochs(keras.callbacks.Callback):
    """Keeps the models, the history and a picture of every complete epoch."""

    def __init__(self, folder, first_epoch, shown):
        super().__init__()
        self._folder = folder
        self._rows = folder.read_history()[:first_epoch]
        self._record = folder.config.read_text(encoding="utf-8")
        batches = list(shown.unbatch().take(_PICTURED))
        self._noisy, self._clean = (np.stack(images) for images in zip(*batches, strict=True))

    def on_train_begin(self, logs=None):
        self._generator = in_float32(self.model.generator)

    def on_epoch_end(self, epoch, logs=None):
        self._rows.append({"epoch": epoch + 1, **logs})
        try:
            self._keep(epoch)
        except OutputError:
            if self._folder.config.is_file():
                raise
            self._keep(epoch)  # The folder was removed while it was written to.

    def _keep(self, epoch):
        text = io.StringIO()
        writer = csv.DictWriter(text, self._rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        if not self._folder.config.is_file():
            write_text(self._folder.config, self._record)
        # Before the model, which counts: a row that it does not know of is dropped on resume.
        write_text(self._folder.history, text.getvalue())
        with atomic_path(self._folder.model) as temporary:
            self.model.save(temporary)
        with self.model.averaged_weights(), atomic_path(self._folder.generator) as temporary:
            self._generator.set_weights(self.model.generator.get_weights())
            self._generator.save(temporary)
            restored = self._generator(self._noisy, training=False).numpy()
        save_comparison(
            self._folder.picture(epoch + 1),
            {"clean": self._clean, "noisy": self._noisy, "restored": restored},
        )
