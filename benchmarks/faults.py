"""Tries every accident that may befall a training run, and prints what became of it.

    python benchmarks/faults.py --kills 20

Trains small networks on small pictures that it makes, in a temporary folder, through the command
line. A run that was hurt and resumed must end as one that was not: history.csv and all weights
equal to the last bit, in model.keras and in generator.keras.
"""

import contextlib
import json
import os
import random
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
from PIL import Image

from kerasgan.presets import PRESETS
from kerasgan.startup import start_tensorflow

EPOCHS = 12
# What a Python that starts with it does: its first read of one picture fails.
FAILS_ONCE = """
import errno, pathlib
read = pathlib.Path.read_bytes

def fail_once(path):
    if path.name != "05.png":
        return read(path)
    pathlib.Path.read_bytes = read
    print("failed once", flush=True)
    raise OSError(errno.EIO, "Input/output error", str(path))

pathlib.Path.read_bytes = fail_once
"""


def make_config(folder, epochs):
    """Makes pictures, and a config.json that trains on them."""
    pictures = folder / "pictures"
    pictures.mkdir()
    random_values = np.random.default_rng(0)
    y, x = np.mgrid[:40, :40] / 16
    for index in range(24):
        a, b, c, d = random_values.uniform(0.5, 2, 4)
        pixels = 128 + 60 * np.sin(a * x + c) + 50 * np.cos(b * y + d)
        Image.fromarray(pixels.astype(np.uint8)).save(pictures / f"{index:02}.png")
    config = PRESETS["selective-gan"].replace(
        data__source=str(pictures),
        data__patch_size=32,
        generator__filters=(4, 8, 8),
        discriminator__filters=(4, 8),
        batch_size=4,
        epochs=epochs,
    )
    path = folder / "config.json"
    path.write_text(json.dumps({"config": config.to_dict(), "data": {"fingerprint": "none"}}))
    return path


def start(*arguments, limit=None, **environment):
    """Starts kerasgan; `limit` is the largest file that it may write, in bytes."""

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    # Into a file: a pipe that nobody reads fills up, and stops who writes.
    output = tempfile.TemporaryFile("w+")
    process = subprocess.Popen(
        [sys.executable, "-m", "kerasgan", *map(str, arguments)],
        env={**os.environ, **environment},
        stdout=output,
        stderr=subprocess.STDOUT,
        preexec_fn=limited if limit else None,
    )
    process.stdout = output
    return process


def wait(process):
    """Waits for a process; returns its status and the last line that it printed."""
    status, lines = wait_for_lines(process)
    return status, lines[-1] if lines else ""


def wait_for_lines(process):
    """Waits for a process; returns its status and the lines that it printed."""
    status = process.wait()
    with process.stdout as output:
        output.seek(0)
        return status, output.read().strip().splitlines()


def epochs_of(run):
    """Counts the epochs of which everything is written: the picture comes last."""
    return len(list(run.glob("pictures/epoch-*.png")))


def wait_for_epoch(process, run, epoch):
    while process.poll() is None and epochs_of(run) < epoch:
        time.sleep(0.05)


def go_on(run, config):
    """Resumes a run, or begins it again where no epoch was complete; returns its status."""
    if (run / "model.keras").exists():
        return wait(start("train", "--resume", run))
    return wait(start("train", "--config", config, "--output", run, "--overwrite"))


def weights_of(run):
    """All that a run keeps in numbers: the GAN, its optimizers, and the generator by itself."""
    from kerasgan.model.loading import load_generator
    from kerasgan.training.train import load_gan

    gan = load_gan(run / "model.keras")
    optimizers = [*gan.g_optimizer.variables, *gan.d_optimizer.variables]
    return [*gan.weights, *optimizers, *load_generator(run).weights]


def same(run, other):
    """Whether two runs have the same history and the same weights, bit by bit."""
    if (run / "history.csv").read_text() != (other / "history.csv").read_text():
        return False
    pairs = zip(weights_of(run), weights_of(other), strict=True)
    # What a run does not use, it keeps as NaN.
    return all(np.array_equal(one, two, equal_nan=True) for one, two in pairs)


