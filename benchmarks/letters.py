"""How many letters of a page a reader still reads under salt and pepper: Markdown on stdout.

    pip install rapidocr-onnxruntime
    python benchmarks/letters.py [--pages 4]

Pages of text in four fonts, black on white, each line of which RapidOCR reads: clean, noisy,
filtered, and as `kerasgan denoise` makes it by itself. Told is the share of the letters read on the
clean page that are read again, in their order.
"""

from difflib import SequenceMatcher
from pathlib import Path

import click
import impulses
import matplotlib
import numpy as np
from inspection import WORDS
from PIL import Image, ImageDraw, ImageFont
from rapidocr_onnxruntime import RapidOCR

from kerasgan.measure.baselines import BASELINES
from kerasgan.restore.choice import Choice
from kerasgan.restore.restorer import load_restorer

FONTS = ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "STIXGeneral")
SIZES = (12, 16, 24)
SHARES = (0.0, 0.02, 0.1, 0.3, 0.5)
WIDTH, LINES = 480, 10


def page(random, font, size):
    """Lines of words: uint8 (H, W, 1), and the rows in which each line stands."""
    letters = ImageFont.truetype(
        Path(matplotlib.get_data_path(), "fonts", "ttf", f"{font}.ttf"), size
    )
    height = round(1.7 * size)
    image = Image.new("L", (WIDTH, LINES * height), 255)
    draw = ImageDraw.Draw(image)
    for number in range(LINES):
        line = " ".join(random.choice(WORDS.split(), 60))
        while draw.textlength(line, font=letters) > WIDTH - 2 * size:
            line = line.rpartition(" ")[0]
        draw.text((size, number * height + size // 4), line, font=letters, fill=0)
    rows = [slice(number * height, (number + 1) * height) for number in range(LINES)]
    return np.asarray(image)[..., np.newaxis], rows


def read(reader, pixels, rows):
    """What is read of each line, without its spaces."""
    texts = []
    for lines in rows:
        found, _ = reader(np.repeat(pixels[lines], 3, axis=-1), use_det=False, use_cls=False)
        texts.append((found[0][0] if found else "").replace(" ", ""))
    return texts


def read_again(clean, other):
    """How many letters of the clean lines stand in the others, in their order."""
    matchers = (
        SequenceMatcher(None, *pair, autojunk=False) for pair in zip(clean, other, strict=True)
    )
    return sum(block.size for matcher in matchers for block in matcher.get_matching_blocks())


@click.command()
@click.option("--pages", default=4, show_default=True, help="Of each size, in fonts by turns.")
def main(pages):
    reader, choose = RapidOCR(), Choice(None, load_restorer)
    methods = {
        "noisy": lambda noisy: noisy,
        "median 3×3": BASELINES["median 3×3"],
        "kerasgan denoise": lambda noisy: choose(noisy).pixels,
    }
    print("| letters | what | " + " | ".join(f"{share:.0%}" for share in SHARES) + " |")
    print("| --- | --- |" + " --- |" * len(SHARES))
    for size in SIZES:
        again, letters = np.zeros((len(methods), len(SHARES))), 0
        for number in range(pages):
            random = np.random.default_rng((7, size, number))
            clean, rows = page(random, FONTS[number % len(FONTS)], size)
            texts = read(reader, clean, rows)
            letters += sum(map(len, texts))
            for column, share in enumerate(SHARES):
                noisy = impulses.salted(clean, random, share)
                for row, restore in enumerate(methods.values()):
                    again[row, column] += read_again(texts, read(reader, restore(noisy), rows))
        for name, counts in zip(methods, again, strict=True):
            told = " | ".join(f"{count / letters:.1%}" for count in counts)
            print(f"| {size} pixels | {name} | {told} |", flush=True)


if __name__ == "__main__":
    main()
