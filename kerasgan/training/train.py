"""Training: from a configuration and clean images to a run folder with everything in it."""

import contextlib
import dataclasses
import functools
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from keras.src.saving import saving_lib

from kerasgan.config import RunConfig
from kerasgan.data.clean import CleanImages
from kerasgan.data.pipeline import evaluation_pairs, steps_per_epoch, training_pairs, with_pages
from kerasgan.errors import (
    DistributionError,
    Interrupted,
    ModelError,
    Stopped,
    first_line,
)
from kerasgan.model.blending import faithful_weights
from kerasgan.model.discriminators import build_discriminator
from kerasgan.model.gan import DenoisingGAN
from kerasgan.model.generators import GATE, build_generator
from kerasgan.model.loading import load_generator
from kerasgan.model.normalization import settle_statistics
from kerasgan.store.run_folder import RunFolder
from kerasgan.training.callbacks import (
    KeepEpochs,
    LogForTensorBoard,
    Phases,
    SeedEpochs,
    StopEarly,
)
from kerasgan.training.distribution import check_batch, is_chief

# Batches that normalizations of new blocks take their first statistics from.
_SETTLING = 32

# Keras looks up what not to save of an optimizer on one it makes for that, at every save, and loses
# 140 kB of memory with it: it caches the answer under one name and asks for it under another.
if hasattr(saving_lib, "get_attr_skipset"):
    saving_lib.get_attr_skipset = functools.cache(saving_lib.get_attr_skipset)


def train(
    config: RunConfig,
    images: CleanImages,
    folder: RunFolder | Path | str,
    *,
    resume: bool = False,
    overwrite: bool = False,
    verbose: int = 1,
    strategy: Any = None,
) -> DenoisingGAN:
    """Trains a GAN, keeping every complete epoch in a run folder.

    Of several workers, the chief alone writes; all of them read the folder when they resume.

    Args:
        config: what to train.
        images: what to train on.
        folder: the run folder to make.
        resume: whether to go on from the last complete epoch of a folder that is there.
        overwrite: whether a run that stands there may be replaced.
        verbose: 0 for silence, 1 for Keras' progress bar, 2 for one line per epoch.
        strategy: the tf.distribute.Strategy to spread it by; None for the current one.

    Returns:
        The trained `DenoisingGAN`.

    Raises:
        DataError: if there are no images to train on, or none to validate by.
        OutputError: if the folder holds something, or can no longer be written to; complete
            epochs are kept.
        ModelError: if there is no complete epoch to resume from, or the model that the
            configuration starts from is missing or another network.
        DistributionError: if replicas cannot share a batch evenly, or another worker is lost.
        TrainingError: if a loss is no finite number; complete epochs are kept.
        Interrupted: if Ctrl-C came; complete epochs are kept.
        Stopped: if SIGTERM came; the step was finished, and complete epochs are kept.
    """
    folder = folder if isinstance(folder, RunFolder) else RunFolder(Path(folder))
    strategy = strategy or tf.distribute.get_strategy()
    check_batch(config.batch_size, strategy)
    keras.utils.set_random_seed(config.seed)
    data, noise = config.data, config.noise
    shown = with_pages(images.train, data.pages, patch_size=data.patch_size, seed=config.seed)
    steps = steps_per_epoch(shown, batch_size=config.batch_size, patch_size=data.patch_size)
    start = known = None
    if not resume and config.start is not None:
        start, known = start_weights(config), start_discriminator(config)
    shared: dict[str, Any] = {
        "batch_size": config.batch_size,
        "patch_size": data.patch_size,
        "seed": config.seed,
    }
    # All levels count alike.
    evenly = dataclasses.replace(noise, exponent=1.0)
    measured = evaluation_pairs(images.validation, noise=evenly, **shared)
    # Last: what stands in the folder is lost from here on.
    if not resume and is_chief(strategy):
        folder.create(config, images.record(), overwrite=overwrite)
    with strategy.scope():
        gan = (
            load_gan(folder.model)
            if resume
            else DenoisingGAN.from_run_config(config, steps * config.epochs)
        )
    if resume:
        _check_networks(gan, config, folder)
    first_epoch = max(0, int(gan.epochs.numpy()))  # Of a new run, nobody counted them.

    def training(**share: int) -> Any:
        return training_pairs(
            shown,
            noise=noise,
            flip=data.flip,
            scale=data.scale,
            saturate=data.saturate,
            grey=data.grey,
            first_epoch=first_epoch,
            **shared,
            **share,
        )

    def validation(**share: Any) -> Any:
        several = strategy.num_replicas_in_sync > 1
        return evaluation_pairs(images.validation, noise=evenly, even=several, **shared, **share)

    if start is not None:
        with strategy.scope():
            gan.generator.set_weights(start)
            if gan.discriminator is not None and known is not None:
                gan.discriminator.set_weights(known)
            pairs = training().take(_SETTLING)
            settle_statistics(gan.generator, (noisy for noisy, *_ in pairs))

    with _sigterm_noted() as asked_to_stop, _failures_named(strategy):
        stop = StopEarly(asked_to_stop)
        callbacks = [Phases(config), SeedEpochs(config.seed), stop]
        if is_chief(strategy):
            callbacks += [
                KeepEpochs(folder, config, first_epoch, measured.take(1)),
                LogForTensorBoard(folder.logs),
            ]
        try:
            gan.fit(
                _over_workers(strategy, training, config.batch_size),
                validation_data=_over_workers(strategy, validation, config.batch_size),
                validation_steps=int(measured.cardinality()),
                initial_epoch=first_epoch,
                epochs=config.epochs,
                steps_per_epoch=steps,
                callbacks=callbacks,
                verbose=verbose,
            )
        except KeyboardInterrupt as error:
            raise Interrupted(max(first_epoch, stop.complete)) from error
    if asked_to_stop.is_set():
        raise Stopped("SIGTERM came; all epochs are complete")
    return gan


