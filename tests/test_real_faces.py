"""What is promised of real faces; `FER2013=path/to/fer2013.csv pytest` tells where they are."""

import os

import pytest

from kerasgan.data.sources import load_images
from kerasgan.measure.baselines import IMPULSES
from kerasgan.measure.evaluation import evaluate
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.restore.restorer import load_restorers

FACES = os.environ.get("FER2013")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(FACES is None, reason="FER2013 does not name a fer2013.csv"),
]
NOISE = SaltAndPepper((0.05, 0.95))
# Of all 3,309 images; 300 of them differ by less than half a dB.
EXPECTED = {
    "adaptive median": (32.96, 25.91, 18.95),
    "Gaussian convolution": (33.1, 27.1, 19.8),
    "biharmonic inpainting": (36.36, 28.78, 20.84),
}


@pytest.fixture(scope="module")
def scores():
    faces = load_images(FACES, hold_out=False).validation.first(300)
    restorers = load_restorers("selective-fer2013")
    scores = evaluate(
        restorers, faces, NOISE, [0.15, 0.5, 0.9], classical=list(IMPULSES), workers=2
    )
    return {(score.method, score.level): score for score in scores}


@pytest.mark.parametrize("method", EXPECTED)
def test_baselines_reach_their_figures(scores, method):
    for amount, psnr in zip((0.15, 0.5, 0.9), EXPECTED[method], strict=True):
        assert scores[method, amount].psnr == pytest.approx(psnr, abs=0.5)


def test_the_saved_model_is_better_than_every_baseline(scores):
    for amount, gain in ((0.15, 2.9), (0.5, 2.4), (0.9, 1.2)):
        best = max(scores[method, amount].psnr for method in IMPULSES)
        assert scores["keras", amount].psnr > best + gain
        assert scores["keras", amount].ssim > scores["biharmonic inpainting", amount].ssim
        assert scores["int8", amount].psnr > scores["keras", amount].psnr - 0.15
