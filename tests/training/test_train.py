import csv
import dataclasses
import json
import shutil
import signal
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.compat.v1.train import summary_iterator

from kerasgan.data.clean import ImageSet
from kerasgan.errors import (
    DataError,
    Interrupted,
    ModelError,
    OutputError,
    Stopped,
    TrainingError,
)
from kerasgan.model.gan import DenoisingGAN
from kerasgan.model.generators import build_generator
from kerasgan.model.loading import load_generator
from kerasgan.store.run_folder import RunFolder
from kerasgan.training.callbacks import LogForTensorBoard, StopEarly
from kerasgan.training.train import load_gan, start_discriminator, start_weights, train
from tests.helpers import run_of, small_config


def long_training(test):
    """Marks what trains several times, by lines that other tests cover."""
    return pytest.mark.slow(pytest.mark.unmeasured(test))


def run(folder, images, **changes):
    return train(small_config(**changes), images, folder, verbose=0)


def assert_same_model(first, second):
    for one, other in zip(state_of(first), state_of(second), strict=True):
        np.testing.assert_array_equal(one, other)


def state_of(model):
    """Weights, and what the optimizers of a GAN remember."""
    optimizers = [getattr(model, name, None) for name in ("optimizer", "d_optimizer")]
    return [*model.weights, *(v for o in optimizers if o is not None for v in o.variables)]


def test_a_run_leaves_everything_behind(trained_run, clean_images):
    record = json.loads(trained_run.config.read_text())
    assert record["data"] == {
        "fingerprint": clean_images.fingerprint(),
        "train": 12,
        "validation": 4,
        "test": 3,
    }
    assert {"kerasgan", "keras", "tensorflow", "python"} <= record["versions"].keys()
    assert trained_run.read_record() == (small_config(), clean_images.fingerprint())
    with trained_run.history.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert {"g_loss", "d_loss", "d_right_pairs", "val_psnr", "val_ssim", "val_mse"} <= set(rows[0])
    with Image.open(trained_run.picture(2)) as picture:
        assert picture.width > 400
    for part in ("train", "validation"):
        [events] = trained_run.logs.glob(f"{part}/events.*")
        logged = [
            (event.step, value.tag)
            for event in summary_iterator(str(events))
            for value in event.summary.value
        ]
        assert {(0, "epoch_g_loss" if part == "train" else "epoch_psnr")} <= set(logged)
        assert {step for step, _ in logged} == {0, 1}
    assert not [path for path in trained_run.path.rglob(".*")]


@long_training
def test_the_same_seed_gives_the_same_history(tmp_path, clean_images, trained_run):
    again, other = RunFolder(tmp_path / "again"), RunFolder(tmp_path / "other")
    run(again, clean_images)
    run(other, clean_images, seed=1)
    assert again.history.read_text() == trained_run.history.read_text()
    assert other.history.read_text() != trained_run.history.read_text()


class _Interrupt(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.g_optimizer.iterations) == 5:
            raise KeyboardInterrupt


