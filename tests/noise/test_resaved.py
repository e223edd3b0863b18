"""Impulses that are not pure black and white, against Pillow."""

import io

import numpy as np
import pytest
from PIL import Image

from kerasgan.decoding import decode
from kerasgan.noise.base import Noise
from kerasgan.noise.resaved import ResavedImpulses
from kerasgan.noise.salt_and_pepper import salt_and_pepper
from kerasgan.noise.stray import StrayImpulses

SEED = np.array([5, 6])
FLAT = np.full((96, 120, 1), 0.4, np.float32)


@pytest.mark.parametrize("factor", [0.5, 0.75, 1.6, 2.0])
def test_noise_is_resized_as_pillow_does(factor):
    noisy = ResavedImpulses(0.2, scale=(factor, factor), jpeg=False).corrupt(FLAT, 0.2, seed=SEED)
    size = [round(side / factor) for side in FLAT.shape[:2]]
    before = salt_and_pepper(np.full((*size, 1), 0.4, np.float32), 0.2, seed=SEED)
    expected = Image.fromarray(before[..., 0]).resize((120, 96), Image.Resampling.BICUBIC)
    np.testing.assert_allclose(noisy[..., 0], np.clip(expected, 0, 1), atol=1e-5)


def test_the_picture_itself_stays_as_it_is():
    clean = np.random.default_rng(0).uniform(0, 1, (2, 40, 56, 3)).astype(np.float32)
    noise = ResavedImpulses(0.0, scale=(0.5, 2.0), jpeg=False)
    np.testing.assert_allclose(noise.corrupt(clean, 0.0, seed=SEED), clean, atol=1e-6)
    sparse = np.mean(noise.corrupt(clean, 0.01, seed=SEED) != clean)
    assert 0.005 < sparse < 0.3


def test_jpeg_is_pillows_with_blocks_that_begin_anywhere():
    noise = ResavedImpulses(0.1)
    edges = set()
    for number in range(40):
        seed = np.array([number, 1])
        noisy = noise.corrupt(FLAT, 0.1, seed=seed)[..., 0]
        np.testing.assert_allclose(255 * noisy, np.rint(255 * noisy), atol=1e-3)
        steps = np.abs(np.diff(noisy, axis=0)).mean(axis=1)
        edges.add(int(np.argmax([steps[offset::8].mean() for offset in range(8)])))
    assert len(edges) >= 6


def test_jpeg_costs_what_qualities_of_60_to_95_do():
    clean = np.tile(np.linspace(0.2, 0.8, 96, dtype=np.float32), (96, 1))[..., np.newaxis]
    pure = salt_and_pepper(clean, 0.1, seed=SEED)

    def error(quality):
        file = io.BytesIO()
        Image.fromarray(np.rint(255 * pure[..., 0]).astype(np.uint8)).save(
            file, "JPEG", quality=quality
        )
        return np.abs(np.asarray(Image.open(file)) / 255 - pure[..., 0]).mean()

    ours = ResavedImpulses(0.1).corrupt(clean, 0.1, seed=SEED)
    assert 0.9 * error(95) < np.abs(ours - pure).mean() < 1.1 * error(60)


def test_stray_impulses_are_of_every_kind_and_read_as_written():
    noise = StrayImpulses((0.0, 1.0))
    assert decode(Noise, noise.to_dict(), "noise") == noise
    assert noise.kinds == {"stray-impulses", "random-impulses", "resaved-impulses"}
    clean = np.broadcast_to(FLAT, (300, *FLAT.shape)).copy()
    noisy = noise.corrupt(clean, np.full(300, 0.5), seed=SEED)
    values = np.rint(255 * noisy).reshape(300, -1)
    unchanged = np.mean(values == 102, axis=1)
    # Random values spare the others; JPEG and resizing reach further.
    assert np.mean(unchanged > 0.75) == pytest.approx(1 / 3, abs=0.1)


@pytest.mark.parametrize("scale", [(2.0, 1.0), (0.1, 1.0), (1.0, 5.0)])
def test_factors_out_of_range_are_refused(scale):
    with pytest.raises(ValueError, match=r"scale must be a range within \[0.25, 4\]"):
        ResavedImpulses(0.1, scale=scale)
