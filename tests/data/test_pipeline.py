import itertools

import numpy as np
import pytest

from kerasgan.data.clean import ImageSet
from kerasgan.data.pipeline import evaluation_pairs, steps_per_epoch, training_pairs
from kerasgan.errors import DataError
from kerasgan.noise.gaussian import Gaussian
from kerasgan.noise.noisy import noisy_image
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from tests.helpers import image_set


def numbered(count, height=16, width=16):
    """Images of one value each, so that a patch tells where it is from."""
    images = (np.full((height, width, 1), 10 + i, np.uint8) for i in range(count))
    return ImageSet(tuple(images), tuple(map(str, range(count))))


def take(dataset, count):
    noisy, clean = zip(*itertools.islice(dataset.as_numpy_iterator(), count), strict=True)
    return np.concatenate(noisy), np.concatenate(clean)


def origins(clean):
    return [int(round(float(patch[0, 0, 0]) * 255)) - 10 for patch in clean]


def test_an_epoch_shows_every_image_once_in_a_new_order():
    images = numbered(10)
    assert steps_per_epoch(images, batch_size=5, patch_size=16) == 2
    pairs = training_pairs(images, noise=SaltAndPepper(0.1), batch_size=5, patch_size=16)
    _, clean = take(pairs, 4)
    first, second = origins(clean[:10]), origins(clean[10:])
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


def test_the_last_batch_of_an_epoch_is_filled_up():
    images = numbered(5)
    assert steps_per_epoch(images, batch_size=4, patch_size=16) == 2
    _, clean = take(
        training_pairs(images, noise=SaltAndPepper(0.1), batch_size=4, patch_size=16), 2
    )
    shown = origins(clean)
    assert shown[5:] == shown[:3]
    assert sorted(shown[:5]) == list(range(5))


def test_training_noise_is_fresh_in_every_epoch_and_repeats_with_the_seed():
    images = numbered(4)
    options = {"noise": SaltAndPepper(0.5), "batch_size": 4, "patch_size": 16}
    noisy, clean = take(training_pairs(images, **options, seed=1), 2)
    again, _ = take(training_pairs(images, **options, seed=1), 2)
    other, _ = take(training_pairs(images, **options, seed=2), 2)
    np.testing.assert_array_equal(noisy, again)
    assert np.mean(noisy != other) > 0.3
    masks = (noisy != clean).reshape(2, -1)
    assert np.mean(masks[0] != masks[1]) > 0.3


def test_training_can_begin_at_any_epoch():
    options = {"noise": SaltAndPepper((0.1, 0.9)), "batch_size": 4, "patch_size": 16, "seed": 3}
    images = image_set(8, height=16, width=16)
    from_start = take(training_pairs(images, **options), 6)
    from_epoch_2 = take(training_pairs(images, **options, first_epoch=2), 2)
    for whole, end in zip(from_start, from_epoch_2, strict=True):
        np.testing.assert_array_equal(whole[16:], end)


def test_workers_build_parts_of_the_same_batches():
    images = image_set(7, height=16, width=16)
    options = {
        "noise": SaltAndPepper((0.1, 0.9)),
        "batch_size": 4,
        "patch_size": 16,
        "first_epoch": 1,
    }
    whole = training_pairs(images, **options)
    parts = [training_pairs(images, **options, worker=worker, workers=2) for worker in (0, 1)]
    for batch, *own in itertools.islice(zip(whole, *parts, strict=True), 5):
        for expected, *halves in zip(batch, *own, strict=True):
            np.testing.assert_array_equal(expected, np.concatenate(halves))
    with pytest.raises(ValueError, match="3 workers cannot share batches of 4 evenly"):
        training_pairs(images, **options, workers=3)
    with pytest.raises(ValueError, match="3 workers cannot share batches of 4 evenly"):
        evaluation_pairs(images, noise=SaltAndPepper(0.3), batch_size=4, workers=3)


def test_large_images_give_many_patches_cut_where_they_say():
    y, x = np.mgrid[:64, :48]
    image = np.stack([y * 3, x * 3], axis=-1).astype(np.uint8)
    image = np.concatenate([image, image[..., :1]], axis=-1)
    images = ImageSet((image,), ("gradient",))
    assert steps_per_epoch(images, batch_size=1, patch_size=16) == 28  # 2.3 · 12
    pairs = training_pairs(
        images, noise=SaltAndPepper(0.0), batch_size=1, patch_size=16, flip=False
    )
    _, clean = take(pairs, 28)
    corners = np.rint(clean[:, 0, 0, :2] * 255 / 3).astype(int)
    for patch, (top, left) in zip(clean, corners, strict=True):
        expected = image[top : top + 16, left : left + 16] / np.float32(255)
        np.testing.assert_allclose(patch, expected, atol=1e-7)
    assert len(np.unique(corners, axis=0)) > 20