@long_training
def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(
    tmp_path, clean_images, trained_run, monkeypatch
):
    folder = RunFolder(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(
            "kerasgan.training.train.LogForTensorBoard", lambda *args, **kwargs: _Interrupt()
        )
        with pytest.raises(Interrupted) as caught:
            run(folder, clean_images)
    assert caught.value.complete == 1
    assert len(folder.read_history()) == 1
    picture = folder.picture(1)
    before = picture.read_bytes()
    picture.unlink()
    train(small_config(), clean_images, folder, resume=True, verbose=0)
    assert folder.history.read_text() == trained_run.history.read_text()
    assert_same_model(load_gan(folder.model), load_gan(trained_run.model))
    # A kill may have come before it was written.
    assert picture.read_bytes() == before


@long_training
def test_phases_follow_each_other_and_resume_bit_equal(tmp_path, clean_images):
    """Four epochs: reconstruction alone, the discriminator alone, and two of both."""
    config = small_config(epochs=4, adversary__begins=0.25, adversary__warmup=0.25)
    whole, parts = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parts")
    train(config, clean_images, whole, verbose=0)
    rows = whole.read_history()
    learnt = [(bool(row["g_loss"]), bool(row["d_right_pairs"])) for row in rows]
    assert learnt == [(True, False), (False, True), (True, True), (True, True)]
    # The other run stops after every epoch.
    for complete in (1, 2, 3):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(StopEarly, "on_epoch_begin", _stop_after(complete))
            with pytest.raises(Stopped):
                train(config, clean_images, parts, resume=complete > 1, verbose=0)
        assert len(parts.read_history()) == complete
        if complete == 1:
            parts.faithful.unlink()  # As if killed between two saves.
    train(config, clean_images, parts, resume=True, verbose=0)
    assert parts.history.read_text() == whole.history.read_text()
    assert_same_model(load_gan(parts.model), load_gan(whole.model))
    assert_same_model(load_generator(parts.faithful), load_generator(whole.faithful))
    # The discriminator alone changes no restored picture.
    assert rows[0]["val_psnr"] == rows[1]["val_psnr"] != rows[2]["val_psnr"]


def test_sigterm_after_the_last_step_is_not_forgotten(tmp_path, clean_images, monkeypatch):
    folder = RunFolder(tmp_path / "run")

    def on_epoch_end(self, epoch, logs=None):
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(LogForTensorBoard, "on_epoch_end", on_epoch_end)
    with pytest.raises(Stopped, match="all epochs are complete"):
        train(small_config(epochs=1), clean_images, folder, verbose=0)
    assert len(folder.read_history()) == 1


def _stop_after(complete):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == complete:
            raise Stopped("asked to")

    return on_epoch_begin


def test_the_saved_generator_holds_the_averages(averaged_run):
    gan = load_gan(averaged_run.model)
    noisy = np.random.default_rng(0).choice([0.0, 0.5, 1.0], (1, 32, 32, 1)).astype(np.float32)
    saved = keras.models.load_model(averaged_run.generator)
    np.testing.assert_allclose(saved(noisy), gan.predict(noisy, verbose=0), atol=1e-6)
    assert np.abs(saved(noisy) - gan(noisy)).max() > 1e-5


def test_a_folder_in_use_is_kept(tmp_path, clean_images):
    folder = RunFolder(tmp_path / "run")
    folder.create(small_config(), clean_images.record())
    with pytest.raises(OutputError, match="not empty"):
        folder.create(small_config(seed=2), clean_images.record())
    folder.model.write_text("old")
    folder.evaluation.write_text("old")
    precious = folder.path / "fer2013.csv"
    precious.write_text("mine")
    folder.create(small_config(seed=2), clean_images.record(), overwrite=True)
    assert folder.read_record()[0].seed == 2
    assert not folder.model.exists() and not folder.evaluation.exists()
    assert precious.read_text() == "mine"


def test_a_file_in_the_folders_place_is_named(tmp_path, clean_images):
    (tmp_path / "run").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        RunFolder(tmp_path / "run").create(small_config(), clean_images.record())


def test_nothing_to_resume_from_is_named(tmp_path, clean_images):
    folder = RunFolder(tmp_path / "run")
    folder.create(small_config(), clean_images.record())
    with pytest.raises(ModelError, match="no epoch of this run is complete"):
        train(small_config(), clean_images, folder, resume=True, verbose=0)


def test_a_damaged_model_is_named(tmp_path, trained_run):
    path = tmp_path / "model.keras"
    path.write_bytes(trained_run.model.read_bytes()[:10_000])
    with pytest.raises(ModelError, match="cannot load"):
        load_gan(path)


@long_training
def test_a_write_that_fails_costs_no_more_than_the_epoch(
    tmp_path, clean_images, trained_run, monkeypatch
):
    folder = RunFolder(tmp_path / "run")
    save = DenoisingGAN.save

    def fail_in_the_second_epoch(self, path, **options):
        save(self, path, **options)
        if int(self.g_optimizer.iterations) > 3:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(DenoisingGAN, "save", fail_in_the_second_epoch)
        with pytest.raises(OutputError, match=r"model\.keras: No space left on device"):
            run(folder, clean_images)
    assert int(load_gan(folder.model).g_optimizer.iterations) == 3
    assert not list(folder.path.glob(".*"))
    train(small_config(), clean_images, folder, resume=True, verbose=0)
    assert folder.history.read_text() == trained_run.history.read_text()


def test_a_loss_that_is_no_number_is_named_and_the_last_good_epoch_kept(tmp_path, clean_images):
    folder = RunFolder(tmp_path / "run")
    finite = DenoisingGAN._output_gradient

    def not_for_long(self, *args):
        slope, factors = finite(self, *args)
        factor = tf.where(self.g_optimizer.iterations > 4, np.nan, 1.0)
        return slope, {part: factor * value for part, value in factors.items()}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DenoisingGAN, "_output_gradient", not_for_long)
        with pytest.raises(
            TrainingError, match=r"g_\w*(loss|weight) became nan in step 3 of epoch 2; .* kept: 1"
        ):
            run(folder, clean_images)
    assert int(load_gan(folder.model).g_optimizer.iterations) == 3
    assert all(np.isfinite(weights).all() for weights in load_generator(folder.path).get_weights())


