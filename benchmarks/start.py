"""How long one picture takes from the command to the file: kerasgan's, and the Raspberry Pi kit's.

    python benchmarks/start.py                          a picture of 512x512 of its own making
    python benchmarks/start.py photo.png --runs 15      one of yours
    python benchmarks/start.py --imports                what kerasgan imports for it, slowest first

Both restore the same picture by the same file of the same bundle, one command after the other, by
turns. The wall clock is compared, and processor time, which another load disturbs less.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
KIT = ROOT / "export" / "raspberry_pi" / "denoise.py"
MODEL = ROOT / "saved_models" / "selective-photos"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def made_up(path, extent=512):
    """A picture of soft shapes, half of it noise."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:extent, :extent] / 40
    clean = 128 + 60 * np.sin(x + np.cos(y)) + 40 * np.cos(1.7 * y)
    draw = random.random(clean.shape)
    Image.fromarray(np.where(draw < 0.5, 255 * (draw < 0.25), clean).astype(np.uint8)).save(path)


def seconds(command):
    """By the wall clock, and of processors."""
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
    wall, after = time.perf_counter() - started, os.times()
    return wall, sum(after[2:4]) - sum(before[2:4])


def compare(commands, runs):
    for command in commands.values():
        seconds(command)  # From then on, files lie in memory.
    times = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            times[name].append(seconds(command))
    for kind, unit in enumerate(("wall clock", "processors")):
        measured = {name: np.array(pairs)[:, kind] for name, pairs in times.items()}
        ours, kits = measured.values()
        for name, values in {**measured, "ratio": ours / kits}.items():
            low, high = np.percentile(values, [10, 90])
            print(
                f"{unit}, {name:9} {np.median(values):6.2f}  (10 to 90 %: {low:.2f} to {high:.2f})"
            )


def tell_imports(command, count=20):
    """Prints which modules took longest by themselves, and with all that they import."""
    command = [command[0], "-X", "importtime", *command[1:]]
    result = subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT)
    lines = [line.split("|") for line in result.stderr.splitlines() if "import time:" in line]
    modules = [
        (int(own.split(":")[1]), int(total), name.strip())
        for own, total, name in lines
        if "self" not in own
    ]
    print(f"{len(modules)} modules, {sum(own for own, _, _ in modules) / 1000:.0f} ms in all")
    print("   self   total  (ms)")
    for own, total, name in sorted(modules, reverse=True)[:count]:
        print(f"{own / 1000:7.1f} {total / 1000:7.1f}  {name}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("picture", type=Path, nargs="?")
    parser.add_argument("--model", type=Path, default=MODEL, help="a bundle with an int8 file")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--imports", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        picture = options.picture or Path(folder, "noisy.png")
        if options.picture is None:
            made_up(picture)
        model = options.model / "int8.tflite"
        given = [str(picture), "--model", str(model), "--overwrite", "-o"]
        commands = {
            "kerasgan": [sys.executable, "-m", "kerasgan", "denoise", *given, f"{folder}/a.png"],
            "kit": [sys.executable, str(KIT), *given, f"{folder}/b.png"],
        }
        if options.imports:
            tell_imports(commands["kerasgan"])
        else:
            compare(commands, options.runs)
            same = [np.array_equal(*(Image.open(f"{folder}/{name}.png") for name in "ab"))]
            print("the same picture" if all(same) else "not the same picture")


if __name__ == "__main__":
    main()
