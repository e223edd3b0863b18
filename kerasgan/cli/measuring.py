"""How pictures are measured: by which part of them, through which lenses, and where it is told."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from kerasgan.cli.progress import Progress
from kerasgan.store.files import write_text
from kerasgan.store.machine import processors

# Biharmonic inpainting of a larger square takes minutes.
CROP = 512
# So many are filtered before other processes have started.
_FEW_PIXELS = 300_000


def cut(images: Any, size: int) -> Any:
    """Cuts larger pictures to the square in their middle, and says so."""
    from kerasgan.measure.evaluation import center_crops

    larger = sum(max(image.shape[:2]) > size for image in images)
    if larger:
        click.echo(
            f"Measuring the middle {size}×{size} of {larger} larger "
            f"picture{'s' * (larger > 1)}; kerasgan evaluate --crop 0 measures them whole"
        )
    return center_crops(images, size)


def open_lenses(images: Any) -> Any:
    """Opens what looks at images, and says what is missing, and why."""
    from kerasgan.measure.lenses import Lenses

    lenses = Lenses(images)
    for missing in lenses.missing:
        click.echo(f"Note: looks are measured in part; {missing}")
    return lenses


def measure(
    restorers: dict[str, Any],
    images: Any,
    noise: Any,
    levels: Sequence[float] = (),
    *,
    seed: int,
    baselines: Sequence[str],
    lenses: Any = None,
) -> Any:
    """Measures restorers beside baselines, telling how long that takes, and prints the table."""
    from kerasgan.measure.evaluation import evaluate, format_table

    levels = levels or noise.reported_levels
    pixels = len(levels) * sum(image.shape[0] * image.shape[1] for image in images)
    with Progress("Measuring", len(images) * len(levels), "images") as progress:
        scores = evaluate(
            restorers,
            images,
            noise,
            levels,
            classical=baselines,
            seed=seed,
            workers=None if pixels < _FEW_PIXELS else min(len(images), processors()),
            lenses=lenses,
            on_image=progress.advance,
        )
    click.echo("\n" + format_table(scores, noise))
    return scores


def write_scores(path: Path, scores: Any) -> None:
    """Writes scores as JSON."""
    write_text(path, json.dumps([score.to_dict() for score in scores], indent=2) + "\n")
