"""How far work has come, and how long the rest will take."""

import sys
import threading
import time
from types import TracebackType
from typing import Self

import click

# Before that, nothing is told.
_PATIENCE = 2.0
# Seconds between what is told: in a line that changes, and in lines that stay.
_ON_TERMINAL, _ELSEWHERE = 0.1, 30.0
_CLEAR = "\r\x1b[K"


class Progress:
    """Tells on stderr what is done of some work, and the time that is left.

    On a terminal that is one line, which changes and is gone in the end; elsewhere a line every
    half minute. Any thread may tell how it gets on.

    Args:
        doing: what is done, as in "Restoring".
        total: how many there are to do.
        things: what they are, as in "pictures".
    """

    def __init__(self, doing: str, total: int, things: str):
        self._doing, self._total, self._things = doing, total, things
        self._done, self._began = 0.0, time.monotonic()
        self._terminal, self._shown = bool(sys.stderr and sys.stderr.isatty()), False
        self._next = self._began + (_PATIENCE if self._terminal else _ELSEWHERE)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._clear()

    def advance(self, things: float = 1.0) -> None:
        """Counts what has been done since.

        Args:
            things: how many of them, whole or in part.
        """
        with self._lock:
            self._done += things
            now = time.monotonic()
            if now >= self._next and self._done > 0:
                self._next = now + (_ON_TERMINAL if self._terminal else _ELSEWHERE)
                self._clear()
                click.echo(self._line(now - self._began), err=True, nl=not self._terminal)
                self._shown = self._terminal

    def echo(self, message: str, *, err: bool = False) -> None:
        """Prints a line that stays.

        Args:
            message: what to print.
            err: whether to stderr.
        """
        with self._lock:
            self._clear()
            click.echo(message, err=err)

    def _line(self, seconds: float) -> str:
        share = min(self._done / self._total, 1.0)
        left = _duration(seconds / share - seconds)
        what = f" {self._total} {self._things}" if self._total > 1 else ""
        return f"{self._doing}{what}: {share:.0%}, {left} left"

    def _clear(self) -> None:
        if self._shown:
            click.echo(_CLEAR, err=True, nl=False)
            self._shown = False


def _duration(seconds: float) -> str:
    minutes, whole = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {whole:02} s" if minutes else f"{whole} s"
    return f"{minutes // 60} h {minutes % 60:02} min"
