"""Pages, screens and drawings, made up on the spot: pictures that are black and white on purpose.

A network that has seen photographs alone takes the white of a page for noise. What is drawn here
shows it letters, lines and areas of many sizes, anti-aliased or in pure black and white, dark on
light or the other way round.
"""

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from kerasgan.data.clean import ImageSet
from kerasgan.images.pixels import Pixels, with_channels

# Height and width, in pixels.
PAGE_SIZE = 256
# Families of matplotlib's fonts that hold letters.
_FONTS = ("DejaVuSans*", "DejaVuSerif*", "STIXGeneral*", "cmr10*", "cmss10*", "cmtt10*", "cmb10*")
_NO_LETTERS = "Display"
# By how often they come in English; capitals and digits are added.
_LETTERS = "e" * 12 + "t" * 9 + "ao" * 8 + "in" * 7 + "shr" * 6 + "dl" * 4 + "cumwfgypbvkjxqz" * 2
_CAPITALS, _DIGITS, _MARKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", ".,;:!?)%-/"
_SHARP_SHARE, _INVERTED_SHARE, _RESAMPLED_SHARE, _PURE_SHARE = 0.25, 0.25, 0.2, 0.6


def draw_pages(count: int, *, channels: int = 1, seed: int = 0) -> ImageSet:
    """Draws pictures of all kinds in turn.

    Text in columns, tables, windows of programs, charts, line art, matrix codes and patterns; three
    in five with pure black on pure white, the others in shades near to them; a quarter in two
    values alone, a fifth of the others resampled as by a scanner; a quarter inverted.

    Args:
        count: how many.
        channels: 1 for grey, 3 for grey that is repeated.
        seed: the same seed draws the same pictures, where matplotlib brings the same fonts.

    Returns:
        uint8 images (PAGE_SIZE, PAGE_SIZE, channels).
    """
    kinds = list(_KINDS.items())
    images, names = [], []
    for number in range(count):
        name, draw = kinds[number % len(kinds)]
        image = _drawn(draw, random.Random(f"{seed}/{number}"))
        images.append(with_channels(image[..., np.newaxis], channels))
        names.append(f"{name} {number}")
    return ImageSet(tuple(images), tuple(names))


