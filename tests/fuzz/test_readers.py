"""Every reader on a few hundred damaged files; `python -m tests.fuzz` tries as many as you like."""

import random

import pytest

from tests.fuzz.harness import damaged, try_inputs
from tests.fuzz.targets import TARGETS

# Those whose processes take longer to start than the others to end.
SLOW = {"keras": 20, "tflite-guarded": 10}


def mark(name):
    return pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name


@pytest.mark.parametrize("name", [*map(mark, TARGETS)])
def test_damaged_files_are_read_or_refused_with_a_message(name):
    result = try_inputs(name, range(SLOW.get(name, 60)))
    assert not result.faults
    assert sum(result.counts.values()) == SLOW.get(name, 60)


def test_an_input_is_made_again_from_its_seed_and_number():
    target = TARGETS["bmp-webp-gif"]
    seeds = target.seeds()
    random.seed(1)
    first = [damaged(target, 3, number, seeds) for number in range(30)]
    random.seed(2)
    assert first == [damaged(target, 3, number, seeds) for number in range(30)]
    assert len(set(first)) == 30
    assert first != [damaged(target, 4, number, seeds) for number in range(30)]