@long_training
@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_sixteen_bits_train_and_leave_a_generator_in_float32(tmp_path, clean_images, precision):
    config = small_config(precision=precision, adversary__weight=0.01, epochs=3)
    folder = run_of(tmp_path / "run", clean_images, config)
    gan = load_gan(folder.model)
    assert {layer.compute_dtype for layer in gan.generator.layers} == {"float32", precision}
    assert {weight.dtype for weight in gan.weights} <= {"float32", "int64", "uint32"}
    assert keras.config.dtype_policy().name == "float32"
    generator = load_generator(folder.path)
    assert {layer.compute_dtype for layer in generator.layers} == {"float32"}
    noisy = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 1)).astype(np.float32) / 255
    certain = (noisy > 0) & (noisy < 1)
    for model in (generator, gan.generator):
        np.testing.assert_array_equal(model(noisy).numpy()[certain], noisy[certain])
    np.testing.assert_allclose(generator(noisy), gan.generator(noisy), atol=0.02)
    losses = [float(row["g_reconstruction_loss"] or "nan") for row in folder.read_history()]
    assert losses[-1] < 0.9 * losses[0]


class _RemoveTheFolder(keras.callbacks.Callback):
    def __init__(self, path):
        super().__init__()
        self._path = path

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            shutil.rmtree(self._path)


def test_a_folder_that_is_removed_comes_back(tmp_path, clean_images, trained_run, monkeypatch):
    folder = RunFolder(tmp_path / "run")
    remove = _RemoveTheFolder(folder.path)
    monkeypatch.setattr("kerasgan.training.train.LogForTensorBoard", lambda *args, **kwargs: remove)
    run(folder, clean_images)
    assert folder.history.read_text() == trained_run.history.read_text()
    assert folder.read_record() == (small_config(), clean_images.fingerprint())
    assert_same_model(load_gan(folder.model), load_gan(trained_run.model))


def test_saving_a_model_again_makes_no_optimizers(trained_run, tmp_path, monkeypatch):
    gan = load_gan(trained_run.model)
    gan.save(tmp_path / "first.keras")
    made = []
    monkeypatch.setattr(
        keras.optimizers.Optimizer, "__init__", lambda self, *args, **kwargs: made.append(self)
    )
    gan.save(tmp_path / "second.keras")
    assert not made


def test_training_can_start_from_a_trained_generator(clean_images, trained_run, tmp_path):
    config = small_config(start=str(trained_run.path), epochs=1)
    # So small a rate that nothing moves: what is saved is what training started from.
    still = config.replace(g_optimizer__learning_rate=1e-12, adversary__weight=0.0)
    run = run_of(tmp_path / "run", clean_images, still)
    noisy = np.random.default_rng(0).choice([0.0, 0.4, 1.0], (1, 32, 32, 1)).astype(np.float32)
    started, trained = (load_generator(folder.path) for folder in (run, trained_run))
    for own, other in zip(started.trainable_variables, trained.trainable_variables, strict=True):
        np.testing.assert_allclose(own, other, atol=1e-8)
    assert np.abs(started(noisy) - trained(noisy)).max() < 0.2


