"""One training per weight of the adversarial loss and seed, each measured."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from kerasgan.config import RunConfig
from kerasgan.data.clean import CleanImages, ImageSet
from kerasgan.errors import DataError, OutputError, TrainingError
from kerasgan.measure.comparison import Trial, trials
from kerasgan.measure.evaluation import check_measurable
from kerasgan.measure.lenses import Lenses, Values, measure_restorer, read_values, write_values
from kerasgan.model.gan import DenoisingGAN
from kerasgan.model.precision import in_float32
from kerasgan.restore.restorer import Restorer
from kerasgan.store.run_folder import RunFolder
from kerasgan.training.train import start_weights, train

_LEAST_IMAGES = 2
# In the folder of a training.
_VALUES = "values.json"


def compare(
    config: RunConfig,
    images: CleanImages,
    held_out: ImageSet,
    folder: Path | str,
    *,
    weights: Sequence[float],
    seeds: Sequence[int],
    levels: Sequence[float] | None = None,
    lenses: Lenses | None = None,
    verbose: int = 1,
    on_trial: Callable[[Trial, bool], None] = lambda trial, done: None,
) -> dict[Trial, Values]:
    """Trains once for each weight of the adversarial loss and seed, and measures what comes of it.

    All else is equal: without the discriminator, the generator learns in as many epochs as it does
    with it. Called again, it goes on where it was interrupted.

    Args:
        config: what to train; its own weight and seed do not count.
        images: what to train on.
        held_out: what to measure on, at least two images.
        folder: where the trainings are kept, each in a run folder of its own.
        weights: λ; the others are compared with the first.
        seeds: of weights, order and noise.
        levels: of noise, to measure at; None takes those that the noise reports.
        lenses: what to measure with; None takes all that there is.
        verbose: as `train`'s.
        on_trial: told which training is next, and whether it was done and measured before.

    Returns:
        The values of every trial, for `measure.comparison.summarize`.

    Raises:
        DataError: if there are too few images to measure, or one is too small.
        OutputError: if the folder holds a training with other options or data.
        TrainingError: if there are too few epochs for the discriminator to learn in.
        ModelError: as `train` does.
    """
    check_measurable(held_out)
    if len(held_out) < _LEAST_IMAGES:
        raise DataError(f"comparing needs {_LEAST_IMAGES} held-out images, got {len(held_out)}")
    if any(weights) and not config.replace(adversary__weight=max(weights)).epochs_of("both"):
        raise TrainingError(
            f"of {config.epochs} epoch{'s' * (config.epochs > 1)} none is left for the "
            "discriminator, so that there is nothing to compare; take more"
        )
    if config.start is not None:
        start_weights(config)  # Refused before there is a folder.
    plan = trials(tuple(dict.fromkeys(weights)), tuple(dict.fromkeys(seeds)))
    levels = levels or config.noise.reported_levels
    lenses = lenses or Lenses(held_out)
    request = {
        "levels": [f"{level:g}" for level in levels],
        "images": CleanImages(test=held_out).fingerprint(),
        "lenses": lenses.names,
    }
    results = {}
    for trial in plan:
        adversary = dataclasses.replace(config.adversary, weight=trial.weight)
        own = config.replace(
            adversary=adversary, seed=trial.seed, data__split_seed=config.split_seed
        )
        if not trial.weight and any(weights):
            # The others' generators rest while the discriminator learns alone.
            rest = config.replace(adversary__weight=max(weights)).epochs_of("discriminator")
            own = own.replace(epochs=config.epochs - rest)
        run = RunFolder(Path(folder) / trial.name)
        values = _known_values(run, own, images, request)
        on_trial(trial, values is not None)
        if values is None:
            restore = Restorer(in_float32(_trained(run, own, images, verbose).generator))
            values = measure_restorer(restore, held_out, own.noise, levels, lenses)
            write_values(run.path / _VALUES, request, values)
        results[trial] = values
    return results


def _known_values(
    folder: RunFolder, config: RunConfig, images: CleanImages, request: Mapping[str, Any]
) -> Values | None:
    """The values of a trial that was measured before; refuses another training's folder."""
    if not folder.config.is_file():
        return None
    recorded, fingerprint = folder.read_record()
    if recorded != config or fingerprint != images.fingerprint():
        raise OutputError(
            f"{folder.path} holds a training with other options or data; take another folder"
        )
    values = folder.path / _VALUES
    return read_values(values, request) if values.is_file() else None


def _trained(
    folder: RunFolder, config: RunConfig, images: CleanImages, verbose: int
) -> DenoisingGAN:
    """Trains, or goes on; what was interrupted in its first epoch begins anew."""
    # Names of layers are counted over all models of a process, and stand in what is saved.
    keras.utils.clear_session()
    return train(
        config,
        images,
        folder,
        resume=folder.model.is_file(),
        overwrite=folder.config.is_file(),
        verbose=verbose,
    )
