"""Work that is spread over several workers, none of which can do two things at a time."""

import queue
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Member = TypeVar("_Member")
_Piece = TypeVar("_Piece")
_Result = TypeVar("_Result")


def spread(
    work: Callable[[_Member, _Piece], _Result],
    crew: Sequence[_Member],
    pieces: Sequence[_Piece],
    stop: Callable[[], object] = lambda: None,
) -> Generator[_Result, None, None]:
    """Has a crew work on pieces, in a thread for each member.

    What is raised, by the work or where its results are taken, ends it: pieces that were begun are
    waited for, and the others left.

    Args:
        work: does one piece.
        crew: each works on one piece at a time; one alone does so in the thread that asks.
        pieces: what to work on.
        stop: called when it ends early; it may have pieces that were begun end soon.

    Yields:
        What `work` returns, in the order of the pieces.
    """
    if len(crew) == 1:
        yield from (work(crew[0], piece) for piece in pieces)
        return
    free = queue.SimpleQueue[_Member]()
    for member in crew:
        free.put(member)

    def work_next(piece: _Piece) -> _Result:
        member = free.get()
        try:
            return work(member, piece)
        finally:
            free.put(member)

    pool = ThreadPoolExecutor(len(crew))
    try:
        yield from pool.map(work_next, pieces)
    except BaseException:
        stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
