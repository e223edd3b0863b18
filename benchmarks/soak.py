"""Trains for an hour, killed every few minutes and resumed, beside a run that is left in peace.

    python benchmarks/soak.py --minutes 60

Then both are stopped, and the one behind catches up: they must have the same history.csv and the
same weights, to the last bit, and the one in peace must not take more memory late than early.
Networks and pictures are those of benchmarks/faults.py.
"""

import json
import random
import tempfile
import threading
import time
from pathlib import Path

import click
from faults import epochs_of, make_config, same, start, wait, wait_for_epoch

from kerasgan.startup import start_tensorflow

# More than any machine gets through.
ENDLESS = 1_000_000
SAMPLE_SECONDS = 2
# Of what a process holds early; garbage that is not yet collected makes it waver.
ALLOWED_GROWTH = 1.05
# The status of a training that SIGTERM ended.
TERMINATED = 143


def watched(process, began):
    """Follows a process to its end; returns (seconds since `began`, MB it holds) pairs."""
    samples = []
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        if "VmRSS" in status:
            kilobytes = int(status.split("VmRSS:")[1].split()[0])
            samples.append((time.monotonic() - began, kilobytes / 1024))
        time.sleep(SAMPLE_SECONDS)
    return samples


def train_in_peace(process, result):
    result["memory"] = watched(process, time.monotonic())
    result["status"], result["line"] = wait(process)


def stop(process):
    """Ends a training as a preempted machine does; fails if it does not end so."""
    process.terminate()
    status, line = wait(process)
    if status != TERMINATED:
        raise click.ClickException(line)


def catch_up(run, epochs):
    """Trains on to an epoch; fails if that fails."""
    path = run / "config.json"
    record = json.loads(path.read_text())
    record["config"]["epochs"] = epochs
    path.write_text(json.dumps(record))
    status, line = wait(start("train", "--resume", run))
    if status:
        raise click.ClickException(line)


def highest(samples, part):
    """The most that a process held in a part, such as (0.2, 0.4), of its life."""
    first, last = (share * samples[-1][0] for share in part)
    return max(held for moment, held in samples if first <= moment <= last)


@click.command()
@click.option("--minutes", default=60.0, show_default=True, help="How long, about.")
@click.option(
    "--between", default=3.0, show_default=True, help="Minutes between kills, on average."
)
@click.option(
    "--seed", default=None, type=int, help="Of the moments; drawn, and printed, if absent."
)
def main(minutes, between, seed):
    seed = random.randrange(10**6) if seed is None else seed
    draw = random.Random(seed)
    start_tensorflow()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = make_config(folder, ENDLESS)
        peaceful, hurt = folder / "peaceful", folder / "hurt"
        in_peace = start("train", "--config", config, "--output", peaceful)
        result = {}
        beside = threading.Thread(target=train_in_peace, args=(in_peace, result))
        began = time.monotonic()
        beside.start()

        kills = 0
        process = start("train", "--config", config, "--output", hurt)
        try:
            while True:
                wait_for_epoch(process, hurt, epochs_of(hurt) + 1)
                time.sleep(60 * draw.uniform(0.2, 1.8) * between)
                minute = (time.monotonic() - began) / 60
                if process.poll() is not None:
                    raise click.ClickException(wait(process)[1])
                if in_peace.poll() is not None:
                    beside.join()
                    raise click.ClickException(result["line"])
                if minute >= minutes:
                    break
                process.kill()
                wait(process)
                kills += 1
                print(f"{minute:5.1f} min: killed after {epochs_of(hurt)} epochs", flush=True)
                process = start("train", "--resume", hurt)
            stop(process)
            in_peace.terminate()
            beside.join()
            if result["status"] != TERMINATED:
                raise click.ClickException(result["line"])
        finally:
            # They would train for ever.
            for one in (process, in_peace):
                one.kill()
        epochs = max(epochs_of(hurt), epochs_of(peaceful))
        for run in (hurt, peaceful):
            if epochs_of(run) < epochs:
                catch_up(run, epochs)
        early, late = (highest(result["memory"], part) for part in ((0.2, 0.4), (0.8, 1.0)))
        equal = same(hurt, peaceful)
        print(
            f"\n{epochs} epochs, {kills} kills in {minute:.0f} minutes (seed {seed}).\n"
            f"History and weights those of the run in peace: {'yes' if equal else 'NO'}.\n"
            f"Memory of the run in peace, early and late: {early:.0f} MB, {late:.0f} MB: "
            f"{'steady' if late <= ALLOWED_GROWTH * early else 'IT GROWS'}."
        )
        if not equal or late > ALLOWED_GROWTH * early:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