def _check_networks(gan: DenoisingGAN, config: RunConfig, folder: RunFolder) -> None:
    """Checks that a run folder's model is of the networks of its config.json."""
    pairs = [(gan.generator, build_generator(config.generator, config.data.channels))]
    if gan.discriminator is not None and config.adversary.weight:
        pairs.append((gan.discriminator, _discriminator_of(config)))
    for network, described in pairs:
        if _size_and_limits(network) != _size_and_limits(described):
            raise ModelError(
                f"{folder.model} holds a {network.name} of {network.count_params():,} weights, "
                f"but {folder.config} describes a {described.name} of {described.count_params():,}"
            )


def _over_workers(strategy: Any, pairs: Callable[..., Any], batch_size: int) -> Any:
    """Gives each worker its part; one machine's replicas share out what it gets by themselves."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return pairs()

    def part(context: Any) -> Any:
        own = pairs(worker=context.input_pipeline_id, workers=context.num_input_pipelines)
        return own.rebatch(context.get_per_replica_batch_size(batch_size))

    return strategy.distribute_datasets_from_function(part)


@contextlib.contextmanager
def _failures_named(strategy: Any) -> Iterator[None]:
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError from error
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.InternalError) as error:
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            raise
        raise DistributionError(
            "another worker was lost; complete epochs are kept: start all workers again, with "
            "--resume"
        ) from error


@contextlib.contextmanager
def _sigterm_noted() -> Iterator[threading.Event]:
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


def start_weights(config: RunConfig) -> list[Any]:
    """Reads the weights that a fine-tuned generator starts from.

    Args:
        config: what to train, with a model to start from.

    Returns:
        A list of arrays, for the generator's `set_weights`. A gate that the model lacks is as it
        is before training, all but open.

    Raises:
        ModelError: if there is no such model, or its network is not the configuration's.
    """
    given = load_generator(config.start or "")
    own = build_generator(config.generator, config.data.channels)
    gate: list[Any] = []
    if config.generator.gated and GATE not in {layer.name for layer in given.layers}:
        weights = own.get_weights()
        ungated = dataclasses.replace(config.generator, gated=False)
        own = build_generator(ungated, config.data.channels)
        gate = weights[len(own.weights) :]
    try:
        return [*faithful_weights(given, own), *gate]
    except ModelError as error:
        raise ModelError(
            f"{config.start} is no {own.name} of the same size and activation to start from"
        ) from error


def start_discriminator(config: RunConfig) -> list[Any] | None:
    """Reads the weights that the discriminator of a fine-tuned generator goes on from.

    Args:
        config: what to train, with a model to start from.

    Returns:
        A list of arrays, for the discriminator's `set_weights`: those of the run that `start`
        names. None where that is no run folder, or its discriminator is another network.

    Raises:
        ModelError: if the run's model is damaged.
    """
    run = RunFolder(Path(config.start or ""))
    if not config.adversary.weight or not run.model.is_file():
        return None
    given = load_gan(run.model).discriminator
    if given is None or _size_and_limits(given) != _size_and_limits(_discriminator_of(config)):
        return None
    return given.get_weights()


def _discriminator_of(config: RunConfig) -> keras.Model:
    data = config.data
    return build_discriminator(config.discriminator, data.patch_size, data.channels, config.noise)


def _size_and_limits(network: keras.Model) -> tuple[list[Any], list[Any]]:
    """What two networks must share for weights to mean the same in both."""
    relus = [layer for layer in network.layers if type(layer) is keras.layers.ReLU]
    return [weight.shape for weight in network.weights], [relu.max_value for relu in relus]


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
