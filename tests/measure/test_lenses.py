import numpy as np
import pytest

from kerasgan.errors import ModelError
from kerasgan.measure import perception
from kerasgan.measure.lenses import MEASURES, Lenses, measure_restorer, read_values, write_values
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from tests.helpers import image_set, textured_set


def test_everything_that_can_be_measured_is():
    images = textured_set(4)
    lenses = Lenses(images)
    assert all("is not installed" in reason for reason in lenses.missing)
    values = measure_restorer(lambda noisy: noisy, images, SaltAndPepper(0.5), [0.0, 0.3], lenses)
    assert list(values) == ["0", "0.3"]
    assert list(values["0"]) == lenses.names
    assert set(lenses.names) <= set(MEASURES)
    for name, measured in values["0"].items():
        assert len(measured) == (1 if name == "kernel_distance" else 4)
    exact = {name: np.mean(measured) for name, measured in values["0"].items()}
    assert (exact["ssim"], exact["mse"], exact["sharpness"]) == (1, 0, 1)
    assert np.mean(values["0.3"]["psnr"]) < 20


def test_small_images_are_not_shown_to_alexnet():
    lenses = Lenses(image_set(4, height=20, width=20))
    assert "AlexNet needs 32 pixels" in lenses.missing[0]
    assert "lpips" not in lenses.names


def test_values_are_read_again_if_they_answer_the_request(tmp_path):
    path, request = tmp_path / "values.json", {"levels": ["0.5"], "images": 3}
    values = {"0.5": {"psnr": [30.0, 31.5]}}
    write_values(path, request, values)
    assert read_values(path, request) == values
    assert read_values(path, {**request, "images": 4}) is None
    path.write_text("{")
    with pytest.raises(ModelError, match="damaged; remove it"):
        read_values(path, request)


def test_lenses_say_what_is_missing(monkeypatch):
    monkeypatch.setattr(perception, "_ALEXNET", ("no_such_package", "weights", "0"))
    monkeypatch.setattr(perception, "_EXPRESSIONS", ("no_other_package", "weights", "0"))
    lenses = Lenses(textured_set(1))
    assert lenses.missing == [
        "the package no-such-package is not installed",
        "the package no-other-package is not installed",
    ]
    assert lenses.names == ["psnr", "ssim", "mse", "edge_psnr", "sharpness"]
