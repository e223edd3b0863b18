"""How well images are restored, and how they look, for each level of noise and each method."""

import contextlib
import functools
import multiprocessing
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from kerasgan.data.clean import ImageSet
from kerasgan.errors import DataError
from kerasgan.images.pixels import Pixels
from kerasgan.measure import baselines, metrics, perception
from kerasgan.measure.lenses import MEASURES, Lenses, Look, summarize
from kerasgan.measure.noisy import Recorded, noisy_images
from kerasgan.noise.base import Noise

# Characters that a title takes on a line.
_COLUMN = 13


class ImageScore(NamedTuple):
    """How well one image was restored; units as in `Score`."""

    psnr: float
    ssim: float
    mse: float
    corrupted_psnr: float | None
    sharpness: float


@dataclass(frozen=True)
class Score:
    """Means over images, of one method at one level of noise.

    Attributes:
        level: of the noise.
        method: what restored the images; "noisy" is no method at all.
        images: how many there were.
        psnr: dB, data range 255, outputs rounded to 8 bits.
        ssim: as scikit-image computes it by default.
        mse: of pixels scaled to [0, 1].
        corrupted_psnr: PSNR over the pixels that the noise changed, alone; None if it changed none.
        sharpness: ratio of gradients to the clean image's; 1 is as sharp, less is blurred.
        each: the images' own scores, in their order.
        looks: what lenses saw, by the names in `MEASURES`; empty without lenses.
    """

    level: float
    method: str
    images: int
    psnr: float
    ssim: float
    mse: float
    corrupted_psnr: float | None
    sharpness: float
    each: tuple[ImageScore, ...] = field(repr=False)
    looks: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, float | str | int | None]:
        """Returns the means as a JSON-compatible dictionary."""
        means = {name: value for name, value in vars(self).items() if name not in ("each", "looks")}
        return {**means, **self.looks}


