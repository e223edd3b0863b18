"""SIGTERM ends every command as Ctrl-C does: nothing half-written, nobody left behind."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow


def children_of(process):
    path = f"/proc/{process}/task/{process}/children"
    with open(path) as file:
        return [int(number) for number in file.read().split()]


def is_running(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def start(*arguments):
    command = [sys.executable, "-m", "kerasgan", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="needs Linux' /proc")
def test_evaluating_leaves_no_worker_behind(trained_run, tmp_path):
    # Without the run around it, so that it is measured on the bundled photographs.
    generator = shutil.copy(trained_run.generator, tmp_path / "lone.keras")
    # All baselines of the bundled photographs take longer than this test waits.
    process = start("evaluate", generator, "--baselines", "all")
    deadline = time.monotonic() + 90
    while len(workers := children_of(process.pid)) < 2 and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    time.sleep(3)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 143, output
    assert "Traceback" not in output
    assert len(workers) >= 2
    deadline = time.monotonic() + 10
    while any(map(is_running, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(is_running, workers))


def test_exporting_leaves_no_folder_behind(trained_run, tmp_path):
    process = start(
        "export", trained_run.path, "--tflite", "--calibration", "bundled", "-o", tmp_path / "made"
    )
    for line in process.stdout:
        if line.startswith("Making and checking float16"):
            break
    assert [path.name[0] for path in tmp_path.iterdir()] == ["."]
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 143, output
    assert "Traceback" not in output
    assert not list(tmp_path.iterdir())
