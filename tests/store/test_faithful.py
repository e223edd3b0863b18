"""Where the faithful end of a model is found, and the knob of whatever is loaded."""

import json
import shutil

import numpy as np
import pytest

from kerasgan.errors import ModelError
from kerasgan.model.loading import load_generator
from kerasgan.restore.restorer import Restorer, load_restorer, load_restorers
from kerasgan.store import zoo
from kerasgan.store.bundle import Bundle
from kerasgan.store.faithful import find_faithful
from kerasgan.store.run_folder import RunFolder
from tests.helpers import bundle_of, noisy_picture

SMALL = {"quantizations": ["float32"], "sizes": [(32, 32)]}
NOISY = noisy_picture(32, 32)


def run_with(trained_run, path, *, faithful=False, **changes):
    """A copy of a run, with parts of its configuration changed."""
    shutil.copytree(trained_run.path, path)
    run = RunFolder(path)
    record = json.loads(run.config.read_text())
    for name, value in changes.items():
        record["config"][name] = value
    run.config.write_text(json.dumps(record))
    if not faithful:
        run.faithful.unlink()
    return run


def adversary(trained_run, **changes):
    return json.loads(trained_run.config.read_text())["config"]["adversary"] | changes


@pytest.fixture(scope="module")
def parts(trained_run, tmp_path_factory):
    """The faithful end of a run as a bundle among the models that come with kerasgan."""
    root = tmp_path_factory.mktemp("zoo")
    return bundle_of(load_generator(trained_run.faithful), root / "plain", **SMALL)


@pytest.fixture
def saved(parts, monkeypatch):
    monkeypatch.setattr(zoo, "_FOLDERS", (parts.path.parent,))
    return parts


@pytest.fixture(scope="module")
def copied(trained_run, tmp_path_factory):
    """A bundle that keeps its faithful end."""
    path = tmp_path_factory.mktemp("copied") / "copied"
    return bundle_of(load_generator(trained_run.path), path, faithful=trained_run.faithful, **SMALL)


@pytest.fixture(scope="module")
def named(trained_run, parts, tmp_path_factory):
    """A bundle whose faithful end comes with kerasgan."""
    path = tmp_path_factory.mktemp("named") / "named"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zoo, "_FOLDERS", (parts.path.parent,))
        return bundle_of(load_generator(trained_run.path), path, faithful="plain", **SMALL)


def assert_ends(model, faithful, sharp):
    """Holds a model to what its two ends restore, and that there is something between."""
    ends = [Restorer(load_generator(end))(NOISY) for end in (faithful, sharp)]
    for sharpness, expected in zip((0.0, 1.0), ends, strict=True):
        restore = Restorer(load_generator(model, sharpness))
        np.testing.assert_array_equal(restore(NOISY), expected)
    between = load_restorer(model, 0.5)(NOISY)
    assert np.any(between != ends[0]) and np.any(between != ends[1])


def test_a_run_begins_with_its_own_faithful_end(trained_run):
    assert find_faithful(trained_run.path) == trained_run.faithful
    assert_ends(trained_run.path, trained_run.faithful, trained_run.generator)
    assert list(load_restorers(trained_run.path, 0.5)) == ["restored"]


def test_a_run_that_was_fine_tuned_at_once_has_its_start(trained_run, saved, tmp_path):
    at_once = adversary(trained_run, begins=0.0)
    named = run_with(trained_run, tmp_path / "named", start="plain", adversary=at_once)
    assert find_faithful(named.path) == saved.path
    assert_ends(named.path, saved.path, named.generator)
    path = str(trained_run.faithful)
    by_path = run_with(trained_run, tmp_path / "path", start=path, adversary=at_once)
    assert find_faithful(by_path.path) == trained_run.faithful
    both = run_with(trained_run, tmp_path / "both", start="plain", adversary=at_once, faithful=True)
    assert find_faithful(both.path) == both.faithful


def test_what_was_fine_tuned_twice_has_the_first_start(trained_run, saved, tmp_path):
    at_once = adversary(trained_run, begins=0.0)
    once = run_with(trained_run, tmp_path / "once", start="plain", adversary=at_once)
    twice = run_with(trained_run, tmp_path / "twice", start=str(once.path), adversary=at_once)
    assert find_faithful(twice.path) == saved.path
    assert_ends(twice.path, saved.path, twice.generator)
    alone = run_with(trained_run, tmp_path / "alone", start=str(once.generator), adversary=at_once)
    assert find_faithful(alone.path) == saved.path
    # Of a start that was removed only its name is known.
    shutil.rmtree(once.path)
    assert find_faithful(twice.path) == once.path
    # Nor is there a first one where a start was replaced by what was made of it.
    run_with(trained_run, once.path, start=str(twice.path), adversary=at_once)
    assert find_faithful(twice.path) == once.path


