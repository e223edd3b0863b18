import numpy as np
import pytest
import tensorflow as tf

from kerasgan.noise.salt_and_pepper import SaltAndPepper, salt_and_pepper

CLEAN = np.full((4, 128, 128, 3), 0.5, np.float32)


@pytest.mark.parametrize("amount", [0.0, 0.15, 0.9, 1.0])
@pytest.mark.parametrize("salt_vs_pepper", [0.0, 0.3, 1.0])
def test_noise_has_the_shares_asked_for(amount, salt_vs_pepper):
    noisy = salt_and_pepper(CLEAN, amount, salt_vs_pepper=salt_vs_pepper, seed=(1, 2)).numpy()
    pixels = noisy[..., 0].size
    tolerance = 5 * np.sqrt(0.25 / pixels)  # five standard deviations
    assert np.mean(noisy[..., 0] == 1.0) == pytest.approx(amount * salt_vs_pepper, abs=tolerance)
    assert np.mean(noisy[..., 0] == 0.0) == pytest.approx(
        amount * (1 - salt_vs_pepper), abs=tolerance
    )


def test_noise_leaves_other_pixels_untouched():
    clean = np.random.default_rng(0).uniform(0.1, 0.9, (2, 32, 32, 1)).astype(np.float32)
    noisy = salt_and_pepper(clean, 0.4, seed=(3, 4)).numpy()
    untouched = (noisy != 0.0) & (noisy != 1.0)
    np.testing.assert_array_equal(noisy[untouched], clean[untouched])


def test_noise_changes_all_channels_of_a_pixel_together():
    noisy = salt_and_pepper(CLEAN, 0.5, seed=(5, 6)).numpy()
    np.testing.assert_array_equal(noisy, np.repeat(noisy[..., :1], 3, axis=-1))


def test_noise_is_a_function_of_its_seed():
    first, again, other = (salt_and_pepper(CLEAN, 0.5, seed=(0, s)).numpy() for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.mean(first != other) > 0.3


def test_amount_may_differ_per_image():
    noisy = salt_and_pepper(CLEAN, tf.constant([0.0, 0.2, 0.6, 1.0]), seed=(7, 8)).numpy()
    shares = np.mean(noisy[..., 0] != 0.5, axis=(1, 2))
    np.testing.assert_allclose(shares, [0.0, 0.2, 0.6, 1.0], atol=0.02)


def test_noise_is_the_same_inside_tf_data():
    clean = CLEAN[0]
    dataset = tf.data.Dataset.from_tensors(clean).map(
        lambda x: salt_and_pepper(x, 0.3, seed=(1, 1))
    )
    np.testing.assert_array_equal(
        next(dataset.as_numpy_iterator()), salt_and_pepper(clean, 0.3, seed=(1, 1))
    )


@pytest.mark.parametrize("values", [{"amount": 1.5}, {"amount": 0.5, "salt_vs_pepper": -0.1}])
def test_shares_outside_zero_to_one_are_refused(values):
    with pytest.raises(ValueError, match=r"must be in \[0, 1\]"):
        salt_and_pepper(CLEAN, **values, seed=(0, 0))


def test_integer_images_are_refused():
    with pytest.raises(ValueError, match="must be float"):
        salt_and_pepper(np.zeros((4, 4, 1), np.uint8), 0.5, seed=(0, 0))


def test_the_kind_corrupts_as_its_function_does():
    noise = SaltAndPepper((0.1, 0.9), salt_vs_pepper=0.2)
    np.testing.assert_array_equal(
        noise.corrupt(CLEAN, 0.4, seed=(1, 2)),
        salt_and_pepper(CLEAN, 0.4, salt_vs_pepper=0.2, seed=(1, 2)),
    )


def test_suspects_are_black_and_white():
    values = np.array([0.0, 1 / 255, 0.5, 254 / 255, 1.0], np.float32)
    expected = [True, False, False, False, True]
    for same in (values, tf.constant(values)):
        np.testing.assert_array_equal(SaltAndPepper(0.5).suspects(same), expected)


def test_it_says_what_it_is():
    noise = SaltAndPepper((0.05, 0.95), salt_vs_pepper=0.3)
    assert [noise.label(level) for level in (0.15, 0.5, 0.955)] == ["15%", "50%", "95.5%"]
    assert noise.description == "salt and pepper, 30% of it white"
