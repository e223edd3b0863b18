"""Results as one HTML file that opens anywhere: figures, plots, and the pictures themselves."""

import base64
import io
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from PIL import Image

from kerasgan.data.clean import ImageSet
from kerasgan.images.pixels import Pixels
from kerasgan.measure import plots
from kerasgan.measure.baselines import BASELINES
from kerasgan.measure.evaluation import Score
from kerasgan.measure.lenses import MEASURES
from kerasgan.measure.memory import peak_mib
from kerasgan.measure.metrics import EXACT_PSNR
from kerasgan.measure.noisy import Recorded, noisy_images
from kerasgan.measure.page import flat, render
from kerasgan.noise.base import Noise
from kerasgan.store.files import write_text

# Images are shown whole up to this size, and as a crop of it beyond.
_CROP = 96
# The error, of 255, that is drawn brightest.
_LARGEST_ERROR = 64
_TIMED = 5


@dataclass(frozen=True)
class Evaluation:
    """What a report is made from.

    Attributes:
        model: what was measured, as the user called it.
        command: what was typed to measure it.
        source: where the images are from.
        images: the clean images.
        scores: as `evaluation.evaluate` returned them for those images.
        restorers: what restored them in this process, by name; the report is about the first one.
        sharpness: of each of the restorers, where they are one model of which it was turned.
        noise: what the images were given, or came with.
        seed: that decided the noise.
        record: the content of the training run's config.json, where it is known.
        history: the training run's epochs, as `RunFolder.read_history` returns them.
    """

    model: str
    command: str
    source: str
    images: ImageSet
    scores: Sequence[Score]
    restorers: Mapping[str, Callable[[Pixels], Pixels]]
    noise: Noise | Recorded
    seed: int
    sharpness: Mapping[str, float] = field(default_factory=dict)
    record: Mapping[str, Any] | None = None
    history: Sequence[Mapping[str, str]] = ()

    def __post_init__(self) -> None:
        if not self.restorers:
            raise ValueError("a report needs a restorer to show")

    @property
    def main(self) -> str:
        """The method that the report is about."""
        return next(iter(self.restorers))

    @property
    def shown(self) -> list[str]:
        """The methods whose pictures are shown: the main one, after the rest of its curve."""
        names = list(self.restorers)
        curve = [names[-1], names[len(names) // 2]] if self.sharpness else []
        return list(dict.fromkeys([*curve, self.main]))

    @property
    def levels(self) -> list[float]:
        """The levels of noise, in the order in which they were measured."""
        return list(dict.fromkeys(score.level for score in self.scores))

    def at(self, level: float) -> dict[str, Score]:
        """The scores of every method at one level, by name."""
        return {score.method: score for score in self.scores if score.level == level}

    def rival(self, level: float) -> Score:
        """The best of what was measured beside the restorers."""
        others = [score for name, score in self.at(level).items() if name not in self.restorers]
        return max(others, key=lambda score: score.psnr)


def write_report(path: Path, evaluation: Evaluation) -> None:
    """Writes an evaluation as one HTML file, which asks no host for anything.

    Args:
        path: the file to write or replace.
        evaluation: what to show.

    Raises:
        OutputError: if the file cannot be written.
    """
    page = render(
        "report.html",
        evaluation=evaluation,
        summary=[_summary(evaluation, level) for level in evaluation.levels],
        curves=list(_curves(evaluation)),
        sharpening=list(_sharpening(evaluation)),
        training=list(_training_curves(evaluation.history)),
        clouds=[_cloud(evaluation, level) for level in evaluation.levels],
        galleries=[_gallery(evaluation, level) for level in evaluation.levels],
        times=_times(evaluation),
        memory=peak_mib(),
        machine=f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        settings=list(flat(evaluation.record or {})),
        largest_error=_LARGEST_ERROR,
        measures={name: MEASURES[name] for name in evaluation.scores[0].looks},
    )
    write_text(path, page)


def _summary(evaluation: Evaluation, level: float) -> dict[str, Any]:
    own, rival = evaluation.at(level)[evaluation.main], evaluation.rival(level)
    scores = evaluation.at(level).values()
    better = [a.psnr > b.psnr for a, b in zip(own.each, rival.each, strict=True)]
    return {
        "level": evaluation.noise.label(level),
        "own": own,
        "rival": rival,
        "gain": own.psnr - rival.psnr,
        "better": sum(better) / len(better),
        "best_psnr": max(score.psnr for score in scores),
        "best_ssim": max(score.ssim for score in scores),
        "best_looks": {
            name: (max if MEASURES[name].higher else min)(score.looks[name] for score in scores)
            for name in own.looks
        },
        "scores": scores,
    }


def _curves(evaluation: Evaluation) -> Iterator[tuple[str, str]]:
    levels = sorted(evaluation.levels)
    quantity = evaluation.noise.quantity
    shown = [evaluation.main, *(n for n in evaluation.at(levels[0]) if n in BASELINES)]
    if len(levels) > 1:
        for title, unit in (("PSNR", "PSNR, dB"), ("SSIM", "SSIM")):
            series = {
                name: (levels, [getattr(evaluation.at(at)[name], title.lower()) for at in levels])
                for name in shown
            }
            yield f"{title} against the {quantity}", plots.lines(series, quantity, unit)


def _sharpening(evaluation: Evaluation) -> Iterator[tuple[str, str]]:
    """What turning the sharpness trades (Blau & Michaeli, CVPR 2018), at each level."""
    if not evaluation.sharpness:
        return
    looks = [name for name in ("lpips", "kernel_distance") if name in evaluation.scores[0].looks]
    for level in evaluation.levels:
        scores = [evaluation.at(level)[name] for name in evaluation.sharpness]
        for look in looks or ["sharpness"]:
            values = [score.looks.get(look, score.sharpness) for score in scores]
            series = {evaluation.model: ([score.psnr for score in scores], values)}
            title = f"{MEASURES[look].heading} at {evaluation.noise.label(level)}"
            yield title, plots.lines(series, "PSNR, dB", MEASURES[look].title)


def _training_curves(history: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    for title, unit, names in (
        ("Validation PSNR while training", "PSNR, dB", ["val_psnr"]),
        ("Losses while training", "loss", ["g_loss", "g_reconstruction_loss", "d_loss"]),
    ):
        known = [name for name in names if any(row.get(name) for row in history)]
        if known:
            series = {name: _points(history, name) for name in known}
            yield title, plots.lines(series, "epoch", unit)


def _points(history: Sequence[Mapping[str, str]], name: str) -> tuple[list[float], list[float]]:
    """Epochs and values of a column, where there are any."""
    rows = [row for row in history if row.get(name)]
    return [float(row["epoch"]) for row in rows], [float(row[name]) for row in rows]


def _cloud(evaluation: Evaluation, level: float) -> tuple[str, str]:
    own, rival = evaluation.at(level)[evaluation.main], evaluation.rival(level)
    x, y = ([min(each.psnr, EXACT_PSNR) for each in score.each] for score in (rival, own))
    at = evaluation.noise.label(level)
    title = f"Each image at {at}: {evaluation.main} against {rival.method}"
    labels = (f"{rival.method}, dB", f"{evaluation.main}, dB")
    return title, plots.scatter(x, y, *labels)


def _gallery(evaluation: Evaluation, level: float) -> dict[str, Any]:
    own, rival = evaluation.at(level)[evaluation.main], evaluation.rival(level)
    order = np.argsort([each.psnr for each in own.each], kind="stable")
    noisy = noisy_images(evaluation.images, evaluation.noise.at(level), seed=evaluation.seed)
    cases = {"hardest": order[0], "median": order[len(order) // 2], "easiest": order[-1]}
    return {
        "level": evaluation.noise.label(level),
        "rows": [
            _case(evaluation, f"{which} of {len(order):,}", int(index), noisy[index], rival)
            for which, index in cases.items()
        ],
    }


def _case(
    evaluation: Evaluation, which: str, index: int, noisy: Pixels, rival: Score
) -> dict[str, Any]:
    clean = evaluation.images.images[index]
    scores = evaluation.at(rival.level)
    shown = {name: evaluation.restorers[name](noisy) for name in evaluation.shown}
    restored = shown[evaluation.main]
    filtered = BASELINES[rival.method](noisy) if rival.method in BASELINES else noisy
    part = _worst_part(clean, restored)
    errors = {rival.method: filtered, evaluation.main: restored}
    columns = {
        "clean": clean,
        "noisy": noisy,
        f"{rival.method}, {rival.each[index].psnr:.1f} dB": filtered,
        **{
            f"{name}, {scores[name].each[index].psnr:.1f} dB": image
            for name, image in shown.items()
        },
        **{f"error of {name}": _error_map(clean, image) for name, image in errors.items()},
    }
    cropped = part != (slice(0, clean.shape[0]), slice(0, clean.shape[1]))
    return {
        "which": which,
        "name": evaluation.images.names[index],
        "whole": _png(restored) if cropped else None,
        "columns": {title: _png(pixels[part]) for title, pixels in columns.items()},
    }


def _worst_part(clean: Pixels, restored: Pixels) -> tuple[slice, slice]:
    """Where an image of at most `_CROP` pixels a side was restored worst."""
    error = np.square(clean.astype(np.float64) - restored).sum(axis=-1)
    sums = np.pad(error.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    height, width = (min(_CROP, extent) for extent in error.shape)
    parts = sums[height:, width:] - sums[:-height, width:]
    parts -= sums[height:, :-width] - sums[:-height, :-width]
    top, left = (int(place) for place in np.unravel_index(parts.argmax(), parts.shape))
    return slice(top, top + height), slice(left, left + width)


def _error_map(clean: Pixels, image: Pixels) -> Pixels:
    error = np.abs(clean.astype(np.float64) - image).mean(axis=-1) / _LARGEST_ERROR
    colored: Pixels = np.rint(colormaps["inferno"](np.minimum(error, 1.0))[..., :3] * 255)
    return colored.astype(np.uint8)


def _png(pixels: Pixels) -> str:
    content = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(content, "PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode("ascii")


def _times(evaluation: Evaluation) -> list[tuple[str, float]]:
    """Median milliseconds of an image, in this process alone, on the first images."""
    first = evaluation.images.first(_TIMED)
    middle = sorted(evaluation.levels)[len(evaluation.levels) // 2]
    noisy = noisy_images(first, evaluation.noise.at(middle))
    measured = evaluation.at(middle)
    methods = {name: BASELINES[name] for name in measured if name in BASELINES}
    for restore in evaluation.restorers.values():
        for image in noisy:
            restore(image)  # Another size may make another graph.
    return [
        (name, statistics.median(_milliseconds(method, noisy)))
        for name, method in {**methods, **evaluation.restorers}.items()
    ]


def _milliseconds(method: Callable[[Pixels], Pixels], noisy: Sequence[Pixels]) -> Iterator[float]:
    for image in noisy:
        began = time.perf_counter()
        method(image)
        yield 1000 * (time.perf_counter() - began)