class Faults:
    """Each method hurts a run in one way, and tells what happened and whether all was well."""

    def __init__(self, folder, config, whole, seconds):
        self.folder, self.config, self.whole, self.seconds = folder, config, whole, seconds
        self.count = 0

    def new(self):
        self.count += 1
        run = self.folder / f"run{self.count}"
        return run, ("train", "--config", self.config, "--output", run)

    def kill(self, draw):
        run, arguments = self.new()
        process = start(*arguments)
        while process.poll() is None and not (run / "config.json").exists():
            time.sleep(0.05)
        # Between the first step, before which the graph is made, and the last save.
        time.sleep(self.seconds * draw.uniform(0.3, 1.0))
        process.kill()
        wait(process)
        done = epochs_of(run)
        status, _ = go_on(run, self.config)
        return f"killed after {done} epochs", status == 0 and same(run, self.whole)

    def terminate(self):
        run, arguments = self.new()
        process = start(*arguments)
        wait_for_epoch(process, run, 2)
        process.terminate()
        status, line = wait(process)
        resumed, _ = go_on(run, self.config)
        return f"status {status}: {line}", status == 143 and resumed == 0 and same(run, self.whole)

    def no_number(self):
        run, arguments = self.new()
        status, line = wait(start(*arguments, "--learning-rate", "1e30"))
        return line, status == 1 and "became" in line

    def full_disk(self):
        run, arguments = self.new()
        process = start(*arguments)
        wait_for_epoch(process, run, 2)
        process.terminate()
        wait(process)
        status, line = wait(start("train", "--resume", run, limit=20_000))
        resumed, _ = go_on(run, self.config)
        return line, status == 1 and resumed == 0 and same(run, self.whole)

    def removed_folder(self):
        run, arguments = self.new()
        process = start(*arguments)
        wait_for_epoch(process, run, 2)
        shutil.rmtree(run, ignore_errors=True)
        status, _ = wait(process)
        return "trained on; the folder came back", status == 0 and same(run, self.whole)

    def bad_picture(self):
        run, arguments = self.new()
        picture = self.folder / "pictures" / "05.png"
        content = picture.read_bytes()
        picture.write_bytes(content[:100])
        status, line = wait(start(*arguments))
        picture.write_bytes(content)
        return line, status == 1 and "05.png" in line and not run.exists()

    def bad_picture_among_many(self):
        run, arguments = self.new()
        many = self.folder / "many"
        many.mkdir()
        for index in range(120):
            shutil.copy(self.folder / "pictures" / f"{index % 24:02}.png", many / f"{index:03}.png")
        (many / "077.png").write_bytes(b"no picture")
        status, lines = wait_for_lines(start(*arguments, "--data", many, "--epochs", 1))
        named = [line for line in lines if "077.png" in line]
        return named[0] if named else lines[-1], status == 0 and len(named) == 1

    def read_that_fails_once(self):
        run, arguments = self.new()
        hook = self.folder / "hook"
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(FAILS_ONCE)
        path = os.pathsep.join([str(hook), os.environ.get("PYTHONPATH", "")])
        status, lines = wait_for_lines(start(*arguments, PYTHONPATH=path))
        failed = "failed once" in lines
        return "read again; trained on", failed and status == 0 and same(run, self.whole)

    def vanished_picture(self):
        run, arguments = self.new()
        process = start(*arguments)
        wait_for_epoch(process, run, 1)
        picture = self.folder / "pictures" / "05.png"
        content = picture.read_bytes()
        picture.unlink()
        status, _ = wait(process)
        picture.write_bytes(content)
        return "trained on: pictures are in memory", status == 0 and same(run, self.whole)

    def lost_worker(self):
        run, _ = self.new()
        with contextlib.ExitStack() as stack:
            sockets = [
                stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)
            ]
            cluster = {"worker": [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]}
        config = json.loads(self.config.read_text())
        config["config"]["epochs"] = 1000
        endless = self.folder / "endless.json"
        endless.write_text(json.dumps(config))
        chief, other = (
            start(
                *("train", "--config", endless, "--output", run),
                TF_CONFIG=json.dumps(
                    {"cluster": cluster, "task": {"type": "worker", "index": index}}
                ),
            )
            for index in range(2)
        )
        wait_for_epoch(chief, run, 2)
        other.kill()
        wait(other)
        killed = time.monotonic()
        status, line = wait(chief)
        seconds = time.monotonic() - killed
        done = epochs_of(run)
        again = start("train", "--resume", run)
        wait_for_epoch(again, run, done + 1)
        again.terminate()
        resumed, _ = wait(again)
        well = status == 1 and seconds < 60 and resumed == 143 and epochs_of(run) > done
        return f"the other ended after {seconds:.0f} s: {line}", well


@click.command()
@click.option("--kills", default=20, show_default=True)
@click.option(
    "--seed", default=None, type=int, help="Of the moments; drawn, and printed, if absent."
)
def main(kills, seed):
    seed = random.randrange(10**6) if seed is None else seed
    draw = random.Random(seed)
    start_tensorflow()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = make_config(folder, EPOCHS)
        whole = folder / "whole"
        status, line = wait(start("train", "--config", config, "--output", whole))
        if status:
            raise click.ClickException(line)
        seconds = max(whole.glob("pictures/*")).stat().st_mtime - (
            (whole / "config.json").stat().st_mtime
        )
        faults = Faults(folder, config, whole, seconds)
        print("| accident | what happened | as it must |\n| --- | --- | --- |", flush=True)
        equal, all_well = 0, True
        for _ in range(kills):
            what, well = faults.kill(draw)
            equal += well
            print(f"| SIGKILL | {what} | {'yes' if well else 'NO'} |", flush=True)
        for accident, method in {
            "SIGTERM": faults.terminate,
            "a loss that is no number": faults.no_number,
            "a full disk (a limit on files)": faults.full_disk,
            "the run folder removed": faults.removed_folder,
            "a damaged picture before training": faults.bad_picture,
            "a damaged picture among 120": faults.bad_picture_among_many,
            "a read that fails once": faults.read_that_fails_once,
            "a picture removed during training": faults.vanished_picture,
            "a worker killed": faults.lost_worker,
        }.items():
            what, well = method()
            all_well = all_well and well
            print(f"| {accident} | {what} | {'yes' if well else 'NO'} |", flush=True)
        print(f"\n{equal} of {kills} killed runs ended bit-equal (seed {seed}).")
    raise SystemExit(not (all_well and equal == kills))


if __name__ == "__main__":
    main()
