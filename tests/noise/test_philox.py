import numpy as np
import pytest
import tensorflow as tf

from kerasgan.noise import philox
from kerasgan.noise.noisy import EVALUATION, noisy_image
from kerasgan.noise.salt_and_pepper import SaltAndPepper

fold_in = tf.random.experimental.stateless_fold_in
SEEDS = [(0, 0), (1, 2), (-5, 2**40 + 7), (2**63 - 1, -(2**63))]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shape", [(), (0,), (7,), (3, 21, 2)])
def test_uniform_numbers_are_tensorflows_bit_by_bit(seed, shape):
    expected = tf.random.stateless_uniform(shape, tf.constant(seed, tf.int64)).numpy()
    drawn = philox.uniform(shape, seed)
    assert drawn.dtype == np.float32
    np.testing.assert_array_equal(drawn, expected)


def test_many_numbers_go_on_from_piece_to_piece(monkeypatch):
    whole = philox.uniform((1001,), (3, 4))
    monkeypatch.setattr(philox, "_BLOCKS", 16)
    np.testing.assert_array_equal(philox.uniform((1001,), (3, 4)), whole)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("number", [0, 7, -3, 2**40])
def test_seeds_are_derived_as_tensorflow_does(seed, number):
    first = fold_in(tf.constant(seed, tf.int64), tf.constant(number, tf.int64))
    np.testing.assert_array_equal(philox.fold_in(seed, number), first)
    second = fold_in(first, tf.constant(1, tf.int64))
    np.testing.assert_array_equal(philox.fold_in(seed, number, 1), second)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("level", [0.3, (0.1, 0.9)])
def test_a_noisy_image_is_what_tensorflow_makes_of_it(dtype, level):
    clean = np.random.default_rng(0).uniform(0, 1, (33, 20, 3)).astype(dtype)
    noise = SaltAndPepper(level, salt_vs_pepper=0.3)
    noisy = noisy_image(clean, noise, seed=11, index=5)
    seed = tf.constant(philox.fold_in((11, EVALUATION), 5))
    drawn = noise.draw_level(fold_in(seed, tf.constant(0, tf.int64)))
    expected = noise.corrupt(
        tf.constant(clean), drawn, seed=fold_in(seed, tf.constant(1, tf.int64))
    )
    assert noisy.dtype == np.float32
    np.testing.assert_array_equal(noisy, expected.numpy().astype(np.float32))
    replaced = np.any(noisy != clean.astype(np.float32), axis=-1).mean()
    assert 0.1 < replaced < 0.9


@pytest.mark.parametrize(
    "clean", [np.zeros((4, 5)), np.full((4, 5, 1), 128.0), -np.ones((4, 5, 1))]
)
def test_images_of_other_shapes_and_ranges_are_refused(clean):
    with pytest.raises(ValueError, match=r"an image must (be \(H, W, C\)|lie in \[0, 1\])"):
        noisy_image(clean, SaltAndPepper(0.3))
