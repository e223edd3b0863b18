"""For try_on_arm.sh: what a file answers on one machine, and how far two machines are apart."""

import sys
from pathlib import Path

import numpy as np
from denoise import Model
from PIL import Image

# Of values in [0, 1]; 8-bit files may be one step apart.
FLOAT_TOLERANCE, STEPS = 1e-6, 1


def run(file, result):
    """Writes what a file answers to seeded pictures of each size that it takes."""
    model = Model(file, threads=1)
    random = np.random.default_rng(0)
    answers = []
    for height, width in list(model.sizes) or [(64, 96)]:
        clean = random.integers(1, 255, (8, height // 8, width // 8, model.channels))
        for amount, tones in zip(np.linspace(0.0, 0.9, 8), clean, strict=True):
            picture = tones.repeat(8, axis=0).repeat(8, axis=1)
            picture[random.random(picture.shape) < amount / 2] = 0
            picture[random.random(picture.shape) < amount / 2] = 255
            answers.append(model.run(picture.astype(np.uint8)).ravel())
    np.save(result, np.concatenate(answers))


def report(first, second):
    """Prints how far the answers in two folders are apart, and whether that is near enough."""
    passed = True
    for path in sorted(Path(first).glob("*.npy")):
        values, others = np.load(path), np.load(Path(second) / path.name)
        pictures = [
            np.asarray(Image.open((Path(folder) / path.name).with_suffix(".png"))).astype(int)
            for folder in (first, second)
        ]
        apart, steps = np.abs(values - others).max(), np.abs(pictures[0] - pictures[1]).max()
        integer = path.stem.startswith("int8")
        near = apart <= STEPS / 255 + 1e-6 if integer else apart <= FLOAT_TOLERANCE
        near = bool(near and steps <= STEPS)
        passed &= near
        print(
            f"{path.stem:10} {values.size:,} values, largest difference {apart:.2g}; "
            f"the sample: {steps} of 255   {'ok' if near else 'TOO FAR APART'}"
        )
    return 0 if passed else 1


if __name__ == "__main__":
    command, *paths = sys.argv[1:]
    sys.exit({"run": run, "report": report}[command](*paths))
