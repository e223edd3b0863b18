import threading
import time

import pytest

from kerasgan.restore.crew import spread


def test_results_come_in_order_and_no_member_does_two_things_at_a_time():
    busy, everyone = dict.fromkeys("abc", False), threading.Barrier(3, timeout=10)

    def work(member, piece):
        assert not busy[member]
        busy[member] = True
        if piece < 3:
            everyone.wait()  # All three are at work at once, or this breaks.
        time.sleep(0.001 * (piece % 3))
        busy[member] = False
        return piece, member

    results = list(spread(work, "abc", range(20)))
    assert [piece for piece, _ in results] == list(range(20))
    assert {member for _, member in results} == set("abc")


@pytest.mark.parametrize("crew", ["a", "abc"])
def test_an_error_ends_the_work(crew):
    done = []

    def work(member, piece):
        if piece == 1:
            raise OSError("no more")
        time.sleep(0.01)
        done.append(piece)

    with pytest.raises(OSError, match="no more"):
        list(spread(work, crew, range(200)))
    assert len(done) < 20


@pytest.mark.parametrize("crew", ["a", "abc"])
def test_who_wants_no_more_results_leaves_no_work_behind(crew):
    done = []
    results = spread(lambda member, piece: done.append(piece), crew, range(1000))
    next(results)
    results.close()
    count = len(done)
    time.sleep(0.02)
    assert len(done) == count < 1000
