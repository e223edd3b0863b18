"""What commands on picture files share: planning, and working through pictures."""

import threading
from collections import Counter
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
# Of the files that are left out, so many are named.
_NAMED = 5


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


def pictures_of(source: Path, results: Path) -> list[Path]:
    """Lists the pictures that a path stands for, and tells which files of a folder are none.

    Args:
        source: a picture, or a folder.
        results: a folder whose pictures are left out, if it lies within; they are earlier results.

    Returns:
        The paths of the pictures, sorted.

    Raises:
        DataError: if there are none.
    """
    from kerasgan.images.formats import READ_SUFFIXES, check_readable, find_files, why_unreadable

    if not source.is_dir():
        if not source.exists():
            raise DataError(f"there is no picture {source}")
        check_readable(source)
        return [source]
    found = [path for path in find_files(source) if not _lies_within(path, results, source)]
    reasons = {path: why_unreadable(path) for path in found}
    pictures = [path for path, reason in reasons.items() if reason is None]
    others = [f"{path} ({reason})" for path, reason in reasons.items() if reason is not None]
    if others:
        more = "; …" if len(others) > _NAMED else ""
        click.echo(
            f"Left out {len(others)} file{'s' * (len(others) > 1)} that cannot be read: "
            f"{'; '.join(others[:_NAMED])}{more}",
            err=True,
        )
    if not pictures:
        raise DataError(f"{source} holds no images ({', '.join(READ_SUFFIXES)})")
    return pictures


def check_whole(source: Path, target: Path, images: int) -> None:
    """Checks that a picture of several images is not replaced by one of them.

    Args:
        source: the picture.
        target: the file for the result.
        images: how many images the picture holds.

    Raises:
        OutputError: if it would be.
    """
    if images > 1 and target.exists() and target.samefile(source):
        raise OutputError(f"{source} holds {images} images, and one would be left of it")


def of_first(images: int) -> str:
    """Says which image of a picture that holds several is taken."""
    return f"the first of {images} images"


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
        lossless: whether results that would be JPEG files become PNG files, too, as those of
            formats that are read alone do: a.jpg becomes a.png, or a.jpg.png beside another a.

    Yields:
        Pairs of a picture and the file for its result.

    Raises:
        DataError: if a source is missing, or no picture and no folder that holds one.
        OutputError: if a result cannot be written, or would replace a file or another result.
    """
    from kerasgan.images.formats import (
        LOSSY_SUFFIXES,
        READ_SUFFIXES,
        SUFFIXES,
    )
    from kerasgan.images.pictures import check_output

    # What a result beside its source is written as where that is read alone, or would lose noise.
    exchanged = {*READ_SUFFIXES} - {*SUFFIXES} | {*(LOSSY_SUFFIXES if lossless else ())}

    to_file = output is not None and bool(output.suffix) and not output.is_dir()
    several = len(sources) > 1 or any(source.is_dir() for source in sources)
    if output is not None and several and to_file and output.suffix.lower() in SUFFIXES:
        raise OutputError(f"{output} is a name for one picture; several need that of a folder")
    if output is not None and not several and to_file and output.suffix.lower() not in SUFFIXES:
        raise OutputError(
            f"cannot write {output}: a picture's name must end in one of {', '.join(SUFFIXES)}; if "
            "it is to be a folder, make that first"
        )
    plan: list[tuple[Path, Path]] = []
    for source in sources:
        if source.is_dir():
            real = source.resolve()
            folder = output or real.with_name(real.name + ending)
            found = pictures_of(source, folder)
            plan += [(path, folder / path.relative_to(source)) for path in found]
            continue
        if output is None:
            target = source.with_stem(source.stem + ending)
        else:
            target = output if to_file and not several else output / source.name
        plan += [(path, target) for path in pictures_of(source, target)]
    plan = list(dict.fromkeys(plan))
    stems = Counter(target.with_suffix("") for _, target in plan)
    seen: dict[Path, Path] = {}
    for path, target in plan:
        if target != output and target.suffix.lower() in exchanged:
            # a.jpg becomes a.png, or a.jpg.png beside another a.
            alone = stems[target.with_suffix("")] == 1
            target = target.with_suffix(".png" if alone else f"{target.suffix}.png")
        check_output(target)
        if target in seen:
            raise OutputError(
                f"{seen[target]} and {path} would both become {target}; take them one by one, each "
                "with an --output of its own"
            )
        seen[target] = path
        if target.exists() and not overwrite:
            raise OutputError(f"{target} is there already; --overwrite replaces it")
        yield path, target
