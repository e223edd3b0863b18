import os

import pytest

from kerasgan.store import machine


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """A folder in the place of the kernel's, and eight processors."""
    monkeypatch.setattr(machine, "_GROUPS", tmp_path)
    monkeypatch.setattr(machine, "_OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    return tmp_path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 8),
        ({"cpu.max": "max 100000"}, 8),
        ({"cpu.max": "250000 100000"}, 2),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "1600000 100000"}, 8),
        ({"cpu.max": "nonsense"}, 8),
        ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 8),
    ],
)
def test_processors_are_those_that_a_container_is_given(groups, files, expected):
    for name, text in files.items():
        write(groups / name, text)
    assert machine.processors() == expected


def test_processors_are_those_that_a_batch_system_allows(groups, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3}, raising=False)
    assert machine.processors() == 1


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
def test_memory_is_what_a_container_is_given(groups, name):
    whole = machine.memory()
    write(groups / name, str(2**20))
    assert machine.memory() == 2**20
    write(groups / name, str(2**62))
    assert machine.memory() == whole
    write(groups / name, "max")
    assert machine.memory() == whole


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/slurm/job_7/step_0", {"slurm/job_7/{memory}": "1048576"}, (8, 2**20)),
        ("0::/slurm/job_7", {"slurm/{cpu}": "300000 100000", "{cpu}": "max 100000"}, (3, None)),
        ("0::/slurm/job_7", {"slurm/job_8/{memory}": "1048576"}, (8, None)),
        # What lies outside a container has no name inside it.
        ("0::/../../elsewhere", {"{memory}": "2097152"}, (8, 2**21)),
        (
            "4:memory:/job_7\n2:cpu,cpuacct:/job_9",
            {
                "memory/job_7/memory.limit_in_bytes": "1048576",
                "cpu/job_9/cpu.cfs_quota_us": "200000",
                "cpu/job_9/cpu.cfs_period_us": "100000",
            },
            (2, 2**20),
        ),
        ("nonsense", {"{memory}": "1048576"}, (8, 2**20)),
    ],
)
def test_groups_inside_groups_count(groups, own, files, expected):
    """As those that a batch system makes for each job."""
    whole = machine.memory()
    write(groups / "own", own)
    for name, text in files.items():
        write(groups / name.format(memory="memory.max", cpu="cpu.max"), text)
    processors, memory = expected
    assert machine.processors() == processors
    assert machine.memory() == (memory or whole)
