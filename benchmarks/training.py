"""Training steps here, and the same written plainly in PyTorch, by turns, in one go.

    python benchmarks/training.py [--preset classic] [--batch-size N] [--rounds 5]

Both take the same pictures with all threads of the machine, each side in a process of its own, of
which one works at a time; PyTorch in its own memory format and in "channels last", of which the
faster counts. `selective` has Adam there and Muon here. Seconds are of the processor, all threads
together, over how many there are: another load disturbs them less than the wall clock, which is
printed, too. The share of the peak counts what PyTorch says that a step takes. PyTorch is of the
dependency group `benchmarks`.
"""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor

import click
import numpy as np

from kerasgan.measure.peak import peak_gflops
from kerasgan.presets import PRESETS
from kerasgan.startup import start_tensorflow
from kerasgan.store.machine import processors

HERE, FORMATS = "kerasgan", ("contiguous_format", "channels_last")
# The step of the process that imports this.
step = None


def prepare(side, preset, batch_size):
    """Builds one side's step in this process, and runs it once."""
    global step
    extent = PRESETS[preset].data.patch_size
    random = np.random.default_rng(0)
    clean = random.random((batch_size, extent, extent, 1), np.float32)
    draw = random.random(clean.shape, np.float32)
    noisy = np.where(draw < 0.3, draw < 0.15, clean).astype(np.float32)
    step = here(preset, noisy, clean) if side == HERE else there(side, preset, noisy, clean)
    step()


def here(preset, noisy, clean):
    start_tensorflow()
    import tensorflow as tf

    from kerasgan import DenoisingGAN

    train_step = tf.function(DenoisingGAN.from_run_config(PRESETS[preset], 1000).train_step)
    batch = tf.constant(noisy), tf.constant(clean)
    return lambda: train_step(batch)["g_loss"].numpy()


def there(memory_format, preset, noisy, clean):
    import torch
    from pytorch_steps import STEPS

    torch.set_num_threads(processors())
    layout = getattr(torch, memory_format)
    batch = [
        torch.from_numpy(np.moveaxis(images, -1, 1)).contiguous(memory_format=layout)
        for images in (noisy, clean)
    ]
    own = STEPS[preset](noisy.shape[1], layout)
    return lambda: own(*batch)


def operations():
    """Floating-point operations of this process' step, its gradients included."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def timed():
    """Seconds of this process' step, of the wall clock and of the processor."""
    wall, own = time.perf_counter(), time.process_time()
    step()
    return time.perf_counter() - wall, time.process_time() - own


@click.command()
@click.option("--preset", type=click.Choice(["classic", "selective"]), default="classic")
@click.option("--batch-size", type=click.IntRange(1), help="[default: the preset's]")
@click.option("--rounds", default=5, show_default=True)
def main(preset, batch_size, rounds):
    threads, config = processors(), PRESETS[preset]
    batch_size = batch_size or config.batch_size
    context = multiprocessing.get_context("spawn")
    sides = {
        side: ProcessPoolExecutor(1, context, prepare, (side, preset, batch_size))
        for side in (HERE, *FORMATS)
    }
    counted = sides[FORMATS[0]].submit(operations).result()
    peak = peak_gflops(threads) * 1e9
    times = {side: [] for side in sides}
    for _ in range(rounds):
        for side, pool in sides.items():
            times[side].append(pool.submit(timed).result())
    print(
        f"{preset}, batches of {batch_size}, {threads} threads, peak {peak / 1e9:.0f} GFLOP/s, "
        f"{counted / batch_size / 1e9:.3f} GFLOP an image\n"
    )
    print("| step | images/s | 10–90 % | by the clock | of the peak | kerasgan is faster by |")
    print("| --- | --- | --- | --- | --- | --- |")
    reference = np.array(times[HERE])[:, 1] / threads
    for side, rows in times.items():
        wall, own = np.array(rows).T
        own = own / threads
        low, high = batch_size / np.percentile(own, (90, 10))
        print(
            f"| {side} | {batch_size / np.median(own):.1f} | {low:.1f}–{high:.1f} | "
            f"{batch_size / np.median(wall):.1f} | {counted / np.median(own) / peak:.0%} | "
            f"{np.median(own / reference):.2f} |"
        )


if __name__ == "__main__":
    main()
