"""What commands on picture files share: planning, and working through pictures."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import click

from kerasgan.cli.progress import Progress
from kerasgan.errors import DataError, KerasganError, OutputError
from kerasgan.restore.crew import spread
from kerasgan.store.machine import memory, processors

# Bytes that a picture takes while it is restored, unless it is large.
_MEMORY = 2**30


def usual_jobs() -> int:
    """Counts how many pictures to work on at a time: as processors and memory allow."""
    return min(processors(), max(1, int(min(memory() / _MEMORY, 1e6))))


# What a command does to one picture: of a worker, the picture's number, the picture, the file for
# its result, and what may be called with shares of it that are done. It returns what to tell.
Work = Callable[[Any, int, Path, Path, Callable[[float], None]], str]


def work_through(
    plan: Sequence[tuple[Path, Path]],
    work: Work,
    doing: str,
    done: str,
    workers: Sequence[Any] = (None,),
) -> None:
    """Does the same to every picture, and goes on after those that cannot be used.

    Args:
        plan: pairs of a picture and the file that its result goes to.
        work: what is done.
        doing: what that is called while it is done: "Restoring".
        done: what it is called when it was done: "restored".
        workers: what the work is done with, at the same time; each does one picture at a time.

    Raises:
        click.ClickException: if some of several could not be done, after all others were; the
            error itself, if it was the only one.
    """
    stopped, failures = threading.Event(), 0

    def try_one(worker: Any, index: int) -> str | Exception:
        source, target = plan[index]
        told = 0.0

        def advance(share: float) -> None:
            nonlocal told
            if stopped.is_set():
                raise CancelledError
            told += share
            progress.advance(share)

        try:
            return work(worker, index, source, target, advance)
        except KerasganError as error:
            return error
        except MemoryError as error:
            return error if len(plan) == 1 else DataError(f"{source}: out of memory")
        finally:
            progress.advance(1.0 - told)

    numbers = range(len(plan))
    with Progress(doing, len(plan), "pictures") as progress:
        for result in spread(try_one, workers, numbers, stop=stopped.set):
            if isinstance(result, str):
                progress.echo(result)
            elif len(plan) == 1:
                raise result
            else:
                failures += 1
                progress.echo(f"Error: {result}", err=True)
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