class _Sheet:
    """What is drawn on: paper, ink, and shades between them."""

    def __init__(self, rng: random.Random):
        pure = rng.random() < _PURE_SHARE
        self.paper = 255 if pure else rng.randint(215, 255)
        self.ink = 0 if pure else rng.randint(0, 80)
        self.sharp = rng.random() < _SHARP_SHARE
        self.image = Image.new("L", (PAGE_SIZE, PAGE_SIZE), self.paper)
        self.draw = ImageDraw.Draw(self.image)
        self.draw.fontmode = "1" if self.sharp else "L"
        self.rng = rng

    def shade(self) -> int:
        """A grey between ink and paper; one of the two where there are two values alone."""
        between = self.rng.randint(self.ink, self.paper)
        return self.rng.choice((self.ink, self.paper)) if self.sharp else between

    def font(self, size: int | None = None) -> ImageFont.FreeTypeFont:
        """A font of letters, of any usual size unless one is named."""
        size = size or round(8 * 4 ** self.rng.triangular(0, 1, 0.25))
        return _font(self.rng.choice(_font_files()), size)

    def box(self, least: int, most: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of a random rectangle."""
        width, height = self.rng.randint(least, most), self.rng.randint(least, most)
        left, top = (self.rng.randint(-extent // 2, PAGE_SIZE) for extent in (width, height))
        return left, top, left + width, top + height

    def write(self, left: int, top: int, right: int, font: ImageFont.FreeTypeFont) -> None:
        """Writes one line of words, and what does not fit is cut off."""
        ink, line = self.ink, Image.new("L", (max(1, right - left), 2 * round(font.size)), 0)
        pen = ImageDraw.Draw(line)
        pen.fontmode = self.draw.fontmode
        pen.text((0, round(font.size) // 4), _sentence(self.rng), 255, font)
        self.image.paste(ink, (left, top), line)


def _drawn(draw: Callable[[_Sheet], None], rng: random.Random) -> Pixels:
    sheet = _Sheet(rng)
    draw(sheet)
    image, paper = sheet.image, sheet.paper
    if rng.random() < _INVERTED_SHARE:
        image, paper = image.point([255 - value for value in range(256)]), 255 - paper
    if not sheet.sharp and rng.random() < _RESAMPLED_SHARE:
        image = image.rotate(rng.uniform(-4, 4), Image.Resampling.BICUBIC, fillcolor=paper)
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.8)))
    return np.asarray(image)


def _text(sheet: _Sheet) -> None:
    """A page in one to three columns, with headings."""
    rng, columns = sheet.rng, sheet.rng.choice((1, 1, 2, 3))
    font, heading = sheet.font(), sheet.font(rng.randint(16, 40))
    leading, margin = font.size * rng.uniform(1.15, 1.8), rng.randint(2, 20)
    for column in range(columns):
        left, right = (
            margin + (PAGE_SIZE - margin) * edge // columns for edge in (column, column + 1)
        )
        top = float(rng.randint(-10, 20))
        while top < PAGE_SIZE:
            large = rng.random() < 0.08
            end = right - margin - (rng.randint(0, right - left) // 2 if rng.random() < 0.2 else 0)
            sheet.write(left, round(top), max(left + 1, end), heading if large else font)
            top += heading.size * 1.3 if large else leading * (2 if rng.random() < 0.1 else 1)


def _table(sheet: _Sheet) -> None:
    """Cells with figures and words between lines."""
    rng, draw, font = sheet.rng, sheet.draw, sheet.font(sheet.rng.randint(8, 18))
    height, width = round(font.size * rng.uniform(1.4, 2.5)), rng.randint(40, 110)
    thick = rng.choice((1, 1, 1, 2, 3))
    for top in range(rng.randint(0, height), PAGE_SIZE, height):
        if rng.random() < 0.15:
            draw.rectangle((0, top, PAGE_SIZE, top + height), sheet.shade())
        draw.line((0, top, PAGE_SIZE, top), sheet.ink, thick)
        for left in range(rng.randint(2, 10), PAGE_SIZE, width):
            if rng.random() < 0.85:
                sheet.write(left + 4, top + 2, left + width - 4, font)
    for left in range(rng.randint(0, width), PAGE_SIZE, width):
        draw.line((left, 0, left, PAGE_SIZE), sheet.ink, thick)


def _screen(sheet: _Sheet) -> None:
    """Windows, bars and buttons with labels and icons, one over the other."""
    rng, draw = sheet.rng, sheet.draw
    draw.rectangle((0, 0, PAGE_SIZE, PAGE_SIZE), sheet.shade())
    for _ in range(rng.randint(3, 9)):
        left, top, right, bottom = sheet.box(50, 200)
        face = rng.choice((sheet.paper, sheet.paper, sheet.shade()))
        radius = rng.choice((0, 0, 4, 10))
        draw.rounded_rectangle((left, top, right, bottom), radius, face, sheet.ink)
        if face - sheet.ink < 60:
            continue
        font, icon = sheet.font(rng.randint(8, 16)), rng.randint(8, 20)
        for line in range(top + 6, bottom - 2 * icon, round(1.8 * max(icon, font.size))):
            shape = rng.choice((draw.ellipse, draw.rectangle))
            outline = (left + 6, line, left + 6 + icon, line + icon)
            shape(outline, sheet.shade(), sheet.ink, rng.randint(1, 2))
            sheet.write(left + icon + 12, line, right - 6, font)


def _chart(sheet: _Sheet) -> None:
    """Axes with ticks, bars, curves and points."""
    rng, draw, font = sheet.rng, sheet.draw, sheet.font(sheet.rng.randint(8, 13))
    left, bottom = rng.randint(20, 50), PAGE_SIZE - rng.randint(15, 40)
    step, thick = rng.randint(14, 40), rng.randint(1, 3)
    for x in range(left + step, PAGE_SIZE, step):
        if rng.random() < 0.6:
            bar = (x, rng.randint(5, bottom), x + step // 2, bottom)
            draw.rectangle(bar, sheet.shade(), sheet.ink)
        draw.line((x, bottom, x, bottom + 4), sheet.ink)
        sheet.write(x - step // 3, bottom + 2, x + step // 2, font)
    for y in range(bottom, 0, -step):
        draw.line((left if rng.random() < 0.5 else 0, y, PAGE_SIZE, y), sheet.shade())
        sheet.write(1, y - round(font.size), left - 2, font)
    for _ in range(rng.randint(0, 3)):
        curve = [(x, rng.randint(5, bottom)) for x in range(left, PAGE_SIZE + step, step)]
        draw.line(curve, sheet.ink, thick, joint="curve")
        for x, y in curve:
            draw.ellipse((x - 3, y - 3, x + 3, y + 3), sheet.shade(), sheet.ink)
    draw.line((left, 0, left, bottom, PAGE_SIZE, bottom), sheet.ink, thick)


def _line_art(sheet: _Sheet) -> None:
    """Outlines and solid areas, hatching and dots, in panels with words: comics, maps, stamps."""
    rng, draw = sheet.rng, sheet.draw
    for _ in range(rng.randint(4, 14)):
        left, top, right, bottom = box = sheet.box(20, 180)
        pen, thick = rng.randrange(6), rng.randint(1, 5)
        if pen == 0:
            draw.ellipse(box, rng.choice((None, sheet.ink, sheet.shade())), sheet.ink, thick)
        elif pen == 1:
            corners = [(rng.randint(left, right), rng.randint(top, bottom)) for _ in range(5)]
            draw.polygon(corners, rng.choice((None, sheet.ink, sheet.shade())), sheet.ink)
        elif pen == 2:
            for _ in range(rng.randint(2, 6)):
                draw.arc(
                    sheet.box(20, 180), rng.randint(0, 360), rng.randint(0, 720), sheet.ink, thick
                )
        elif pen == 3:
            for x in range(left, right, rng.randint(thick + 2, 12)):
                draw.line((x, top, x + rng.randint(-2, 2) + 20, bottom), sheet.ink, thick)
        elif pen == 4:
            gap = rng.randint(4, 12)
            for x in range(left, right, gap):
                for y in range(top, bottom, gap):
                    draw.ellipse((x, y, x + gap // 2, y + gap // 2), sheet.ink)
        else:
            draw.rounded_rectangle(box, rng.randint(0, 30), sheet.paper, sheet.ink, thick)
            sheet.write(left + 8, (top + bottom) // 2 - 8, right - 8, sheet.font())


def _code(sheet: _Sheet) -> None:
    """Squares of a matrix code, or the bars of a line code."""
    rng, cell = sheet.rng, sheet.rng.randint(2, 9)
    rows = 1 if rng.random() < 0.3 else PAGE_SIZE // cell + 1
    cells = [[rng.choice((sheet.ink, sheet.paper)) for _ in range(PAGE_SIZE)] for _ in range(rows)]
    code = Image.fromarray(np.array(cells, np.uint8)[:, : PAGE_SIZE // cell + 1])
    size = (code.width * cell, PAGE_SIZE if rows == 1 else code.height * cell)
    sheet.image.paste(code.resize(size, Image.Resampling.NEAREST), (rng.randint(-cell, 0), 0))
    if rng.random() < 0.5:
        sheet.draw.rectangle(sheet.box(60, 160), sheet.paper)


def _pattern(sheet: _Sheet) -> None:
    """Squares, stripes or rings that repeat, over half of the sheet or all of it."""
    rng, period = sheet.rng, sheet.rng.uniform(4, 60)
    rows, columns = np.indices((PAGE_SIZE, PAGE_SIZE)) + rng.randint(0, 60)
    angle = rng.choice((0.0, np.pi / 2, rng.uniform(0, np.pi)))
    along = rows * np.sin(angle) + columns * np.cos(angle)
    kinds = (
        lambda: (rows // period + columns // period) % 2 < 1,
        lambda: along % period < period * rng.uniform(0.2, 0.8),
        lambda: (
            np.hypot(rows - rng.randint(0, 200), columns - rng.randint(0, 200)) % period
            < period / 2
        ),
    )
    mask = Image.fromarray(np.uint8(255) * rng.choice(kinds)().astype(np.uint8))
    if rng.random() < 0.5:
        ImageDraw.Draw(mask).rectangle(sheet.box(80, 220), 0)
    sheet.image.paste(sheet.ink, (0, 0), mask)


_KINDS: dict[str, Callable[[_Sheet], None]] = {
    "text": _text,
    "table": _table,
    "screen": _screen,
    "chart": _chart,
    "line art": _line_art,
    "code": _code,
    "pattern": _pattern,
}


def _sentence(rng: random.Random) -> str:
    """Words without a meaning, enough for a line."""
    words = []
    for _ in range(16):
        word = "".join(rng.choice(_LETTERS) for _ in range(rng.randint(1, 10)))
        kind = rng.random()
        if kind < 0.2:
            word = rng.choice(_CAPITALS) + word[1:]
        elif kind < 0.25:
            word = word.upper()
        elif kind < 0.35:
            word = "".join(rng.choice(_DIGITS) for _ in word)
        words.append(word + (rng.choice(_MARKS) if rng.random() < 0.15 else ""))
    return " ".join(words)


@cache
def _font_files() -> tuple[Path, ...]:
    import matplotlib

    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    files = (path for pattern in _FONTS for path in sorted(folder.glob(f"{pattern}.ttf")))
    return tuple(path for path in files if _NO_LETTERS not in path.name)


@cache
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)