def test_every_place_can_be_cut():
    images = ImageSet((np.arange(18, dtype=np.uint8).repeat(18).reshape(18, 18, 1),), ("a",))
    pairs = training_pairs(
        images, noise=SaltAndPepper(0.0), batch_size=64, patch_size=16, flip=False
    )
    _, clean = take(pairs, 1)
    assert set(np.rint(clean[:, 0, 0, 0] * 255)) == {0, 1, 2}


def test_flips_are_left_to_right_and_half_of_the_time():
    image = np.tile(np.arange(16, dtype=np.uint8), (16, 1))[..., np.newaxis]
    images = ImageSet((image,), ("ramp",))
    options = {"noise": SaltAndPepper(0.0), "batch_size": 200, "patch_size": 16}
    _, clean = take(training_pairs(images, **options), 1)
    flipped = clean[:, 0, 0, 0] > clean[:, 0, -1, 0]
    assert 0.35 < flipped.mean() < 0.65
    np.testing.assert_array_equal(clean[flipped][0][:, ::-1], clean[~flipped][0])
    _, upright = take(training_pairs(images, **options, flip=False), 1)
    assert not (upright[:, 0, 0, 0] > upright[:, 0, -1, 0]).any()


def test_a_small_exponent_draws_dense_noise_more_often():
    images = ImageSet((np.full((16, 16, 1), 99, np.uint8),), ("grey",))
    pairs = training_pairs(
        images, noise=SaltAndPepper((0.2, 0.8), 0.4), batch_size=400, patch_size=16
    )
    noisy, _ = take(pairs, 1)
    amounts = (np.rint(noisy * 255) != 99).mean(axis=(1, 2, 3))
    assert abs(np.median(amounts) - (0.2 + 0.6 * 0.5**0.4)) < 0.03
    assert amounts.min() > 0.1
    assert amounts.max() < 0.9


def test_a_share_of_patches_saturates_and_the_others_stay():
    image = np.linspace(40, 200, 16 * 16).astype(np.uint8).reshape(16, 16, 1)
    images = ImageSet((image,), ("ramp",))
    options = {"noise": SaltAndPepper(0.0), "batch_size": 400, "patch_size": 16, "flip": False}
    _, clean = take(training_pairs(images, **options, saturate=0.3), 1)
    levels = np.rint(clean * 255)
    np.testing.assert_allclose(clean, levels / 255, atol=1e-6)
    changed = (levels != image).any(axis=(1, 2, 3))
    assert 0.2 < changed.mean() < 0.4
    white, black = ((levels == end).mean(axis=(1, 2, 3)) for end in (255, 0))
    assert not (white[~changed] + black[~changed]).any()
    # Each is brightened or darkened, by parts of every size.
    assert (np.minimum(white, black)[changed] == 0).all()
    for part in (white[white > 0], black[black > 0]):
        assert part.min() < 0.3
        assert part.max() > 0.7
    # What is brighter stays brighter.
    assert (np.diff(levels[changed].reshape(changed.sum(), -1)) >= 0).all()


def test_patches_are_resized_by_factors_of_the_range():
    image = np.tile(np.arange(192, dtype=np.uint8), (192, 1))[..., np.newaxis]
    options = {"noise": SaltAndPepper(0.0), "batch_size": 200, "patch_size": 16, "flip": False}
    images = ImageSet((image,), ("ramp",))

    def slopes(*scale):
        _, clean = take(training_pairs(images, **options, scale=scale), 1)
        # Edges, beyond which a patch knows nothing, are flatter.
        return np.diff(clean * 255, axis=2)[:, :, 4:-4].mean(axis=(1, 2, 3))

    np.testing.assert_allclose(slopes(1.0, 1.0), 1.0, rtol=1e-4)
    np.testing.assert_allclose(slopes(2.0, 2.0), 0.5, rtol=1e-4)
    np.testing.assert_allclose(slopes(0.5, 0.5), 2.0, rtol=1e-4)
    factors = 1.0 / slopes(0.5, 2.0)
    assert 0.48 < factors.min() < 0.56
    assert 1.8 < factors.max() < 2.1
    assert 0.4 < np.mean(factors < 1.0) < 0.6


def test_a_share_of_patches_in_colour_is_grey_and_so_is_their_noise():
    images = image_set(4, height=32, width=32, channels=3)
    options = {"noise": Gaussian(25.0), "batch_size": 400, "patch_size": 32, "flip": False}
    colored = take(training_pairs(images, **options), 1)
    noisy, clean = take(training_pairs(images, **options, grey=0.3), 1)
    is_grey = (clean == clean[..., :1]).all(axis=(1, 2, 3))
    assert 0.2 < is_grey.mean() < 0.4
    np.testing.assert_array_equal(noisy[is_grey], noisy[is_grey][..., :1].repeat(3, axis=-1))
    assert (noisy - clean)[is_grey].std() == pytest.approx(25 / 255, rel=0.1)
    luma = colored[1][is_grey] @ np.array([0.299, 0.587, 0.114], np.float32)
    np.testing.assert_allclose(clean[is_grey][..., 0], luma, atol=1e-3)
    for pair, same in zip((noisy, clean), colored, strict=True):
        np.testing.assert_array_equal(pair[~is_grey], same[~is_grey])


@pytest.mark.parametrize("pairs_of", [training_pairs, evaluation_pairs])
def test_small_images_are_mirrored_at_their_edges(pairs_of):
    image = image_set(1, height=10, width=5).images[0]
    options = {"flip": False} if pairs_of is training_pairs else {}
    pairs = pairs_of(
        ImageSet((image,), ("a",)), noise=SaltAndPepper(0.0), patch_size=16, batch_size=1, **options
    )
    _, clean = take(pairs, 1)
    expected = np.pad(image, ((0, 6), (0, 11), (0, 0)), mode="symmetric") / np.float32(255)
    np.testing.assert_allclose(clean[0], expected, atol=1e-7)


def test_amounts_are_drawn_per_image_over_the_whole_range():
    noisy, clean = take(
        training_pairs(
            numbered(1, 48, 48), noise=SaltAndPepper((0.2, 0.8)), batch_size=200, patch_size=48
        ),
        1,
    )
    shares = np.mean(noisy != clean, axis=(1, 2, 3))
    assert 0.17 < shares.min() < 0.25
    assert 0.75 < shares.max() < 0.83
    assert shares.mean() == pytest.approx(0.5, abs=0.05)


def test_evaluation_is_the_same_whatever_the_batch_size():
    images = image_set(7, height=40, width=33)
    options = {"noise": SaltAndPepper((0.1, 0.9)), "patch_size": 16}
    results = [
        take(evaluation_pairs(images, batch_size=size, **options), None) for size in (1, 3, 64)
    ]
    assert results[0][0].shape == (7 * 2 * 2, 16, 16, 1)
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("workers", [1, 2])
def test_even_batches_add_only_what_does_not_count(workers):
    images = image_set(5, height=16, width=16)
    options = {"noise": SaltAndPepper(0.3), "batch_size": 4, "patch_size": 16}
    expected = next(iter(evaluation_pairs(images, **{**options, "batch_size": 5})))
    parts = [
        evaluation_pairs(images, **options, even=True, worker=worker, workers=workers)
        for worker in range(workers)
    ]
    batches = [
        [np.concatenate(arrays) for arrays in zip(*own, strict=True)]
        for own in zip(*parts, strict=True)
    ]
    assert [len(batch[0]) for batch in batches] == [4, 4]
    noisy, clean, weight = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    np.testing.assert_array_equal(weight, [1, 1, 1, 1, 1, 0, 0, 0])
    np.testing.assert_array_equal(noisy[:5], expected[0])
    np.testing.assert_array_equal(clean[:5], expected[1])


def test_evaluation_noise_differs_between_images_and_from_training():
    images = numbered(2)
    noisy, clean = take(
        evaluation_pairs(images, noise=SaltAndPepper(0.5), patch_size=16, batch_size=2), 1
    )
    masks = noisy != clean
    assert np.mean(masks[0] != masks[1]) > 0.3
    first, second = (noisy_image(clean[0], SaltAndPepper(0.5), seed=0, index=i) for i in (0, 1))
    assert np.mean(first != second) > 0.3
    np.testing.assert_array_equal(first, noisy_image(clean[0], SaltAndPepper(0.5), seed=0, index=0))


@pytest.mark.parametrize("pairs_of", [training_pairs, evaluation_pairs])
def test_no_images_are_refused(pairs_of):
    with pytest.raises(DataError, match="no images"):
        pairs_of(ImageSet(), noise=SaltAndPepper(0.5))
