"""Where the faithful end of a sharp model lies: the generator before a discriminator joined in."""

from pathlib import Path

from kerasgan.store.bundle import Bundle, is_bundle, training_record
from kerasgan.store.record import parse_record
from kerasgan.store.run_folder import RunFolder
from kerasgan.store.zoo import find_model, read_saved_model


def find_faithful(model: Path) -> Path | None:
    """Finds the generator that a model's one was fine-tuned from, against a discriminator.

    Args:
        model: a run folder or a bundle; other paths have no such end.

    Returns:
        What `load_generator` takes, which is not there any more if a run's start was removed; the
        first of them where one sharp generator was fine-tuned from another. None where there is no
        faithful end: a model that learnt from the reconstruction alone, or against a discriminator
        from random weights on, or a bundle of another sharpness than 1.

    Raises:
        ModelError: if the run's or the bundle's record is damaged, a file is another one than the
            bundle lists, or the saved model that it names does not come with this kerasgan.
    """
    end: Path | None = None
    known = {model}
    while (before := _fine_tuned_from(end or model)) is not None and before not in known:
        known.add(before)
        end = before
    return end


def _fine_tuned_from(model: Path) -> Path | None:
    if is_bundle(model):
        bundle = Bundle.read(model)
        entry = bundle.manifest.get("faithful")
        if entry is None:
            return None
        if "model" in entry:
            return read_saved_model(entry["model"]).path
        return bundle.checked_file(entry)
    if not model.is_dir():
        return None
    run = RunFolder(model)
    if run.faithful.is_file():
        return run.faithful
    if (record := training_record(model)) is None:
        return None
    config, _ = parse_record(record, run.config)
    # With epochs of its own, the discriminator was never asked, or has not joined in yet.
    if config.start is None or config.epochs_of("reconstruction"):
        return None
    start = find_model(config.start)
    # A run whose generator alone was gone on from has the same end.
    return start.parent if start == RunFolder(start.parent).generator else start