def test_a_run_that_is_gone_on_from_hands_its_discriminator_on(clean_images, trained_run, tmp_path):
    config = small_config(start=str(trained_run.path), epochs=1, adversary__begins=0.0)
    still = config.replace(g_optimizer__learning_rate=1e-12, d_optimizer__learning_rate=1e-12)
    given = load_gan(trained_run.model).discriminator
    own = load_gan(run_of(tmp_path / "run", clean_images, still).model).discriminator
    for before, after in zip(given.trainable_variables, own.trainable_variables, strict=True):
        np.testing.assert_allclose(after, before, atol=1e-8)


def test_only_the_same_discriminator_is_handed_on(trained_run):
    config = small_config(start=str(trained_run.path))
    for unlike in (
        config.replace(discriminator__filters=(6, 12)),
        config.replace(adversary__weight=0.0),
        config.replace(start=str(trained_run.generator)),
    ):
        assert start_discriminator(unlike) is None


def test_a_network_grows_details_and_restores_as_before(clean_images, tmp_path):
    plain = run_of(tmp_path / "plain", clean_images, small_config("selective", epochs=1))
    config = small_config(start=str(plain.path))
    assert config.generator.detail
    given, grown = load_generator(plain.path), build_generator(config.generator)
    grown.set_weights(start_weights(config))
    assert grown.count_params() > given.count_params()
    noisy = np.random.default_rng(0).choice([0.0, 0.5, 1.0], (1, 32, 32, 1)).astype(np.float32)
    np.testing.assert_allclose(grown(noisy), given(noisy), atol=1e-6)


def test_new_blocks_begin_with_statistics_of_what_they_see(clean_images, tmp_path):
    plain = run_of(tmp_path / "plain", clean_images, small_config("selective", epochs=1))
    config = small_config("selective", start=str(plain.path), epochs=1, frozen_statistics=True)
    grown = run_of(tmp_path / "grown", clean_images, config.replace(generator__decoder_blocks=2))
    generator = load_generator(grown.path)
    statistics = [
        layer.moving_variance.numpy()
        for layer in generator.layers
        if type(layer) is keras.layers.BatchNormalization
    ]
    # Behind kernels that begin at zero alone, there is nothing to see.
    assert sum(np.all(variance == 1.0) for variance in statistics) == 1


def test_a_network_grows_a_gate_that_is_all_but_open(clean_images, tmp_path):
    plain = run_of(tmp_path / "plain", clean_images, small_config("selective", epochs=1))
    config = small_config("selective", start=str(plain.path), generator__gated=True)
    given, gated = load_generator(plain.path), build_generator(config.generator)
    gated.set_weights(start_weights(config))
    noisy = np.random.default_rng(0).choice([0.0, 0.5, 1.0], (1, 32, 32, 1)).astype(np.float32)
    np.testing.assert_allclose(gated(noisy), given(noisy), atol=0.05)
    again = config.replace(start=str(run_of(tmp_path / "gated", clean_images, config).path))
    gated.set_weights(start_weights(again))
    np.testing.assert_array_equal(gated(noisy), load_generator(again.start)(noisy))


def test_weights_of_another_activation_are_no_start(trained_run):
    config = small_config(start=str(trained_run.path), generator__activation="relu6")
    with pytest.raises(ModelError, match="of the same size and activation"):
        start_weights(config)


def test_a_start_that_does_not_fit_is_named(trained_run, tmp_path):
    for model, message in [
        (trained_run.path, "no selective_generator of the same size"),
        (tmp_path / "none", "there is no model"),
    ]:
        config = small_config(start=str(model), generator__filters=(8, 4, 4))
        with pytest.raises(ModelError, match=message):
            start_weights(config)


@long_training
def test_float16_averages_keeps_its_scale_and_counts_epochs(tmp_path, clean_images):
    config = small_config(precision="float16", g_optimizer__ema_momentum=0.9, epochs=2)
    folder = run_of(tmp_path / "run", clean_images, config)
    gan = load_gan(folder.model)
    assert type(gan.g_optimizer) is keras.optimizers.Adam
    assert gan.g_optimizer.loss_scale_factor == 2.0**12
    assert int(gan.g_optimizer.iterations) == 6 and int(gan.epochs) == 2
    before = [value.numpy() for value in gan.generator.trainable_variables]
    with gan.averaged_weights():
        assert any(
            np.abs(value - average).max() > 1e-6
            for value, average in zip(before, gan.generator.trainable_variables, strict=True)
        )


