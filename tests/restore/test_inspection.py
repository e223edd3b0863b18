"""Which noise a picture has: what is told of pictures whose noise is known."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from kerasgan.noise.kinds import KINDS
from kerasgan.noise.noisy import noisy_image
from kerasgan.restore.inspection import inspect
from tests.helpers import smooth_image


def with_impulses(clean, share, *, salt=0.5, seed=0, together=True):
    random = np.random.default_rng(seed)
    draw = random.random((*clean.shape[:2], 1) if together else clean.shape)
    return np.where(draw < share, np.where(draw < share * salt, 255, 0), clean).astype(np.uint8)


def page(gray=True, size=14, paper=(255,), ink=(0,)):
    image = Image.new("L" if len(paper) == 1 else "RGB", (300, 200), paper)
    draw = ImageDraw.Draw(image)
    draw.fontmode = "L" if gray else "1"
    letters = ImageFont.load_default(size)
    for line in range(10, 180, 2 * size):
        draw.text((12, line), "It is a page, i.e. black on white 123.", font=letters, fill=ink)
    pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[..., np.newaxis]


def strokes():
    """Thin lines of white on black, all over."""
    random = np.random.default_rng(1500)
    image = Image.new("L", (500, 500), 0)
    draw = ImageDraw.Draw(image)
    for x, y, angle in random.random((1500, 3)) * (500, 500, 2 * np.pi):
        length = random.uniform(12, 40)
        draw.line((x, y, x + length * np.cos(angle), y + length * np.sin(angle)), fill=255)
    return np.asarray(image)[..., np.newaxis]


def photographs():
    cat = data.cat()[20:270, 100:400]
    camera = data.camera()[100:400, 100:400, np.newaxis]
    return {
        "colour": cat,
        "grey": camera,
        "dark": (camera * 0.3).astype(np.uint8),
        "clipped": np.clip(cat.astype(int) - 90, 0, 255).astype(np.uint8),
        "overexposed": np.clip(cat.astype(int) * 2, 0, 255).astype(np.uint8),
    }


def drawings():
    y, x = np.mgrid[:200, :200]
    code = np.random.default_rng(0).integers(0, 2, (30, 30), np.uint8) * 255
    return {
        "page": page(),
        "page of 1 bit": page(gray=False),
        "small page": page(size=9),
        "inverted page": 255 - page(),
        "checkerboard": (255 * ((x + y) % 2)).astype(np.uint8)[..., np.newaxis],
        "squares": (255 * ((x // 7 + y // 7) % 2)).astype(np.uint8)[..., np.newaxis],
        "stripes": (255 * (y % 2)).astype(np.uint8)[..., np.newaxis],
        "code": np.pad(code.repeat(6, 0).repeat(6, 1), 20, constant_values=255)[..., np.newaxis],
        "gradient": np.linspace(0, 255, 200 * 200).reshape(200, 200, 1).astype(np.uint8),
        "strokes": strokes(),
        "black": np.zeros((100, 100, 3), np.uint8),
        "white": np.full((100, 100, 3), 255, np.uint8),
    }


CLEAN = {**photographs(), **drawings()}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_pictures_have_no_salt_and_pepper(name):
    found = inspect(CLEAN[name])
    assert found.impulses.share == 0 and found.impulses.objection() is not None
    assert found.kind != "salt-and-pepper"
    assert "no salt and pepper" in found.impulses.verdict


@pytest.mark.parametrize("name", photographs())
@pytest.mark.parametrize("share", [0.005, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9])
def test_salt_and_pepper_is_seen_in_photographs(name, share):
    found = inspect(with_impulses(CLEAN[name], share))
    assert found.kind == "salt-and-pepper"
    assert found.impulses.objection() is None
    if name != "clipped" or share < 0.5:
        assert found.level == pytest.approx(share, rel=0.15, abs=0.003)


def test_the_last_pixels_of_a_photograph_are_seen():
    found = inspect(with_impulses(CLEAN["grey"], 0.97))
    assert found.kind == "salt-and-pepper" and found.level == pytest.approx(0.97, abs=0.02)


@pytest.mark.parametrize("salt", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_one_colour_may_be_alone(salt, share):
    found = inspect(with_impulses(CLEAN["colour"], share, salt=salt))
    assert found.kind == "salt-and-pepper" and found.level == pytest.approx(share, rel=0.15)


def test_channels_may_be_struck_one_by_one():
    together = inspect(with_impulses(CLEAN["colour"], 0.2))
    apart = inspect(with_impulses(CLEAN["colour"], 0.2, together=False))
    assert together.impulses.together and not apart.impulses.together
    assert together.level == pytest.approx(0.2, rel=0.1)
    assert apart.level == pytest.approx(0.2, rel=0.1)
    assert not inspect(with_impulses(CLEAN["grey"], 0.2)).impulses.together


@pytest.mark.parametrize("name", ["page", "page of 1 bit", "inverted page", "squares", "code"])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_salt_and_pepper_is_seen_in_drawings(name, share):
    assert inspect(with_impulses(CLEAN[name], share)).kind == "salt-and-pepper"


def test_restoring_is_objected_to_where_it_would_change_the_picture_itself():
    objection = inspect(with_impulses(page(), 0.02)).objection("salt-and-pepper")
    assert "about 2.0%, but restoring would change the picture's own black and white" in objection
    assert inspect(with_impulses(page(), 0.5)).objection("salt-and-pepper") is None


def test_models_that_know_pages_are_trusted_with_them():
    sparse, denser = (inspect(with_impulses(page(), share)) for share in (0.003, 0.02))
    assert denser.objection("salt-and-pepper", knows_pages=True) is None
    assert denser.objection("salt-and-pepper") is not None
    assert sparse.objection("salt-and-pepper", knows_pages=True) is None
    assert inspect(page()).objection("salt-and-pepper", knows_pages=True) is not None
    assert denser.is_drawn and not inspect(with_impulses(photographs()["grey"], 0.1)).is_drawn


@pytest.mark.parametrize(
    ("paper", "ink"),
    [
        ((250, 250, 250), (40, 40, 40)),
        ((245, 240, 225), (30, 20, 10)),
        ((13, 17, 23), (220, 220, 220)),
        ((40, 60, 140), (255, 255, 255)),
    ],
)
def test_pages_need_not_be_pure_black_and_white(paper, ink):
    clean = page(paper=paper, ink=ink)
    assert not inspect(clean).impulses.is_salt_and_pepper
    for share in (0.005, 0.05, 0.2):
        found = inspect(with_impulses(clean, share))
        assert found.kind == "salt-and-pepper" and found.is_drawn
        assert found.level == pytest.approx(share, rel=0.2)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.7, 0.95])
@pytest.mark.parametrize("salt", [0.0, 0.5, 1.0])
def test_photographs_with_noise_are_no_pages(share, salt):
    for name in ("grey", "colour"):
        assert not inspect(with_impulses(CLEAN[name], share, salt=salt)).is_drawn


def test_pages_stay_pages_under_dense_noise():
    assert inspect(with_impulses(page(), 0.6)).is_drawn


def test_of_a_few_values_nothing_is_told():
    found = inspect(with_impulses(smooth_image(0, 7, 7, 3), 0.2))
    assert found.kind == "unknown" and "too little" in found.sentence


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_is_given_the_noise_that_it_removes_and_no_other(kind):
    noise, photograph = KINDS[kind], CLEAN["colour"]
    noisy = noisy_image(photograph / np.float32(255), noise(noise.usual_levels[-1]))
    assert inspect(np.rint(255 * noisy).astype(np.uint8)).objection(kind) is None
    objection = inspect(with_impulses(photograph, 0.2)).objection(kind)
    if kind in ("salt-and-pepper", "mixed"):
        assert objection is None
    else:
        assert objection.endswith("about 20%, which this model does not remove")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_depth_makes_no_difference(dtype):
    noisy = with_impulses(CLEAN["grey"], 0.2)
    top = 1.0 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    found, expected = inspect((noisy / 255 * top).astype(dtype)), inspect(noisy)
    assert (found.kind, found.level) == (expected.kind, pytest.approx(expected.level))
    # What is almost black and white is neither.
    shallow = np.clip(CLEAN["grey"], 1, 254) / 255
    almost = np.where(noisy == 0, 1e-4, np.where(noisy == 255, 1 - 1e-4, shallow))
    if top != 255:
        assert inspect((almost * top).astype(dtype)).kind == "impulses"


@pytest.mark.parametrize("sigma", [8, 20, 40])
def test_gaussian_noise_is_told_with_its_strength(sigma):
    clean = smooth_image(3, 256, 256) * 0.5 + 64
    noisy = clean + np.random.default_rng(0).normal(0, sigma, clean.shape)
    found = inspect(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    assert found.kind == "gaussian" and found.level == pytest.approx(sigma, rel=0.1)
    assert f"Gaussian noise, sigma about {found.sigma:.0f}, which this model does not remove" in (
        found.objection("salt-and-pepper")
    )
    assert found.objection("gaussian") is None


def test_noise_that_grows_with_brightness_is_told():
    clean = np.linspace(20, 200, 256).astype(int) * np.ones((256, 1), int)
    noisy = clean * (1 + np.random.default_rng(0).normal(0, 0.1, clean.shape))
    assert inspect(noisy.astype(np.uint8)).kind == "signal-dependent"


@pytest.mark.parametrize("change", ["random", "jpeg", "hot"])
def test_other_impulses_are_told(change, tmp_path):
    clean, random = CLEAN["grey"], np.random.default_rng(0)
    if change == "random":
        struck = random.random(clean.shape) < 0.2
        noisy = np.where(struck, random.integers(0, 256, clean.shape), clean).astype(np.uint8)
    elif change == "hot":
        struck = random.random(clean.shape) < 0.02
        noisy = np.where(struck, random.integers(200, 245, clean.shape), clean).astype(np.uint8)
    else:
        image = Image.fromarray(with_impulses(clean, 0.2)[..., 0])
        image.save(tmp_path / "a.jpg", quality=85)
        noisy = np.asarray(Image.open(tmp_path / "a.jpg"))
    found = inspect(noisy)
    assert found.kind == "impulses"
    assert "not pure black and white" in found.objection("salt-and-pepper")


def letters(paper=235, ink=30, size=11, sigma=3):
    """Lines of letters in grey ink on grey paper, with grain."""
    image = Image.new("L", (500, 400), paper)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    for line in range(10, 380, int(1.4 * size)):
        text = f"The quick brown fox jumps over the lazy dog 0123456789 {line}"
        draw.text((10, line), text, font=font, fill=ink)
    grain = np.random.default_rng(3).normal(0, sigma, (400, 500))
    return np.clip(np.rint(np.asarray(image) + grain), 0, 255).astype(np.uint8)[..., np.newaxis]


@pytest.mark.parametrize(("paper", "ink"), [(235, 30), (245, 20), (220, 50)])
@pytest.mark.parametrize("size", [11, 13, 18])
@pytest.mark.parametrize("sigma", [3, 8])
def test_grey_letters_with_grain_are_no_impulses(paper, ink, size, sigma):
    found = inspect(letters(paper, ink, size, sigma))
    assert found.kind in ("clean", "gaussian", "signal-dependent")


@pytest.mark.parametrize("factor", [0.5, 0.75, 1.5, 2.0])
@pytest.mark.parametrize("share", [0.05, 0.2])
def test_impulses_that_were_resized_are_told(factor, share):
    noisy = Image.fromarray(with_impulses(CLEAN["grey"], share)[..., 0])
    resized = noisy.resize([int(factor * extent) for extent in noisy.size], Image.BICUBIC)
    assert inspect(np.asarray(resized)).kind == "impulses"


@pytest.mark.parametrize("how", ["jpeg", "half", "twice", "halftone"])
@pytest.mark.parametrize("name", photographs())
def test_what_happens_to_clean_pictures_is_no_noise(name, how, tmp_path):
    image = Image.fromarray(CLEAN[name].squeeze())
    if how == "jpeg":
        image.save(tmp_path / "a.jpg", quality=60)
        image = Image.open(tmp_path / "a.jpg")
    elif how == "halftone":
        image = image.convert("1").convert("L")
    else:
        image = image.resize(
            [extent // 2 if how == "half" else 2 * extent for extent in image.size]
        )
    assert inspect(np.asarray(image)).kind in ("clean", "unknown")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_halftones_are_left_alone_unless_noise_covers_their_dots(share):
    dots = np.asarray(Image.fromarray(CLEAN["grey"][..., 0]).convert("1"), np.uint8) * 255
    found = inspect(with_impulses(dots[..., np.newaxis], share))
    assert found.impulses.share == (0 if share < 0.5 else pytest.approx(1, abs=0.01))
    assert found.objection("salt-and-pepper") is not None


def test_of_a_page_under_dense_noise_nothing_is_left():
    found = inspect(with_impulses(CLEAN["page of 1 bit"], 0.97))
    assert found.kind == "salt-and-pepper" and found.level > 0.95
    assert "nothing but noise" in found.objection("salt-and-pepper", knows_pages=True)
    assert "nothing but noise" not in inspect(CLEAN["code"]).sentence


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 3), (1, 5, 1), (7, 1, 1), (2, 3), (8, 8, 1)])
def test_tiny_pictures_are_left_alone(shape):
    for pixels in (np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)):
        found = inspect(pixels)
        assert found.kind in ("unknown", "clean") and found.objection("salt-and-pepper")
        json.dumps(found.to_dict(), allow_nan=False)


def test_large_pictures_are_looked_at_in_parts():
    noisy = with_impulses(np.tile(CLEAN["grey"], (8, 12, 1)), 0.1)
    found = inspect(noisy)
    assert found.kind == "salt-and-pepper" and found.level == pytest.approx(0.1, rel=0.05)
    assert inspect(np.tile(CLEAN["page"], (12, 9, 1))).kind == "clean"
    assert inspect(np.zeros((20, 100_000, 1), np.uint8)).kind == "clean"


def test_what_is_told_is_a_value():
    found = inspect(with_impulses(CLEAN["colour"], 0.3))
    assert found == inspect(with_impulses(CLEAN["colour"], 0.3))
    with pytest.raises(AttributeError):
        found.kind = "clean"
    values = json.loads(json.dumps(found.to_dict()))
    assert values["kind"] == "salt-and-pepper" and values["sentence"] == found.sentence
    assert 0 <= values["flat"] <= 1 and values["impulses"]["black"] > 0.1


def test_blocks_of_jpeg_are_seen(tmp_path):
    assert inspect(CLEAN["grey"]).blocking == pytest.approx(1.0, abs=0.1)
    Image.fromarray(CLEAN["grey"][..., 0]).save(tmp_path / "a.jpg", quality=20)
    assert inspect(np.asarray(Image.open(tmp_path / "a.jpg"))).blocking > 1.3


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4), np.uint8), np.zeros((4, 4), bool)]
)
def test_what_is_no_picture_is_refused(pixels):
    with pytest.raises(ValueError, match="an image must be"):
        inspect(pixels)


def test_looking_needs_numpy_alone():
    program = (
        "import sys, kerasgan.restore.inspection\n"
        "print([n for n in ('PIL', 'scipy', 'skimage', 'tensorflow') if n in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr
