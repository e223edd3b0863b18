import numpy as np
import pytest

from kerasgan.data.clean import ImageSet
from kerasgan.errors import DataError
from kerasgan.measure import metrics
from kerasgan.measure.baselines import BASELINES, USUAL
from kerasgan.measure.evaluation import (
    center_crops,
    evaluate,
    format_table,
)
from kerasgan.measure.lenses import MEASURES, Lenses
from kerasgan.measure.noisy import Recorded, noisy_images
from kerasgan.measure.perception import sharpness_ratio
from kerasgan.noise.gaussian import Gaussian
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from tests.helpers import image_set, textured_set

IMAGES, NOISE = image_set(3), SaltAndPepper((0.05, 0.95))


@pytest.fixture(scope="module")
def scores():
    seen = []
    methods = {"half": lambda noisy: np.where(noisy == 255, 128, noisy).astype(np.uint8)}
    scores = evaluate(methods, IMAGES, NOISE, [0.0, 0.3], seed=5, on_image=lambda: seen.append(1))
    assert scores == evaluate(methods, IMAGES, NOISE, [0.0, 0.3], seed=5, workers=2)
    assert len(seen) == 6
    return {(score.level, score.method): score for score in scores}


def test_every_method_is_measured_at_every_level(scores):
    methods = ["noisy", *USUAL, "half"]
    assert list(scores) == [(level, method) for level in (0.0, 0.3) for method in methods]


def test_scores_are_means_over_images_of_scikit_images_values(scores):
    noisy = noisy_images(IMAGES, SaltAndPepper(0.3), seed=5)
    pairs = list(zip(IMAGES, noisy, strict=True))
    score = scores[0.3, "noisy"]
    assert score.images == 3
    assert score.psnr == pytest.approx(np.mean([metrics.psnr(*it, 255) for it in pairs]))
    assert score.ssim == pytest.approx(np.mean([metrics.ssim(*it, 255) for it in pairs]))
    assert score.mse == pytest.approx(np.mean([metrics.mse(*it) for it in pairs]) / 255**2)
    changed = [(x[x != y], y[x != y]) for x, y in pairs]
    assert score.corrupted_psnr == pytest.approx(
        np.mean([metrics.psnr(*it, 255) for it in changed])
    )
    assert score.sharpness == pytest.approx(np.mean([sharpness_ratio(*it) for it in pairs]))
    assert score.to_dict()["sharpness"] == score.sharpness


def test_grey_images_get_grey_noise_in_colour_as_well():
    grey = ImageSet((IMAGES.images[0][..., :1],), ("grey",))
    colour = ImageSet((np.repeat(grey.images[0], 3, axis=-1),), ("grey",))
    for noise in (Gaussian(25.0), SaltAndPepper(0.3)):
        (noisy,), (in_colour,) = (noisy_images(images, noise) for images in (grey, colour))
        np.testing.assert_array_equal(in_colour, np.repeat(noisy, 3, axis=-1))
    tinted = colour.images[0].copy()
    tinted[0, 0, 0] ^= 1
    (noisy,) = noisy_images(ImageSet((tinted,), ("tinted",)), Gaussian(25.0))
    assert (noisy != noisy[..., :1]).mean() > 0.5


def test_baselines_are_chosen_by_name():
    scores = evaluate({}, IMAGES, NOISE, [0.3], classical=["median 5×5"])
    assert [score.method for score in scores] == ["noisy", "median 5×5"]
    (_, chosen) = scores
    expected = [
        metrics.psnr(clean, BASELINES["median 5×5"](noisy), 255)
        for clean, noisy in zip(IMAGES, noisy_images(IMAGES, SaltAndPepper(0.3)), strict=True)
    ]
    assert [each.psnr for each in chosen.each] == expected


def test_without_noise_nothing_is_corrupted(scores):
    score = scores[0.0, "noisy"]
    assert score.psnr == metrics.EXACT_PSNR
    assert score.corrupted_psnr is None
    assert score.sharpness == 1


def test_the_table_marks_the_best_and_shows_every_method(scores):
    table = format_table(list(scores.values()), NOISE)
    assert "salt and pepper, 30%; 3 images" in table
    marked = [line for line in table.splitlines() if line.startswith("*")]
    best = max((s for s in scores.values() if s.level == 0.3), key=lambda s: s.psnr)
    assert best.method in marked[-1]
    for method in ("noisy", *USUAL, "half"):
        assert table.count(method) >= 2
    assert max(map(len, table.splitlines())) <= 80
    noisy = next(line for line in table.split("30%")[1].splitlines() if "noisy" in line)
    assert noisy.split()[-1] == f"{scores[0.3, 'noisy'].sharpness:.4f}"


def test_every_method_is_looked_at():
    images = textured_set(3)
    lenses = Lenses(images)
    scores = evaluate(
        {"same": lambda noisy: noisy}, images, NOISE, [0.3], classical=[], lenses=lenses, seed=5
    )
    noisy, same = scores
    assert noisy.looks == same.looks
    # As kerasgan compare measures them.
    measured = lenses.measure(images.images, noisy_images(images, NOISE.at(0.3), seed=5))
    plain = {"psnr", "ssim", "mse", "edge_psnr", "sharpness"}
    assert noisy.looks == {
        name: np.mean(values) for name, values in measured.items() if name not in plain
    }
    assert noisy.to_dict().keys() >= noisy.looks.keys()
    table = format_table(scores, NOISE)
    assert max(map(len, table.splitlines())) <= 80
    for name, value in noisy.looks.items():
        assert f"{value:.{MEASURES[name].digits}f}" in table
    assert table.count("noisy") == (2 if noisy.looks else 1)


def test_one_image_has_no_kernel_distance():
    images = textured_set(1)
    (noisy,) = evaluate({}, images, NOISE, [0.3], classical=[], lenses=Lenses(images))
    assert "kernel_distance" not in noisy.looks


def test_images_too_small_to_measure_are_named():
    small = ImageSet((np.zeros((6, 30, 1), np.uint8),), ("tiny.png",))
    with pytest.raises(DataError, match="tiny.png is 30×6"):
        evaluate({}, small, NOISE)


def test_large_images_are_cut_to_their_centre():
    image = np.arange(11 * 6, dtype=np.uint8).reshape(11, 6, 1)
    (cut,) = center_crops(ImageSet((image,), ("a",)), 8)
    np.testing.assert_array_equal(cut, image[1:9])


def test_pictures_that_came_noisy_are_measured_as_they_are():
    clean = image_set(3)
    noisy = ImageSet(
        tuple((image // 2 + 20 * index).astype(np.uint8) for index, image in enumerate(clean)),
        clean.names,
    )
    noise = Recorded(clean, noisy)
    scores = evaluate({"same": lambda noisy: noisy}, clean, noise, classical=["median 3×3"])
    assert [score.method for score in scores] == ["noisy", "median 3×3", "same"]
    for score in scores[::2]:
        assert [each.psnr for each in score.each] == [
            metrics.psnr(*pair, 255) for pair in zip(clean, noisy, strict=True)
        ]
    differences = np.stack(clean.images).astype(float) - np.stack(noisy.images)
    assert scores[0].level == pytest.approx(np.sqrt(np.mean(differences**2)))
    assert f"real noise, σ {scores[0].level:.1f}; 3 images" in format_table(scores, noise)
    # By their names, wherever they stand.
    np.testing.assert_array_equal(noisy_images(clean.select([2]), noise)[0], noisy.images[2])
