"""Trains for an hour, killed every few minutes and resumed, beside a run that is left in peace.

    python benchmarks/soak.py --minutes 60

Both must end with the same history.csv and the same weights, to the last bit, and neither may
take more memory late than early. Networks and pictures are those of benchmarks/faults.py.
"""

import random
import tempfile
import threading
import time
from pathlib import Path

import click
from faults import epochs_of, make_config, same, start, wait, wait_for_epoch

from kerasgan.startup import start_tensorflow

PROBE_EPOCHS, SAMPLE_SECONDS = 12, 2
# Of what a process holds early; garbage that is not yet collected makes it waver.
ALLOWED_GROWTH = 1.05


def seconds_per_epoch(folder):
    """Measures an epoch on this machine as busy as it will be: with two runs side by side."""
    config = make_config(folder, PROBE_EPOCHS)
    runs = [folder / "one", folder / "other"]
    processes = [start("train", "--config", config, "--output", run) for run in runs]
    for process in processes:
        status, line = wait(process)
        if status:
            raise click.ClickException(line)
    first, last = (
        (runs[0] / f"pictures/epoch-{epoch:03}.png").stat().st_mtime for epoch in (2, PROBE_EPOCHS)
    )
    return (last - first) / (PROBE_EPOCHS - 2)


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


def train_in_peace(run, config, result):
    process = start("train", "--config", config, "--output", run)
    result["memory"] = watched(process, time.monotonic())
    result["status"], result["line"] = wait(process)


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
        probe = folder / "probe"
        probe.mkdir()
        epochs = round(minutes * 60 / seconds_per_epoch(probe))
        config = make_config(folder, epochs)
        peaceful, hurt = folder / "peaceful", folder / "hurt"
        result = {}
        beside = threading.Thread(target=train_in_peace, args=(peaceful, config, result))
        began = time.monotonic()
        beside.start()

        kills = 0
        process = start("train", "--config", config, "--output", hurt)
        while True:
            wait_for_epoch(process, hurt, epochs_of(hurt) + 1)
            time.sleep(60 * draw.uniform(0.2, 1.8) * between)
            if process.poll() is not None:
                break
            process.kill()
            wait(process)
            kills += 1
            minute = (time.monotonic() - began) / 60
            print(f"{minute:5.1f} min: killed after {epochs_of(hurt)} epochs", flush=True)
            process = start("train", "--resume", hurt)
        status, line = wait(process)
        beside.join()
        if status or result["status"]:
            raise click.ClickException(line if status else result["line"])
        early, late = (highest(result["memory"], part) for part in ((0.2, 0.4), (0.8, 1.0)))
        equal = same(hurt, peaceful)
        print(
            f"\n{epochs} epochs in {(time.monotonic() - began) / 60:.0f} minutes, {kills} kills "
            f"(seed {seed}).\n"
            f"History and weights those of the run in peace: {'yes' if equal else 'NO'}.\n"
            f"Memory of the run in peace, early and late: {early:.0f} MB, {late:.0f} MB: "
            f"{'steady' if late <= ALLOWED_GROWTH * early else 'IT GROWS'}."
        )
        if not equal or late > ALLOWED_GROWTH * early:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
