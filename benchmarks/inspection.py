"""How often `kerasgan inspect` is right, on pictures whose noise is known: Markdown on stdout.

    python benchmarks/inspection.py [PHOTOS...] [--cases 2000] [--half second] [--show FOLDER]

Half of the cases are photographs: those of the folders, or scikit-image's own, as they are, darker,
overexposed, some of them resized. The others are drawn: pages, screens, charts, comics, halftones,
patterns, skies; some of them in grey ink on grey paper. Some of all went through JPEG. Each is
taken clean, or with noise of a known kind. What decides was fitted to the first half, of the
photographs and of the seeds (fit_looks.py); what is reported is the second one. Noise of one colour
alone strikes photographs only: of salt on paper there is nothing to see.
"""

import io
import time
from collections import Counter
from pathlib import Path

import click
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from kerasgan.images.formats import find_images
from kerasgan.images.pictures import read_picture
from kerasgan.noise.noisy import noisy_image
from kerasgan.noise.sensor import Sensor
from kerasgan.restore.inspection import inspect

FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSansMono", "STIXGeneral", "cmr10")
WORDS = (
    "It is a long way from the first draft of a letter, to its end. I will sit in it, i.e. 1.5 m"
)
SIDES = (96, 400)
SHARES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.97)
# Standard deviation, in levels, of noise that is there to see.
VISIBLE = 2.0
KINDS = ("clean", "salt-and-pepper", "gaussian", "signal-dependent", "impulses", "unknown")


# --- What is photographed and drawn ---------------------------------------------------------------


