"""Runs readers on damaged files, each in a process that may crash.

An input is named by a target, a seed and a number, which decide every byte of it.
"""

import contextlib
import multiprocessing
import os
import random
import resource
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from kerasgan.errors import KerasganError

# Outcomes; any other is a fault, and named as Python or the system names it.
READ, REFUSED, CAUGHT = "read", "refused", "crashed where that is caught"


@dataclass(frozen=True)
class Target:
    """A reader, and what it is tried on.

    Attributes:
        name: by which it is chosen.
        seeds: makes whole files: their contents by their names.
        read: reads the file at a path; raises a KerasganError where it refuses.
        mutations: one is drawn for each input, and at times a second.
        share: how many inputs it is given for one of a target of share 1.
        seconds: that one input may take.
        mib: memory that a worker may take beyond what it has before the first input.
        may_crash: whether a crash is caught elsewhere, as `read` runs what such a process guards.
    """

    name: str
    seeds: Callable[[], dict[str, bytes]]
    read: Callable[[Path], object]
    mutations: Sequence[Callable[[random.Random, bytes], bytes]]
    share: int = 10
    seconds: float = 30.0
    mib: int = 3072
    may_crash: bool = False


@dataclass
class Result:
    """What became of a target's inputs.

    Attributes:
        counts: how many ended in each way.
        faults: the number of each input that ended in a fault, with what it was.
        seconds: that all took.
    """

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[int, str]] = field(default_factory=list)
    seconds: float = 0.0


def damaged(target, seed, number, seeds):
    """Makes an input: a file's name and its content."""
    source = random.Random(f"{target.name} {seed} {number}")
    name = source.choice(sorted(seeds))
    content = seeds[name]
    for _ in range(source.choice((1, 1, 1, 2))):
        content = source.choice(target.mutations)(source, content or b"\0")
    return name, content


def try_inputs(target, numbers, *, seed=0, workers=2):
    """Tries a target on inputs.

    Args:
        target: a name of `targets.TARGETS`.
        numbers: of the inputs.
        seed: decides them, together with their numbers.
        workers: how many processes try at once.

    Returns:
        A `Result`.
    """
    from tests.fuzz.targets import TARGETS

    result, started = Result(), time.monotonic()
    pending = list(numbers)
    shares = [pending[start::workers] for start in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        outcomes = pool.map(lambda share: _try_share(TARGETS[target], share, seed), shares)
        for number, outcome in sorted(pair for share in outcomes for pair in share):
            result.counts[outcome.splitlines()[0]] += 1
            if outcome not in (READ, REFUSED, CAUGHT):
                result.faults.append((number, outcome))
    result.seconds = time.monotonic() - started
    return result


def _try_share(target, numbers, seed):
    """Tries inputs one after the other, by a process that is started again when it dies."""
    context = multiprocessing.get_context("spawn")
    worker = None
    outcomes = []
    for number in numbers:
        if worker is None:
            ours, theirs = context.Pipe()
            worker = context.Process(target=_work, args=(target.name, seed, theirs), daemon=True)
            worker.start()
            theirs.close()
            if (state := _answer(ours, 120.0)) != "ready":
                raise RuntimeError(f"{target.name} reads no whole file: {state}")
        ours.send(number)
        outcome = _answer(ours, target.seconds)
        outcomes.append((number, outcome or _death(worker, target)))
        if outcome is None:
            worker.kill()
            worker.join()
            worker = None
    if worker is not None:
        ours.send(None)
        worker.join()
    return outcomes


def _answer(pipe, seconds):
    with contextlib.suppress(EOFError, ConnectionResetError):
        if pipe.poll(seconds):
            return pipe.recv()
    return None


def _death(worker, target):
    worker.join(1.0)
    if worker.exitcode is None:
        return f"took more than {target.seconds:g} s"
    return CAUGHT if target.may_crash else f"ended the process ({worker.exitcode})"


def _work(name, seed, pipe):
    from tests.fuzz.targets import TARGETS

    target = TARGETS[name]
    # What decoders print about damaged files is no outcome.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    folder = Path(tempfile.mkdtemp(prefix="kerasgan-fuzz-"))
    try:
        seeds = target.seeds()
        for whole, content in seeds.items():
            (folder / whole).write_bytes(content)
            # Imports what it needs, and shows that it reads what is whole.
            if (outcome := _outcome(target, folder / whole)) != READ:
                pipe.send(f"{whole}: {outcome}")
                return
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limit = taken + target.mib * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        pipe.send("ready")
        while (number := pipe.recv()) is not None:
            file, content = damaged(target, seed, number, seeds)
            path = folder / file
            path.write_bytes(content)
            pipe.send(_outcome(target, path))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _outcome(target, path):
    try:
        target.read(path)
    except KerasganError as error:
        # A message is one line, and names the file.
        message = str(error)
        if "\n" in message or not message:
            return f"a message of several lines, or none\n{message!r}"
        return REFUSED
    except BaseException as error:
        return f"{type(error).__name__}\n{traceback.format_exc()}"
    return READ
