import sys

import pytest

from kerasgan.cli import progress
from kerasgan.cli.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_terminal_shows_how_much_is_left_and_keeps_nothing_of_it(clock, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress("Restoring", 4, "pictures") as told:
        clock[0] += 1.5
        told.advance(0.5)
        assert capsys.readouterr().err == ""  # Two seconds are not worth a word.
        clock[0] += 8.5
        told.advance(0.5)
        assert capsys.readouterr().err.endswith("Restoring 4 pictures: 25%, 30 s left")
        told.echo("one.png")
        assert capsys.readouterr() == ("one.png\n", "\r\x1b[K")
        clock[0] += 290.0
        told.advance(1.0)
        assert capsys.readouterr().err.endswith("Restoring 4 pictures: 50%, 5 min 00 s left")
    assert capsys.readouterr().err == "\r\x1b[K"


def test_elsewhere_there_is_a_line_now_and_then(clock, capsys):
    with Progress("Restoring", 1, "pictures") as told:
        for _ in range(99):
            clock[0] += 1.0
            told.advance(0.01)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        f"Restoring: {done}%, {left} left"
        for done, left in [(30, "1 min 10 s"), (60, "40 s"), (90, "10 s")]
    ]
