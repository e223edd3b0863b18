import numpy as np
import pytest

from kerasgan.data import clean
from kerasgan.data.clean import CleanImages, ImageSet
from kerasgan.errors import DataError
from tests.helpers import image_set


def test_duplicates_are_dropped_and_counted():
    train, other = image_set(5), image_set(3, 100)
    images = CleanImages(
        train=ImageSet((*train.images, train.images[0], train.images[0]), tuple("abcdefg")),
        validation=ImageSet((*other.images, train.images[4]), tuple("abcd")),
        test=ImageSet((train.images[1],), ("a",)),
    ).without_duplicates()
    assert (len(images.train), len(images.validation), len(images.test)) == (5, 3, 0)
    assert (images.dropped_train, images.dropped_held_out) == (2, 2)
    assert images.train.names == tuple("abcde")


def test_images_of_equal_bytes_and_other_shape_are_no_duplicates():
    values = np.arange(64, dtype=np.uint8)
    train = ImageSet((values.reshape(8, 8, 1), values.reshape(4, 16, 1)), ("a", "b"))
    assert CleanImages(train=train).without_duplicates().dropped_train == 0


@pytest.mark.parametrize(("count", "sizes"), [(2, (1, 1, 0)), (3, (1, 1, 1)), (40, (32, 4, 4))])
def test_a_tenth_is_held_out_twice(count, sizes):
    images = CleanImages(train=image_set(count)).with_held_out(seed=1)
    assert (len(images.train), len(images.validation), len(images.test)) == sizes
    names = images.train.names + images.validation.names + images.test.names
    assert len(set(names)) == count


def test_splits_that_exist_are_kept():
    images = CleanImages(image_set(5), image_set(2, 10), image_set(2, 20))
    assert images.with_held_out(seed=0) is images
    only_test = CleanImages(train=image_set(20), test=image_set(2, 30)).with_held_out(seed=0)
    assert (len(only_test.train), len(only_test.validation), len(only_test.test)) == (18, 2, 2)


def test_the_held_out_share_is_decided_by_the_seed():
    images = CleanImages(train=image_set(30))
    first, again, other = (images.with_held_out(seed).validation.names for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_images_are_refused(count):
    with pytest.raises(DataError, match="images? to train on|one image only"):
        CleanImages(train=image_set(count)).with_held_out(seed=0)


def test_fingerprint_changes_with_pixels_and_splits():
    images = CleanImages(image_set(3), image_set(1, 10))
    changed = [image.copy() for image in images.train]
    changed[0][0, 0, 0] += 1
    others = [
        CleanImages(ImageSet(tuple(changed), images.train.names), images.validation),
        CleanImages(images.validation, images.train),
    ]
    assert len({it.fingerprint() for it in (images, *others)}) == 3
    assert images.fingerprint() == CleanImages(image_set(3), image_set(1, 10)).fingerprint()


def test_held_out_is_test_or_else_validation():
    assert CleanImages(image_set(2), image_set(1, 10)).held_out.names == ("image 10",)
    assert CleanImages(image_set(2), image_set(1, 10), image_set(1, 20)).held_out.names == (
        "image 20",
    )


def test_images_that_outgrow_the_memory_are_refused(monkeypatch):
    monkeypatch.setattr(clean, "_MEMORY_SHARE", 1e-9)
    with pytest.raises(DataError, match="--limit"):
        CleanImages.from_splits({"train": [("a", np.zeros((64, 64, 1), np.uint8))]})