def center_crops(images: ImageSet, size: int) -> ImageSet:
    """Cuts images that are larger than a square to their centre.

    Args:
        images: clean images.
        size: the longest height and width to keep, in pixels.

    Returns:
        The set with larger images cut.
    """

    def crop(image: Pixels) -> Pixels:
        top, left = (max(0, (extent - size) // 2) for extent in image.shape[:2])
        return image[top : top + size, left : left + size]

    return ImageSet(tuple(map(crop, images)), images.names)


def evaluate(
    methods: dict[str, Callable[[Pixels], Pixels]],
    images: ImageSet,
    noise: Noise | Recorded,
    levels: Sequence[float] | None = None,
    *,
    classical: Sequence[str] | None = None,
    seed: int = 0,
    workers: int | None = None,
    lenses: Lenses | None = None,
    on_image: Callable[[], None] = lambda: None,
) -> list[Score]:
    """Compares methods, and baselines, on the same noisy images.

    Args:
        methods: restorers by name: from uint8 (H, W, C) to the same, run in this process.
        images: clean images, each given noise of its own, fixed by the seed.
        noise: what corrupts them, or corrupted them.
        levels: of the noise; None takes `noise.reported_levels`.
        classical: names of the baselines, from `baselines.BASELINES`; None takes those that are
            usual for the noise, as far as they are installed.
        seed: decides the noise.
        workers: processes to run the baselines in; None runs them in this one. Only for programs
            that can be imported without running: workers import the main module.
        lenses: how restored images look through them is measured, too.
        on_image: called after each image of each level.

    Returns:
        For each level: the noisy images, the baselines, then the methods.

    Raises:
        DataError: naming the first image that is too small to measure; or if a worker is killed.
    """
    check_measurable(images)
    if classical is None:
        classical = baselines.installed(baselines.usual(noise))
    scores = []
    with _mapping(workers if classical else None) as parallel_map:
        for level in noise.reported_levels if levels is None else levels:
            noisy = noisy_images(images, noise.at(level), seed=seed)
            each: dict[str, list[ImageScore]] = {}
            looks: dict[str, list[Look]] = {}
            baseline = functools.partial(baselines.restore_with, classical)
            for clean, corrupted, restored in zip(
                images, noisy, parallel_map(baseline, noisy), strict=True
            ):
                results = {"noisy": corrupted, **restored}
                results |= {name: method(corrupted) for name, method in methods.items()}
                for name, result in results.items():
                    each.setdefault(name, []).append(_measure(clean, corrupted, result))
                if lenses is not None:
                    seen = lenses.look(clean, list(results.values()))
                    for name, look in zip(results, seen, strict=True):
                        looks.setdefault(name, []).append(look)
                on_image()
            scores += [
                _mean(level, name, tuple(own), looks.get(name, ())) for name, own in each.items()
            ]
    return scores


def check_measurable(images: ImageSet) -> None:
    """Checks that all images are large enough for SSIM.

    Args:
        images: clean images.

    Raises:
        DataError: naming the first that is not.
    """
    least = metrics.SSIM_WINDOW
    for name, image in zip(images.names, images, strict=True):
        height, width = image.shape[:2]
        if min(height, width) < least:
            raise DataError(f"{name} is {width}×{height}: measuring needs at least {least}×{least}")


@contextlib.contextmanager
def _mapping(workers: int | None) -> Iterator[Any]:
    if workers is None:
        yield map
        return
    # Workers start fresh: a fork of a process that runs TensorFlow can hang.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    try:
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            try:
                yield pool.map
            except BaseException:
                # The pool would wait for all that was handed to it.
                for worker in set(multiprocessing.active_children()) - others:
                    worker.terminate()
                raise
    except BrokenProcessPool as error:
        raise DataError(
            "a process that ran the classical filters was killed, perhaps for its memory; measure "
            "smaller or fewer images, or fewer baselines"
        ) from error


def _measure(clean: Pixels, noisy: Pixels, restored: Pixels) -> ImageScore:
    changed = (clean != noisy).any(axis=-1)
    return ImageScore(
        psnr=metrics.psnr(clean, restored, 255),
        ssim=metrics.ssim(clean, restored, 255),
        mse=metrics.mse(clean, restored) / 255**2,
        corrupted_psnr=metrics.psnr(clean[changed], restored[changed], 255)
        if changed.any()
        else None,
        sharpness=perception.sharpness_ratio(clean, restored),
    )


def _mean(level: float, method: str, each: tuple[ImageScore, ...], looks: Sequence[Look]) -> Score:
    corrupted = [score.corrupted_psnr for score in each if score.corrupted_psnr is not None]
    return Score(
        level=level,
        method=method,
        images=len(each),
        psnr=metrics.mean_psnr([score.psnr for score in each]),
        ssim=float(np.mean([score.ssim for score in each])),
        mse=float(np.mean([score.mse for score in each])),
        corrupted_psnr=metrics.mean_psnr(corrupted) if corrupted else None,
        sharpness=float(np.mean([score.sharpness for score in each])),
        each=each,
        looks={name: float(np.mean(values)) for name, values in summarize(looks).items()},
    )


def format_table(scores: Sequence[Score], noise: Noise | Recorded) -> str:
    """Lays scores out as text.

    Args:
        scores: as `evaluate` returns them.
        noise: what it was given.

    Returns:
        One table per level, with the best PSNR marked; with lenses, another below it.
    """
    levels = dict.fromkeys(score.level for score in scores)
    tables = ([score for score in scores if score.level == level] for level in levels)
    return "\n\n".join("\n".join(_lines(table, noise)) for table in tables)


def _lines(scores: Sequence[Score], noise: Noise | Recorded) -> Iterator[str]:
    plural = "s" if scores[0].images != 1 else ""
    yield f"{noise.title}, {noise.label(scores[0].level)}; {scores[0].images:,} image{plural}"
    yield from _aligned(
        scores,
        {
            "PSNR dB": [f"{score.psnr:.2f}" for score in scores],
            "SSIM": [f"{score.ssim:.4f}" for score in scores],
            "MSE": [f"{score.mse:.6f}" for score in scores],
            "PSNR of corrupted": [
                "-" if score.corrupted_psnr is None else f"{score.corrupted_psnr:.2f}"
                for score in scores
            ],
            "sharpness ratio": [f"{score.sharpness:.4f}" for score in scores],
        },
    )
    if looks := scores[0].looks:
        yield ""
        yield from _aligned(
            scores,
            {
                MEASURES[name].heading: [
                    f"{score.looks[name]:.{MEASURES[name].digits}f}" for score in scores
                ]
                for name in looks
            },
        )


def _aligned(scores: Sequence[Score], columns: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Lines of a table, with titles wrapped so that it fits 80 characters."""
    best = max(score.psnr for score in scores)
    titles = [textwrap.wrap(title, _COLUMN) for title in columns]
    widths = [max(map(len, [*t, *c])) for t, c in zip(titles, columns.values(), strict=True)]
    height = max(map(len, titles))
    padded = ([""] * (height - len(title)) + title for title in titles)
    names = [f"{'*' if score.psnr == best else ' '} {score.method}" for score in scores]
    rows = [*zip(*padded, strict=True), *zip(*columns.values(), strict=True)]
    for name, row in zip([""] * height + names, rows, strict=True):
        cells = (f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        yield f"{name:24}  {'  '.join(cells)}".rstrip()
