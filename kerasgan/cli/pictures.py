"""What commands on picture files share: planning, and working through pictures."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

from kerasgan.errors import DataError, KerasganError, OutputError


def work_through(
    plan: Sequence[tuple[Path, Path]], work: Callable[[int, Path, Path], str], done: str
) -> None:
    """Does the same to every picture, and goes on after those that cannot be used.

    Args:
        plan: pairs of a picture and the file that its result goes to.
        work: does one, of the number, picture and file given; returns what to tell of it.
        done: what has then been done to it, for messages.

    Raises:
        click.ClickException: if some of several could not be done, after all others were; the
            error itself, if it was the only one.
    """
    failures = 0
    for index, (source, target) in enumerate(plan):
        try:
            click.echo(work(index, source, target))
        except (KerasganError, MemoryError) as error:
            if len(plan) == 1:
                raise
            failures += 1
            what = str(error) if isinstance(error, KerasganError) else f"{source}: out of memory"
            click.echo(f"Error: {what}", err=True)
    if failures:
        raise click.ClickException(f"{failures} of {len(plan)} pictures could not be {done}")


def _lies_within(path: Path, folder: Path, source: Path) -> bool:
    """Tells whether a picture of a source is a result of last time, in a folder of its own."""
    folder, source = folder.resolve(), source.resolve()
    inside = folder != source and folder.is_relative_to(source)
    return inside and path.parent.resolve().is_relative_to(folder)


def plan_pictures(
    sources: Sequence[Path],
    output: Path | None,
    ending: str,
    overwrite: bool,
    lossless: bool = False,
) -> Iterator[tuple[Path, Path]]:
    """Pairs every picture with the file that its result goes to.

    Args:
        sources: pictures, and folders of them.
        output: a file or folder for the results; None for places beside the sources.
        ending: what is put behind the name of a picture or folder where its result is beside it.
        overwrite: whether results may replace files.
        lossless: whether results that would be JPEG files become PNG files.

    Yields:
        Pairs of a picture and the file for its result.

    Raises:
        DataError: if a source is missing, or no picture and no folder that holds one.
        OutputError: if a result cannot be written, or would replace a file or another result.
    """
    from kerasgan.images.pictures import LOSSY_SUFFIXES, SUFFIXES, check_output, find_images

    to_file = output is not None and bool(output.suffix) and not output.is_dir()
    seen: set[Path] = set()
    for source in sources:
        if source.is_dir():
            real = source.resolve()
            folder = output or real.with_name(real.name + ending)
            files = [
                (path, folder / path.relative_to(source))
                for path in find_images(source)
                if not _lies_within(path, folder, source)
            ]
            if not files:
                raise DataError(f"{source} holds no images ({', '.join(SUFFIXES)})")
        elif not source.exists():
            raise DataError(f"there is no picture {source}")
        elif source.suffix.lower() not in SUFFIXES:
            raise DataError(f"{source} is none of the formats read here ({', '.join(SUFFIXES)})")
        elif output is None:
            files = [(source, source.with_stem(source.stem + ending))]
        elif to_file and len(sources) == 1:
            files = [(source, output)]
        else:
            files = [(source, output / source.name)]
        for path, target in files:
            if lossless and target != output and target.suffix.lower() in LOSSY_SUFFIXES:
                target = target.with_suffix(".png")
            check_output(target)
            if target in seen:
                raise OutputError(f"two pictures would become {target}; take them one by one")
            seen.add(target)
            if target.exists() and not overwrite:
                raise OutputError(f"{target} is there already; --overwrite replaces it")
            yield path, target