def photographs(folders):
    """Photographs (H, W, C) of 8 bits."""
    if folders:
        for path in (path for folder in folders for path in find_images(folder)):
            pixels = read_picture(path).pixels
            yield pixels if pixels.dtype == np.uint8 else (pixels // 257).astype(np.uint8)
        return
    from skimage import data

    for name in ("astronaut", "camera", "cat", "coffee", "rocket", "brick", "grass", "gravel"):
        pixels = getattr(data, name)()
        yield pixels if pixels.ndim == 3 else pixels[..., np.newaxis]


def exposed(photo, random):
    """A part of a photograph: as it is, darker, with clipped black, overexposed, or a night.

    Some of them are at half their size, as sharp as JPEG lets none be, and some in vivid colours.
    """
    if random.random() < 0.25:
        photo = by_pillow(photo, lambda image: image.reduce(2))
    height, width = (min(random.integers(*SIDES), extent) for extent in photo.shape[:2])
    top, left = (
        random.integers(0, e - s + 1) for e, s in zip(photo.shape, (height, width), strict=False)
    )
    values = photo[top : top + height, left : left + width].astype(float)
    if values.shape[2] == 3 and random.random() < 0.3:
        values = values.mean(axis=2, keepdims=True)
    if random.random() < 0.25:
        grey = values.mean(axis=2, keepdims=True)
        values = grey + random.uniform(1.0, 3.0) * (values - grey)
    how = random.choice(
        ["as it is", "dark", "clipped", "overexposed", "night"], p=[0.6] + [0.1] * 4
    )
    if how == "dark":
        values = values * random.uniform(0.1, 0.4)
    elif how == "clipped":
        values = (values - random.uniform(30, 90)) * random.uniform(0.8, 1.2)
    elif how == "overexposed":
        values = values * random.uniform(1.3, 2.5) + random.uniform(0, 40)
    elif how == "night":
        values = (values - np.quantile(values, random.uniform(0.7, 0.97))) * 1.5
    pixels = to_bytes(values)
    return saved(rescaled(pixels, random) if random.random() < 0.2 else pixels, random, 0.3), how


def rescaled(pixels, random):
    """Sharper or softer than it was, as cameras make them, and no larger."""
    factor, by = random.uniform(0.5, 3), int(random.choice([Image.BICUBIC, Image.LANCZOS]))
    most = max(SIDES[0], int(SIDES[1] / factor))
    return by_pillow(pixels[:most, :most], lambda image: resized(image, factor, by))


def saved(pixels, random, share):
    """Some of them go through JPEG."""
    if random.random() > share:
        return pixels
    quality = int(random.integers(40, 98))
    return by_pillow(pixels, lambda image: through_jpeg(image, quality))


def font(random, sizes=(7, 28)):
    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    return ImageFont.truetype(folder / f"{random.choice(FONTS)}.ttf", int(random.integers(*sizes)))


def write(draw, random, box, letters, fill):
    """Fills a box with lines of words."""
    left, top, right, bottom = box
    words = WORDS.split()
    height = letters.size * random.uniform(1.1, 1.6)
    while top + height < bottom:
        line = " ".join(random.choice(words, 60))
        while line and draw.textlength(line, font=letters) > right - left:
            line = line[:-1]
        draw.text((left, top), line, font=letters, fill=fill)
        top += height


def page(random, size):
    """Text, black on white or the other way round; of grey edges, or in 1 bit."""
    image = Image.new("L", size, 255)
    draw = ImageDraw.Draw(image)
    draw.fontmode = random.choice(["1", "L"])
    margin = int(random.integers(2, 30))
    box = (margin, margin, size[0] - margin, size[1] - margin)
    write(draw, random, box, font(random), int(random.choice([0, 0, 30])))
    pixels = np.asarray(image)[..., np.newaxis]
    return 255 - pixels if random.random() < 0.25 else pixels


def screen(random, size):
    """Windows, buttons and text, in colours."""
    color = [tuple(int(v) for v in random.integers(0, 256, 3)) for _ in range(4)]
    dark = random.random() < 0.3
    image = Image.new("RGB", size, (0, 0, 0) if dark else (255, 255, 255))
    draw = ImageDraw.Draw(image)
    letters = font(random, (8, 16))
    write(draw, random, (size[0] // 4, 30, size[0] - 4, size[1]), letters, color[0])
    draw.rectangle((0, 0, size[0], 22), fill=color[1])
    draw.rectangle((0, 22, size[0] // 5, size[1]), fill=color[2])
    for row in range(40, size[1] - 20, 30):
        draw.rounded_rectangle((4, row, size[0] // 5 - 4, row + 18), 4, fill=color[3], outline=0)
    draw.text((6, 4), "File  Edit  View", font=letters, fill=(255, 255, 255))
    return np.asarray(image)


def chart(random, size):
    """Axes, a grid of points or lines, and curves."""
    image = Image.new("RGB", size, (255, 255, 255))
    draw = ImageDraw.Draw(image)
    x = np.arange(20, size[0] - 8)
    dotted = random.random() < 0.3
    for row in range(10, size[1], int(random.integers(15, 40))):
        if not dotted:
            draw.line((20, row, size[0], row), (200, 200, 200))
            continue
        for column in range(20, size[0], int(random.integers(2, 9))):
            draw.point((column, row), (0, 0, 0))
    for _ in range(3):
        y = size[1] * (0.5 + 0.4 * np.sin(x / random.uniform(9, 60) + random.uniform(0, 6)))
        fill = tuple(int(v) for v in random.choice([0, 0, 120, 255], 3))
        draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill, int(random.integers(1, 3)))
    draw.line((20, 4, 20, size[1] - 4, size[0], size[1] - 4), (0, 0, 0))
    write(draw, random, (30, 2, size[0], 30), font(random, (7, 12)), (0, 0, 0))
    return np.asarray(image)


def comic(random, size):
    """Flat colours within black contours."""
    image = Image.new("RGB", size, (255, 255, 255))
    draw = ImageDraw.Draw(image)
    for _ in range(int(random.integers(6, 30))):
        left, top = (int(random.integers(0, extent)) for extent in size)
        box = (left, top, left + int(random.integers(8, 90)), top + int(random.integers(8, 90)))
        fill = tuple(int(v) for v in random.choice([0, 60, 128, 200, 255], 3))
        shape = draw.ellipse if random.random() < 0.6 else draw.rectangle
        shape(box, fill=fill, outline=(0, 0, 0), width=int(random.integers(1, 4)))
    return np.asarray(image)


def pattern(random, size):
    """Checkerboards and stripes."""
    cell, rows = int(random.integers(1, 12)), random.random() < 0.25
    y, x = np.mgrid[: size[1], : size[0]] // cell
    return (255 * ((y if rows else x + y) % 2)).astype(np.uint8)[..., np.newaxis]


def code(random, size):
    """Squares at random, in a white margin, as in a QR code."""
    cell = int(random.integers(2, 9))
    cells = random.integers(0, 2, (size[1] // cell, size[0] // cell), np.uint8) * 255
    pixels = np.repeat(np.repeat(cells, cell, axis=0), cell, axis=1)
    return np.pad(pixels, 4 * cell, constant_values=255)[..., np.newaxis]


def halftone(random, size):
    """Soft shapes in dots of black and white, as printers and screens of 1 bit show them."""
    y, x = np.mgrid[: size[1], : size[0]] / random.uniform(15, 60)
    values = random.uniform(60, 190) + 90 * np.sin(x + random.uniform(0, 6)) * np.cos(1.3 * y)
    return 255 * np.asarray(Image.fromarray(to_bytes(values)).convert("1"), np.uint8)[..., None]


def strokes(random, size):
    """Thin lines that end anywhere, as in plans, hatchings and maps; on white or on black."""
    image = Image.new("L", size, 255)
    draw = ImageDraw.Draw(image)
    longest = random.uniform(20, 600)
    for x, y, angle in random.random((int(random.integers(20, 400)), 3)) * (*size, 2 * np.pi):
        length = longest * random.uniform(0.3, 1)
        draw.line((x, y, x + length * np.cos(angle), y + length * np.sin(angle)), fill=0)
    pixels = np.asarray(image)[..., np.newaxis]
    return 255 - pixels if random.random() < 0.5 else pixels


def sky(random, size):
    """Stars on a sky that is black: light of a few pixels each."""
    values = np.full(size[::-1], random.uniform(-20, 4))
    y, x = np.mgrid[-3:4, -3:4]
    for _ in range(size[0] * size[1] // int(random.integers(100, 800))):
        top, left = (int(random.integers(0, extent - 6)) for extent in values.shape)
        star = np.exp(-(y**2 + x**2) / (2 * random.uniform(0.5, 1.3) ** 2))
        values[top : top + 7, left : left + 7] += random.exponential(120) * star
    return to_bytes(values[..., np.newaxis] + random.normal(0, 2, (*values.shape, 1)))


DRAWN = (page, page, page, screen, screen, chart, comic, halftone, pattern, code, sky, strokes)


def drawn(random):
    size = tuple(int(side) for side in random.integers(*SIDES, 2))
    make = DRAWN[random.integers(len(DRAWN))]
    pixels = make(random, size)
    if random.random() < 0.3:
        pixels = printed(pixels, random)
    return saved(pixels, random, 0.2), make.__name__


def printed(pixels, random):
    """As scans and photographs show what is drawn: paper is not white, and ink not black."""
    ink, paper = random.uniform(5, 110), random.uniform(190, 252)
    return to_bytes(ink + pixels / 255 * (paper - ink))


# --- What damages it ------------------------------------------------------------------------------


def to_bytes(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def salt_and_pepper(pixels, random, share, one_color=True):
    """All channels of a pixel together, or each by itself; both colours, or one of them."""
    shape = (*pixels.shape[:2], 1) if random.random() < 0.75 else pixels.shape
    one = 0.1 if one_color else 0.0
    salt = random.choice(
        [0.5, random.uniform(0.2, 0.8), 0.0, 1.0], p=[0.8 - 2 * one, 0.2, one, one]
    )
    draw = random.random(shape)
    return np.where(draw < share, np.where(draw < share * salt, 255, 0), pixels).astype(np.uint8)


def by_pillow(pixels, change):
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    changed = np.asarray(change(image))
    return changed if changed.ndim == 3 else changed[..., np.newaxis]


def through_jpeg(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def resized(image, factor, by=Image.BICUBIC):
    return image.resize([max(8, int(extent * factor)) for extent in image.size], by)


def of_sensor(pixels, random):
    noise = Sensor((20.0, 100.0), smoothing=random.uniform(0, 1), jpeg=random.random() < 0.5)
    noisy = noisy_image(pixels / np.float32(255), noise, seed=int(random.integers(2**31)))
    return to_bytes(255 * noisy)


def growing(pixels, kind, random):
    """Noise that grows with brightness."""
    if kind == "sensor":
        return of_sensor(pixels, random)
    if kind == "poisson":
        peak = random.uniform(10, 60)
        return to_bytes(random.poisson(pixels / 255 * peak) / peak * 255)
    return to_bytes(pixels * (1 + random.normal(0, random.uniform(0.1, 0.4), pixels.shape)))


def struck(pixels, share, values, random):
    hit = random.random((*pixels.shape[:2], 1)) < share
    return np.where(hit, values, pixels).astype(np.uint8)


def partly_restored(noisy, random):
    """As it looks when salt and pepper was taken out of it."""
    medians = ndimage.median_filter(noisy, size=(3, 3, 1))
    return struck(noisy, random.uniform(0.05, 0.6), medians, random)


def damaged(pixels, kind, random, is_photo):
    """The picture with noise, the kind that is right to say, its level, and a name."""
    if kind == "clean":
        return pixels, "clean", 0.0, "clean"
    if kind == "salt-and-pepper":
        share = float(random.choice(SHARES))
        return salt_and_pepper(pixels, random, share, is_photo), kind, share, f"s&p {share:.1%}"
    if kind == "gaussian":
        sigma = random.uniform(5, 50)
        noisy = to_bytes(pixels + random.normal(0, sigma, pixels.shape))
        if random.random() < 0.2:
            noisy = partly_restored(noisy, random)
        return noisy, kind, sigma, kind
    if kind in ("poisson", "speckle", "sensor"):
        noisy = growing(pixels, kind, random)
        # In the dark there is next to none.
        seen = np.std(noisy.astype(float) - pixels) > VISIBLE
        return noisy, "signal-dependent" if seen else "clean", 0.0, kind if seen else "clean"
    if kind == "hot and dead":
        share = random.uniform(0.01, 0.1)
        hot = random.random((*pixels.shape[:2], 1)) < random.choice(
            [1.0, 0.5, 0.0], p=[0.6, 0.2, 0.2]
        )
        low, high = np.where(hot, 180, 1), np.where(hot, 255, 50)
        return struck(pixels, share, random.integers(low, high), random), "impulses", share, kind
    share = float(random.choice(SHARES[3:8]))
    if kind == "random values":
        values = random.integers(0, 256, pixels.shape, np.uint8)
        return struck(pixels, share, values, random), "impulses", share, kind
    noisy = salt_and_pepper(pixels, random, share, is_photo)
    if kind == "s&p, JPEG":
        quality = int(random.integers(60, 96))
        return by_pillow(noisy, lambda i: through_jpeg(i, quality)), "impulses", share, kind
    factor = random.choice([0.5, 0.75, 1.5, 2.0])
    return by_pillow(noisy, lambda i: resized(i, factor)), "impulses", share, kind


DAMAGES = {
    "clean": 0.3,
    "salt-and-pepper": 0.3,
    "gaussian": 0.09,
    "poisson": 0.04,
    "speckle": 0.04,
    "sensor": 0.05,
    "random values": 0.05,
    "hot and dead": 0.03,
    "s&p, JPEG": 0.05,
    "s&p, resized": 0.05,
}


def cases(folders, count, half):
    """Pictures with the truth about them."""
    photos = list(photographs(folders))
    photos = photos[half::2]
    for index in range(count):
        random = np.random.default_rng((half, index))
        if index % 2:
            pixels, base = exposed(photos[random.integers(len(photos))], random)
            base = f"photograph, {base}"
        else:
            pixels, base = drawn(random)
        kind = str(random.choice(list(DAMAGES), p=list(DAMAGES.values())))
        yield index, base, *damaged(pixels, kind, random, index % 2)


# --- What is counted ------------------------------------------------------------------------------


def table(rows, names, counts):
    print("| | " + " | ".join(names) + " |\n| --- |" + " --- |" * len(names))
    for row in rows:
        print(f"| {row} | " + " | ".join(str(counts[row, name]) for name in names) + " |")
    print()


def share(part, whole):
    return f"{part} of {whole} ({part / max(whole, 1):.1%})"


@click.command()
@click.argument("photos", type=click.Path(path_type=Path), nargs=-1)
@click.option("--cases", "count", default=2000, show_default=True)
@click.option("--half", type=click.Choice(["first", "second"]), default="second")
@click.option("--show", type=click.Path(path_type=Path), help="Where wrong cases are written.")
def main(photos, count, half, show):
    seen, truths, by_base, wrong, seconds, pixels_seen = Counter(), {}, Counter(), [], 0.0, 0
    shares, sigmas = [], []
    for index, base, pixels, kind, level, name in cases(photos, count, half == "second"):
        started = time.process_time()
        found = inspect(pixels)
        seconds += time.process_time() - started
        pixels_seen += pixels.shape[0] * pixels.shape[1]
        row = name if kind != "salt-and-pepper" else kind
        truths[row] = kind
        seen[row, found.kind] += 1
        is_noise, is_found = (one == "salt-and-pepper" for one in (kind, found.kind))
        if kind in ("clean", "salt-and-pepper"):
            by_base[base, f"{kind}: all"] += 1
            by_base[base, f"{kind}: wrong"] += is_noise != is_found
        if is_noise and is_found:
            shares.append(abs(found.impulses.share / level - 1))
        if kind == found.kind == "gaussian":
            sigmas.append((base.startswith("photo"), abs(found.sigma / level - 1)))
        if is_noise != is_found or (kind == "clean" and found.kind != "clean"):
            wrong.append((index, base, name, found))
            if show:
                show.mkdir(parents=True, exist_ok=True)
                by = pixels[..., 0] if pixels.shape[2] == 1 else pixels
                Image.fromarray(by).save(show / f"{index}-{base}-{name}-{found.kind}.png")
    print(f"{count} pictures, the {half} half; rows are the truth, columns what was said\n")
    table(["clean", "salt-and-pepper", *list(DAMAGES)[2:]], KINDS, seen)
    table(
        sorted({base for base, _ in by_base}),
        [f"{k}: {w}" for k in ("clean", "salt-and-pepper") for w in ("all", "wrong")],
        by_base,
    )
    clean = sum(n for (truth, _), n in seen.items() if truth == "clean")
    noisy = sum(n for (truth, _), n in seen.items() if truth == "salt-and-pepper")
    touched, found = seen["clean", "salt-and-pepper"], seen["salt-and-pepper", "salt-and-pepper"]
    alike = {"gaussian", "signal-dependent"}
    right = sum(n for (truth, said), n in seen.items() if truths[truth] == said)
    grain = sum(n for (truth, said), n in seen.items() if {truths[truth], said} == alike)
    print(
        f"- right: {share(right, count)}; grain of whichever kind for one, as `denoise` takes it,"
    )
    print(f"  {share(right + grain, count)}")
    print(f"- salt and pepper or clean, right: {share(clean - touched + found, clean + noisy)}")
    print(f"- clean, and taken for salt and pepper: {share(touched, clean)}")
    print(f"- salt and pepper, and seen: {share(found, noisy)}")
    print(f"- median relative error of the share: {np.median(shares):.1%}")
    print(f"- median relative error of sigma: {np.median([e for _, e in sigmas]):.1%}, of")
    print(f"  photographs {np.median([e for photo, e in sigmas if photo]):.1%}")
    print(f"- {1e9 * seconds / pixels_seen:.0f} ms a megapixel")
    for index, base, name, found in wrong[:60]:
        print(
            f"  - {index}: {base}, {name}: {found.sentence}",
            vars(found) if show else "",
        )


if __name__ == "__main__":
    main()