def test_what_learnt_from_the_reconstruction_alone_has_no_other_end(trained_run, saved, tmp_path):
    alone = adversary(trained_run, weight=0.0)
    for name, run in {
        "alone": run_with(trained_run, tmp_path / "alone", start="plain", adversary=alone),
        # Its discriminator has not joined in yet.
        "began": run_with(trained_run, tmp_path / "began", start="plain"),
        "random": run_with(
            trained_run, tmp_path / "random", adversary=adversary(trained_run, begins=0.0)
        ),
    }.items():
        assert find_faithful(run.path) is None, name
        with pytest.raises(ModelError, match=f"the sharpness of .*{name} .* no faithful end"):
            load_generator(run.path, 0.5)


def test_a_bundle_keeps_its_faithful_end_or_names_it(trained_run, saved, copied, named, tmp_path):
    assert copied.manifest["faithful"]["file"] == "faithful.keras"
    assert_ends(copied.path, trained_run.faithful, trained_run.generator)
    # A bundle may be replaced with all that it holds.
    path = shutil.copytree(copied.path, tmp_path / "copied")
    generator = load_generator(trained_run.path)
    by_path = bundle_of(generator, path, faithful=saved.path, overwrite=True, **SMALL)
    for bundle in (named, by_path):
        assert bundle.manifest["faithful"] == {"model": "plain"}
        assert not (bundle.path / "faithful.keras").exists()
        assert_ends(bundle.path, saved.path, trained_run.generator)
    # Its files have one sharpness, so that only the Keras model has another.
    assert list(load_restorers(named.path)) == ["keras", "float32"]
    assert list(load_restorers(named.path, 0.5)) == ["keras"]
    card = (named.path / "MODEL_CARD.md").read_text()
    assert "`--sharpness 0.5`" in card and "Exported at sharpness" not in card


def test_what_is_wrong_with_a_faithful_end_is_named(copied, named, tmp_path, monkeypatch):
    path = shutil.copytree(copied.path, tmp_path / "damaged")
    (path / "faithful.keras").write_bytes(b"another")
    with pytest.raises(ModelError, match=r"faithful\.keras is not the file"):
        load_generator(path, 0.5)
    assert load_generator(path)
    monkeypatch.setattr(zoo, "_FOLDERS", ())
    with pytest.raises(ModelError, match="no saved model 'plain'; there are none"):
        load_generator(named.path, 0.5)


def test_an_end_that_does_not_fit_is_refused_before_anything_is_written(
    trained_run, classic_bundle, tmp_path
):
    generator = load_generator(trained_run.path)
    with pytest.raises(ModelError, match="classic_generator and selective_generator are not one"):
        bundle_of(generator, tmp_path / "bundle", faithful=classic_bundle.path, **SMALL)
    assert not list(tmp_path.iterdir())
    at_once = adversary(trained_run, begins=0.0)
    start = str(classic_bundle.path)
    run = run_with(trained_run, tmp_path / "run", start=start, adversary=at_once)
    with pytest.raises(ModelError, match="the sharpness of .*run cannot be changed: classic_gen"):
        load_generator(run.path, 0.5)


def test_an_exported_sharpness_is_told_and_fixed(trained_run, tmp_path):
    half = bundle_of(load_generator(trained_run.path, 0.5), tmp_path / "x", sharpness=0.5, **SMALL)
    assert Bundle.read(half.path).manifest["sharpness"] == 0.5
    assert "Exported at sharpness 0.5" in (half.path / "MODEL_CARD.md").read_text()
    expected = load_restorer(trained_run.path, 0.5)(NOISY)
    file = load_restorer(half.path, precision="float32")(NOISY)
    for sharpness in (1.0, 0.5):
        np.testing.assert_array_equal(load_restorer(half.path, sharpness)(NOISY), file)
        by_keras = load_restorer(half.path, sharpness, precision="keras")(NOISY)
        np.testing.assert_array_equal(by_keras, expected)
        assert [*load_restorers(half.path, sharpness)] == ["keras", "float32"]
    with pytest.raises(ModelError, match="was exported at sharpness 0.5, and holds nothing else"):
        load_restorer(half.path, 0.2)


def test_single_files_say_how_another_sharpness_is_made(trained_run, bundle):
    for path in (trained_run.generator, bundle.path / "int8.tflite"):
        with pytest.raises(ModelError, match="kerasgan export MODEL --tflite --sharpness 0.25"):
            load_restorer(path, 0.25)
    with pytest.raises(ModelError, match="there is no model nowhere"):
        load_restorer("nowhere", 0.25)


def test_folders_of_others_have_no_faithful_end(trained_run, tmp_path):
    shutil.copy(trained_run.generator, tmp_path)
    assert find_faithful(tmp_path) is None
    (tmp_path / "config.json").write_text('{"architectures": ["UNet"]}')
    assert find_faithful(tmp_path) is None
