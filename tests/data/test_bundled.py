import pytest

from kerasgan.data.bundled import load_bundled
from kerasgan.data.sources import load_images


@pytest.mark.parametrize("channels", [1, 3])
def test_photographs_are_held_out_whole(channels):
    images = load_bundled(channels)
    splits = (images.train, images.validation, images.test)
    assert [len(split) for split in splits] == [9, 2, 2]
    assert len({name for split in splits for name in split.names}) == 13
    for split in splits:
        assert all(image.shape[-1] == channels and image.dtype == "uint8" for image in split)


def test_limit_keeps_so_many_of_each_split():
    images = load_images(limit=1)
    assert (len(images.train), len(images.validation), len(images.test)) == (1, 1, 1)


def test_bundled_is_the_default():
    images = load_images()
    assert images.fingerprint() == load_bundled().fingerprint()
    assert images.dropped_train == images.dropped_held_out == 0
