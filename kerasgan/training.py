"""Training: from a configuration and clean images to a run folder with everything in it."""

import csv
import io
from pathlib import Path

import keras
import numpy as np

from kerasgan.config import RunConfig
from kerasgan.data.clean import CleanImages
from kerasgan.data.pipeline import evaluation_pairs, steps_per_epoch, training_pairs
from kerasgan.errors import ModelError, first_line
from kerasgan.files import atomic_path, write_text
from kerasgan.gan import DenoisingGAN
from kerasgan.networks import build_generator
from kerasgan.pictures import save_comparison
from kerasgan.restore import load_generator
from kerasgan.run_folder import RunFolder

_PICTURED = 4


def train(config: RunConfig, images: CleanImages, folder: RunFolder, *, resume=False, verbose=1):
    """Trains a GAN, keeping every complete epoch in a run folder.

    Args:
        config: what to train.
        images: what to train on.
        folder: made beforehand with `RunFolder.create`.
        resume: whether to go on from the folder's last complete epoch.
        verbose: 0 for silence, 1 for Keras' progress bar, 2 for one line per epoch.

    Returns:
        The trained `DenoisingGAN`.

    Raises:
        OutputError: if the folder can no longer be written to; complete epochs are kept.
        ModelError: if there is no complete epoch to resume from, or the model that the
            configuration starts from is missing or another network.
    """
    keras.utils.set_random_seed(config.seed)
    data, noise = config.data, config.noise
    steps = steps_per_epoch(images.train, batch_size=config.batch_size, patch_size=data.patch_size)
    gan = (
        load_gan(folder.model)
        if resume
        else DenoisingGAN.from_run_config(config, steps * config.epochs)
    )
    if config.start is not None and not resume:
        gan.generator.set_weights(start_weights(config))
    first_epoch = int(gan.g_optimizer.iterations) // steps
    shared = {
        "batch_size": config.batch_size,
        "patch_size": data.patch_size,
        "amount": noise.amount,
        "salt_vs_pepper": noise.salt_vs_pepper,
        "seed": config.seed,
    }
    validation = evaluation_pairs(images.validation, **shared)
    gan.fit(
        training_pairs(images.train, flip=data.flip, first_epoch=first_epoch, **shared),
        validation_data=validation,
        initial_epoch=first_epoch,
        epochs=config.epochs,
        steps_per_epoch=steps,
        callbacks=[
            _SeedEpochs(config.seed),
            _KeepEpochs(folder, first_epoch, validation),
            keras.callbacks.TensorBoard(folder.logs, write_graph=False),
        ],
        # The pairs come shuffled; Keras would only warn that it does not.
        shuffle=False,
        verbose=verbose,
    )
    return gan


def start_weights(config: RunConfig):
    """Reads the weights that a fine-tuned generator starts from.

    Args:
        config: what to train, with a model to start from.

    Returns:
        A list of arrays, for the generator's `set_weights`.

    Raises:
        ModelError: if there is no such model, or its network is not the configuration's.
    """
    weights = load_generator(config.start).get_weights()
    own = build_generator(config.generator, config.data.channels)
    if [weight.shape for weight in weights] != [weight.shape for weight in own.weights]:
        raise ModelError(f"{config.start} is no {own.name} of the same size to start from")
    return weights


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
            if isinstance(layer, keras.layers.Dropout):
                digits = np.random.SeedSequence((self._seed, epoch, number)).generate_state(2)
                layer.seed_generator.state.assign(digits)


class _KeepEpochs(keras.callbacks.Callback):
    """Keeps the models, the history and a picture of every complete epoch."""

    def __init__(self, folder, first_epoch, validation):
        super().__init__()
        self._folder = folder
        self._rows = folder.read_history()[:first_epoch]
        batches = list(validation.unbatch().take(_PICTURED))
        self._noisy, self._clean = (np.stack(images) for images in zip(*batches, strict=True))

    def on_epoch_end(self, epoch, logs=None):
        self._rows.append({"epoch": epoch + 1, **logs})
        text = io.StringIO()
        writer = csv.DictWriter(text, self._rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        # Before the model, which counts: a row that it does not know of is dropped on resume.
        write_text(self._folder.history, text.getvalue())
        with atomic_path(self._folder.model) as temporary:
            self.model.save(temporary)
        with self.model.averaged_weights(), atomic_path(self._folder.generator) as temporary:
            self.model.generator.save(temporary)
        restored = self.model.predict(self._noisy, verbose=0)
        save_comparison(
            self._folder.picture(epoch + 1),
            {"clean": self._clean, "noisy": self._noisy, "restored": restored},
        )