def copy_of(run, path):
    return RunFolder(Path(shutil.copytree(run.path, path)))


def test_a_run_goes_on_from_the_epoch_that_its_model_tells(tmp_path, clean_images, trained_run):
    """And not from the steps, of which an optimizer may have skipped some."""
    folder = copy_of(trained_run, tmp_path / "run")
    gan = load_gan(folder.model)
    gan.g_optimizer.iterations.assign(2)
    gan.save(folder.model)
    train(small_config(epochs=3), clean_images, folder, resume=True, verbose=0)
    assert [row["epoch"] for row in folder.read_history()] == ["1", "2", "3"]


@pytest.mark.parametrize("state", ["missing", "behind"])
def test_resuming_repairs_what_a_kill_between_two_saves_left(
    state, tmp_path, clean_images, averaged_run, trained_run
):
    """In a run that is finished: there is no epoch to come that would save it again."""
    folder = copy_of(averaged_run, tmp_path / "run")
    if state == "missing":
        folder.generator.unlink()
    else:
        shutil.copy(trained_run.generator, folder.generator)
    config, _ = folder.read_record()
    train(config, clean_images, folder, resume=True, verbose=0)
    for one, other in zip(
        load_generator(folder.path).weights, load_generator(averaged_run.path).weights, strict=True
    ):
        np.testing.assert_array_equal(one, other)
    gan = load_gan(folder.model)
    saved, kept = load_generator(folder.path).get_weights(), gan.generator.get_weights()
    # The generator's averages, and not the weights that training goes on with.
    assert not all(np.array_equal(one, other) for one, other in zip(saved, kept, strict=True))
    with gan.averaged_weights():
        for one, other in zip(saved, gan.generator.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_run_of_older_columns_goes_on(tmp_path, clean_images, trained_run):
    folder = copy_of(trained_run, tmp_path / "run")
    lines = [line.rsplit(",", 1)[0] for line in folder.history.read_text().splitlines()]
    folder.history.write_text("\n".join(lines) + "\n")
    train(small_config(epochs=3), clean_images, folder, resume=True, verbose=0)
    rows = folder.read_history()
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    # The first epoch is without the discriminator, whose columns are empty there.
    newer = [name for name in rows[1] if rows[1][name] == ""]
    assert len(newer) == 1 and rows[2][newer[0]]


@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_a_model_that_is_not_the_configurations_is_refused(
    network, tmp_path, clean_images, trained_run
):
    folder = copy_of(trained_run, tmp_path / "run")
    other = small_config(epochs=3, **{f"{network}__filters": (4, 8, 4)})
    with pytest.raises(ModelError, match=r"model.keras holds a .* weights, but .* describes a"):
        train(other, clean_images, folder, resume=True, verbose=0)


@long_training
def test_a_history_that_was_moved_away_begins_anew(tmp_path, clean_images, trained_run):
    folder = copy_of(trained_run, tmp_path / "run")
    whole = folder.history.read_text()
    folder.history.write_text("".join(whole.splitlines(keepends=True)[:-1]))
    with pytest.raises(ModelError, match="ends with epoch 1, but model.keras with epoch 2"):
        train(small_config(epochs=3), clean_images, folder, resume=True, verbose=0)
    folder.history.unlink()
    for epochs in (3, 4):
        train(small_config(epochs=epochs), clean_images, folder, resume=True, verbose=0)
    assert [row["epoch"] for row in folder.read_history()] == ["3", "4"]


def test_a_training_without_images_to_validate_by_replaces_nothing(tmp_path, clean_images):
    folder = RunFolder(tmp_path / "run")
    folder.create(small_config(), clean_images.record())
    folder.model.write_text("of before")
    unsplit = dataclasses.replace(clean_images, validation=ImageSet())
    with pytest.raises(DataError, match="no images"):
        train(small_config(), unsplit, folder, overwrite=True, verbose=0)
    assert folder.model.read_text() == "of before"
