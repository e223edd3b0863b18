"""Which models restore a picture, and in which order: by what it looks like."""

import copy
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from kerasgan.images.pixels import Pixels, from_float, to_float
from kerasgan.restore.inspection import Inspection, inspect
from kerasgan.restore.restorer import Restorer
from kerasgan.store.purpose import knows_pages, removed_noise
from kerasgan.store.zoo import (
    CAMERA_MODEL,
    DEFAULT_MODEL,
    GAUSSIAN_MODEL,
    IMPULSES_MODEL,
    PAGES_MODEL,
    read_saved_model,
)

# Once impulses are gone, clean photographs look as if they had grain of 1.2 levels at most, and
# those with Gaussian noise of σ 3 of 1.9 at least: 17 of McMaster and Set12, 30% of impulses.
_GRAIN = 1.5
# What a picture may look like for which there is a model that comes with kerasgan.
_OF_GRAIN = {"gaussian", "signal-dependent"}
_REMOVED = {"salt-and-pepper", "impulses", *_OF_GRAIN}


def fitting_model(found: Inspection, *, filled: bool = False) -> str:
    """Chooses among the models that come with kerasgan.

    Args:
        found: what a picture looks like.
        filled: whether impulses were taken from it before: grain is smooth where it was filled in,
            and no longer Gaussian.

    Returns:
        The name of the one that removes that; of the one that does least, where none does.
    """
    if found.kind == "salt-and-pepper":
        return PAGES_MODEL if found.is_drawn else DEFAULT_MODEL
    if found.kind == "impulses":
        return IMPULSES_MODEL
    return GAUSSIAN_MODEL if found.kind == "gaussian" and not filled else CAMERA_MODEL


class Step(NamedTuple):
    """What was seen, and the model that was taken for it."""

    found: Inspection
    model: Path


class Restored(NamedTuple):
    """What became of a picture.

    Attributes:
        pixels: the picture, the same where there are no steps.
        steps: what was done to it, in order.
        objection: why nothing was done, for people; None where something was.
        fits: whether there is a model for what was seen first, objection or not.
        rest: what else may be done by hand, after what was done; empty where nothing.
    """

    pixels: Pixels
    steps: tuple[Step, ...]
    objection: str | None
    fits: bool
    rest: str = ""


class Choice:
    """Restores each picture by the model that fits it, and leaves alone what none fits.

    Where none is named, a picture is looked at again after it was restored: what salt and pepper
    had hidden is removed next, by its own model. Pictures without visible noise, though that of a
    camera may hide in them, are left alone.

    Args:
        model: who restores everything; None for the models that come with kerasgan.
        load: makes a restorer of a model's path; called at once for the one that is named, and for
            others when a picture needs them.
        strength: how far to go from a picture to the restored one, in [0, 1].
        force: whether to restore what looks as if it had other noise, or none.

    Raises:
        ModelError: naming the model that cannot be loaded, and why.
    """

    def __init__(
        self,
        model: Path | None,
        load: Callable[[Path], Restorer],
        *,
        strength: float = 1.0,
        force: bool = False,
    ):
        self._model, self._load, self._strength, self._force = model, load, strength, force
        self._loaded = {} if model is None else {model: load(model)}
        self._purposes: dict[Path, tuple[str, bool]] = {}

    def twin(self, threads: int = 1) -> Self:
        """Makes another one that restores the same, for another thread of the program.

        Args:
            threads: how many threads a .tflite file that is loaded may use.

        Returns:
            The other one.
        """
        twin = copy.copy(self)
        twin._loaded = {path: restorer.twin(threads) for path, restorer in self._loaded.items()}
        return twin

    def __call__(
        self, pixels: Pixels, advance: Callable[[float], Any] = lambda share: None
    ) -> Restored:
        """Restores one picture.

        Args:
            pixels: (H, W), (H, W, 1) or (H, W, 3): uint8, uint16, or float in [0, 1].
            advance: as of `Restorer`.

        Returns:
            The picture, and what was done.

        Raises:
            ModelError: naming the model that cannot be loaded, and why.
        """
        before, steps, rest = pixels, list[Step](), ""
        # One model alone goes that far by itself, and rounds once.
        each, whole = (self._strength, 1.0) if self._model else (1.0, self._strength)
        # What is left after one that was named is left to it.
        while not steps or self._model is None:
            found = inspect(pixels)
            model = self._model or read_saved_model(fitting_model(found, filled=bool(steps))).path
            noise, pages = self._purpose(model)
            objection = self._objection(found, noise, pages)
            if not steps and objection is not None and not self._force:
                fits = found.kind in _REMOVED and found.is_of(noise)
                return Restored(pixels, (), objection, fits)
            if steps and (objection is not None or _is_done(found, model, steps)):
                if _hides_grain(found) and found.sigma >= _GRAIN:
                    rest = f"; faint grain is left, which --model {CAMERA_MODEL} takes from it"
                break
            if model not in self._loaded:
                self._loaded[model] = self._load(model)
            pixels = self._loaded[model](pixels, advance, strength=each)
            steps.append(Step(found, model))
            # The picture has been counted; what this raises still ends the restoring.
            advance = functools.partial(_counted, advance)
        return Restored(_between(before, pixels, whole), tuple(steps), None, True, rest)

    def _purpose(self, model: Path) -> tuple[str, bool]:
        """The kind of noise that a model removes, and whether it knows pages; read once."""
        if model not in self._purposes:
            self._purposes[model] = removed_noise(model).kind, knows_pages(model)
        return self._purposes[model]

    def _objection(self, found: Inspection, noise: str, pages: bool) -> str | None:
        """What speaks against restoring with a model of that purpose."""
        if self._model is None and found.kind not in _REMOVED:
            hint = f"; if it has faint grain, --model {CAMERA_MODEL} restores it"
            return found.sentence + (hint if _hides_grain(found) else "")
        return found.objection(noise, pages)


def _is_done(found: Inspection, model: Path, steps: Sequence[Step]) -> bool:
    """Whether that was taken before: by the same model, or grain, by either of its models."""
    return any(model == step.model or {found.kind, step.found.kind} <= _OF_GRAIN for step in steps)


def _hides_grain(found: Inspection) -> bool:
    """Whether grain may hide: a good camera's is fainter than what others' clean pictures have."""
    return found.kind == "clean" and not found.is_drawn


def _counted(advance: Callable[[float], Any], share: float) -> None:
    advance(0.0)


def _between(before: Pixels, after: Pixels, strength: float) -> Pixels:
    if strength == 1.0 or before is after:
        return after
    if before.dtype.kind == "f":
        return before + np.float32(strength) * (after - before)
    values = to_float(before)
    return from_float(values + np.float32(strength) * (to_float(after) - values), before.dtype)
