import base64
import dataclasses
import io
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from kerasgan.data.clean import ImageSet
from kerasgan.measure.evaluation import evaluate
from kerasgan.measure.noisy import Recorded
from kerasgan.measure.report import Evaluation, write_report
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from tests.helpers import image_set

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def blur(noisy):
    return ndimage.uniform_filter(noisy, (3, 3, 1))


NOISE = SaltAndPepper((0.05, 0.95))


def evaluation(images, levels=(0.2, 0.6), **more):
    scores = evaluate({"blur": blur}, images, NOISE, levels, classical=["median 3×3"], seed=3)
    return Evaluation(
        model="a <model>",
        command="kerasgan evaluate a --report b.html",
        source="data.csv",
        images=images,
        scores=scores,
        restorers={"blur": blur},
        noise=NOISE,
        seed=3,
        **more,
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    large = np.random.default_rng(0).integers(0, 256, (120, 140, 1), np.uint8)
    images = image_set(4)
    images = ImageSet((*images.images, large), (*images.names, "large.png"))
    history = [
        {"epoch": str(epoch), "val_psnr": str(30 + epoch), "g_loss": "0.1"} for epoch in (1, 2)
    ]
    record = {"config": {"seed": 7, "data": {"source": "x"}}, "versions": {"keras": "3"}}
    made = evaluation(images, record=record, history=history)
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, made)
    return path, made


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.cells, self.captions = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.open.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th") and data.strip():
            self.cells.append(data.strip())
        if self.open and self.open[-1] == "figcaption" and data.strip():
            self.captions.append(data.strip())


def test_it_asks_no_host_for_anything(page):
    elements = Page(page[0].read_text()).elements
    for _, attributes in elements:
        for name in ("src", "href", "xlink:href"):
            assert attributes.get(name, "#").startswith(("data:", "#"))
    assert not {"script", "link", "iframe"} & {tag for tag, _ in elements}
    assert "@import" not in page[0].read_text()


def test_pictures_and_plots_have_texts(page):
    elements = Page(page[0].read_text()).elements
    pictures = [attributes for tag, attributes in elements if tag == "img"]
    # Three cases of six pictures at two levels; the large one is shown whole, too.
    assert len(pictures) > 36
    assert all(picture["alt"] for picture in pictures)
    plots = [a["aria-label"] for _, a in elements if a.get("role") == "img"]
    assert len(plots) == 2 + 2 + 2
    assert all(plots)


def test_it_tells_what_was_measured(page):
    path, made = page
    cells = Page(path.read_text()).cells
    for score in made.scores:
        assert {f"{score.psnr:.2f}", f"{score.ssim:.4f}", f"{score.mse:.6f}"} <= set(cells)
        assert f"{score.sharpness:.4f}" in cells
    own, rival = made.at(0.2)["blur"], made.rival(0.2)
    assert f"{own.psnr - rival.psnr:+.2f} dB" in cells
    better = sum(a.psnr > b.psnr for a, b in zip(own.each, rival.each, strict=True))
    assert f"{100 * better / 5:.1f}% of images" in cells
    assert {"config.data.source", "x", "config.seed", "7", "versions.keras"} <= set(cells)


def test_it_tells_what_lenses_saw(page, tmp_path):
    made = page[1]
    looks = {"blur": 0.25, "noisy": 0.75, "median 3×3": 0.5}
    scores = [replace(s, looks={"lpips_vgg": looks[s.method]}) for s in made.scores]
    write_report(tmp_path / "page.html", replace(made, scores=scores))
    text = (tmp_path / "page.html").read_text()
    assert {"LPIPS (VGG) ↓", "0.2500", "0.7500", "0.5000"} <= set(Page(text).cells)
    assert '<td class="best">0.2500</td>' in text and '<td class="best">0.7500' not in text


def test_names_are_escaped(page):
    text = page[0].read_text()
    assert "a &lt;model&gt;" in text and "<model>" not in text


def test_the_hardest_image_comes_first(page):
    path, made = page
    each = made.at(0.6)["blur"].each
    hardest, easiest = (f([s.psnr for s in each]) for f in (np.argmin, np.argmax))
    part = path.read_text().split("Salt and pepper, 60%")[1]
    names = [line for line in part.splitlines() if line.startswith("<p>The ")]
    assert f"The hardest of 5: {made.images.names[hardest]}" in names[0]
    assert f"The easiest of 5: {made.images.names[easiest]}" in names[2]


def test_one_level_without_baselines_or_training(tmp_path):
    images = image_set(1)
    scores = evaluate({"blur": blur}, images, NOISE, [0.3], classical=[])
    write_report(
        tmp_path / "page.html",
        Evaluation("m", "kerasgan", "d", images, scores, {"blur": blur}, NOISE, 0),
    )
    text = (tmp_path / "page.html").read_text()
    assert "noisy" in text and "Training" not in text and "Quality against noise" not in text
    with pytest.raises(ValueError, match="needs a restorer"):
        Evaluation("m", "kerasgan", "d", images, scores, {}, NOISE, 0)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_a_curve_shows_its_ends_and_its_middle(tmp_path):
    images = image_set(3)
    sharpness = {f"sharpness {value:g}": value for value in (1.0, 0.75, 0.5, 0.25, 0.0)}
    restorers = dict.fromkeys(sharpness, blur)
    scores = evaluate(restorers, images, NOISE, [0.3, 0.8], classical=["median 3×3"])
    made = dataclasses.replace(
        evaluation(images), scores=scores, restorers=restorers, sharpness=sharpness
    )
    path = tmp_path / "report.html"
    write_report(path, made)
    page = Page(path.read_text())
    shown = [text.split(",")[0] for text in page.captions if re.match(r"sharpness \d", text)]
    assert shown == 2 * 3 * ["sharpness 0", "sharpness 0.5", "sharpness 1"]
    assert "From faithful to sharp" in path.read_text()
    assert sum(text.startswith("sharpness ratio at ") for text in page.captions) == 2


def test_a_browser_shows_it(page, tmp_path):
    def browse(*arguments):
        flags = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/user")
        subprocess.run(
            [BROWSER, *flags, *arguments, page[0].as_uri()],
            check=True,
            timeout=100,
            cwd=tmp_path,
            stderr=subprocess.DEVNULL,
        )

    browse("--window-size=1000,1500", "--screenshot=page.png")
    with Image.open(tmp_path / "page.png") as screenshot:
        pixels = np.asarray(screenshot.convert("RGB"))
    assert pixels.shape == (1500, 1000, 3)
    # Text and pictures in every part of it.
    assert all(len(np.unique(part.reshape(-1, 3), axis=0)) > 20 for part in np.split(pixels, 5))
    browse("--print-to-pdf=page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_pictures_that_came_noisy_are_shown_as_they_came(tmp_path):
    clean = image_set(3)
    noisy = ImageSet(tuple(blur(image) // 2 for image in clean), clean.names)
    noise = Recorded(clean, noisy)
    scores = evaluate({"blur": blur}, clean, noise, classical=["median 3×3"])
    made = dataclasses.replace(evaluation(clean), scores=scores, noise=noise)
    write_report(tmp_path / "report.html", made)
    text = (tmp_path / "report.html").read_text()
    assert f"Real noise, {noise.label(made.levels[0])}" in text
    assert "How it restores real noise on" in text
    shown = io.BytesIO()
    Image.fromarray(noisy.images[0][..., 0]).save(shown, "PNG")
    assert base64.b64encode(shown.getvalue()).decode() in text
