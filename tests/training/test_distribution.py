import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kerasgan.errors import DistributionError
from kerasgan.training.distribution import (
    check_batch,
    cluster_size,
    is_chief,
    make_strategy,
    resolve_strategy,
    slurm_resolver,
)
from tests.helpers import small_config

ROOT = Path(__file__).parents[1]
# Of float32 sums in another order; the same on every machine tried, and far below one step.
TOLERANCE = 2e-6


class Processes:
    """Python programs that run beside the test, none of which outlives it."""

    def __init__(self):
        self._started = []

    def start(self, *arguments, **environment):
        environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", **environment}
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def finish(self, process, status=0, timeout=110):
        """Waits for a process; returns what it printed."""
        output, errors = process.communicate(timeout=timeout)
        assert process.returncode == status, errors[-3000:]
        return output + errors

    def end(self):
        for process in self._started:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def processes():
    started = Processes()
    yield started
    started.end()


def clusters(workers):
    """The TF_CONFIG of each worker of a cluster on loopback."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(workers)]
    addresses = [f"127.0.0.1:{opened.getsockname()[1]}" for opened in sockets]
    for opened in sockets:
        opened.close()
    return [
        json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})
        for index in range(workers)
    ]


def history(folder):
    with (folder / "history.csv").open() as file:
        return [
            {key: float(value) for key, value in row.items() if value}
            for row in csv.DictReader(file)
        ]


@pytest.fixture(scope="module")
def single(tmp_path_factory, processes):
    """A run on one replica, which others have to equal."""
    folder = tmp_path_factory.mktemp("single") / "run"
    processes.finish(processes.start("tests.distributed", "none", 1, folder))
    return folder


def assert_same_run(folder, single):
    for row, expected in zip(history(folder), history(single), strict=True):
        assert row == pytest.approx(expected, rel=1e-5, abs=1e-6)
    with np.load(f"{folder}.npz") as weights, np.load(f"{single}.npz") as expected:
        assert weights.files == expected.files
        for name in expected.files:
            np.testing.assert_allclose(weights[name], expected[name], atol=TOLERANCE, err_msg=name)


@pytest.mark.slow
def test_two_replicas_train_as_one(processes, single, tmp_path):
    processes.finish(processes.start("tests.distributed", "mirrored", 2, tmp_path / "run"))
    assert_same_run(tmp_path / "run", single)


@pytest.mark.slow
def test_two_workers_train_as_one(processes, single, tmp_path):
    folder = tmp_path / "run"
    workers = [
        processes.start("tests.distributed", "multi-worker", 1, folder, TF_CONFIG=config)
        for config in clusters(2)
    ]
    for worker in workers:
        processes.finish(worker)
    assert_same_run(folder, single)


@pytest.fixture
def configured(photos, tmp_path):
    """A config.json of a small run on a folder of photos."""

    def write(**changes):
        config = small_config(data__source=str(photos), batch_size=2, **changes)
        path = tmp_path / "config.json"
        record = {"config": config.to_dict(), "data": {"fingerprint": "none"}}
        path.write_text(json.dumps(record))
        return path

    return write


@pytest.mark.slow
def test_workers_train_from_the_command_line(processes, configured, tmp_path):
    config = configured(adversary__weight=0.0)
    arguments = ("kerasgan", "train", "--config", config, "--output", tmp_path / "run")
    chief, other = (processes.start(*arguments, TF_CONFIG=config) for config in clusters(2))
    output = processes.finish(chief)
    assert "Waiting for the other workers" in output
    # A worker that left before the chief has measured would alarm it.
    assert "unhealthy" not in output
    assert "the chief keeps the run" in processes.finish(other)
    assert len(history(tmp_path / "run")) == 2
    assert (tmp_path / "run" / "evaluation.json").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "photos", "run"}


def wait_for_an_epoch(process, folder):
    for _ in range(1000):
        if (folder / "model.keras").is_file() or process.poll() is not None:
            break
        time.sleep(0.1)
    assert process.poll() is None, process.communicate()[1][-3000:]


@pytest.mark.slow
def test_a_lost_worker_ends_the_others_and_all_can_resume(processes, configured, tmp_path):
    run = tmp_path / "run"
    arguments = ("kerasgan", "train", "--config", configured(epochs=5000), "--output", run)
    chief, other = (processes.start(*arguments, TF_CONFIG=config) for config in clusters(2))
    wait_for_an_epoch(chief, run)
    other.kill()
    other.communicate()
    output = processes.finish(chief, status=1, timeout=60)
    assert "another worker was lost; complete epochs are kept" in output
    assert "Traceback" not in output
    kept = len(history(run))
    again = processes.start("kerasgan", "train", "--resume", run)
    for _ in range(600):
        if len(history(run)) > kept or again.poll() is not None:
            break
        time.sleep(0.1)
    again.send_signal(signal.SIGTERM)
    output = processes.finish(again, status=128 + signal.SIGTERM)
    assert "Stopped: SIGTERM came" in output and f"--resume {run}" in output
    assert len(history(run)) > kept


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "is not what TensorFlow takes"),
        ("[]", "is not what TensorFlow takes"),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
            "task 1 is not",
        ),
        ('{"cluster": {"worker": ["a:1"]}}', "'task'"),
    ],
)
def test_a_damaged_cluster_is_named(config, message, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(DistributionError, match=message):
        resolve_strategy("auto")


def test_the_strategy_follows_what_there_is(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert cluster_size() == 1
    assert resolve_strategy("auto") == "auto"
    assert resolve_strategy("mirrored") == "mirrored"
    with pytest.raises(DistributionError, match="needs a cluster"):
        resolve_strategy("multi-worker")
    monkeypatch.setenv("TF_CONFIG", clusters(2)[1])
    assert resolve_strategy("auto") == "multi-worker"
    assert resolve_strategy("none") == "none"


def test_slurm_names_the_cluster(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    monkeypatch.setenv("PATH", "")  # No nvidia-smi.
    for name, value in {
        "SLURM_PROCID": "2",
        "SLURM_STEP_NUM_TASKS": "3",
        "SLURM_STEP_NODELIST": "node[1-2]",
        "SLURM_STEP_TASKS_PER_NODE": "2,1",
    }.items():
        monkeypatch.setenv(name, value)
    assert resolve_strategy("multi-worker") == "multi-worker"
    resolver = slurm_resolver()
    addresses = ["node1:8888", "node1:8889", "node2:8888"]
    assert resolver.cluster_spec().as_dict() == {"worker": addresses}
    assert (resolver.task_type, resolver.task_id) == ("worker", 2)
    assert resolver.num_accelerators() == {}


def test_a_missing_tpu_is_named(monkeypatch):
    monkeypatch.delenv("TPU_NAME", raising=False)
    with pytest.raises(DistributionError, match="cannot use a TPU"):
        make_strategy("tpu")


class Strategy:
    cluster_resolver = None

    def __init__(self, replicas):
        self.num_replicas_in_sync = replicas


def test_uneven_batches_are_refused_with_the_nearest_even_ones():
    check_batch(32, Strategy(4))
    with pytest.raises(
        DistributionError, match="3 replicas cannot share batches of 32 evenly; take 30 or 33"
    ):
        check_batch(32, Strategy(3))
    with pytest.raises(DistributionError, match="take 4$"):
        check_batch(2, Strategy(4))
    assert is_chief(Strategy(3))
