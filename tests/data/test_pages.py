import numpy as np
import pytest

from kerasgan.data.clean import ImageSet
from kerasgan.data.pages import PAGE_SIZE, draw_pages
from kerasgan.data.pipeline import steps_per_epoch, with_pages
from tests.helpers import image_set

PAGES = draw_pages(42, seed=1)


def pure(image):
    return np.mean((image == 0) | (image == 255))


def test_pages_are_repeated_by_their_seed():
    for first, second in zip(draw_pages(9, seed=4), draw_pages(9, seed=4), strict=True):
        np.testing.assert_array_equal(first, second)
    assert np.any(draw_pages(1, seed=4).images[0] != draw_pages(1, seed=5).images[0])
    assert len({image.tobytes() for image in PAGES}) == len(PAGES)


def test_most_are_black_and_white_on_purpose_and_some_in_shades():
    shares = [pure(image) for image in PAGES]
    assert np.median(shares) > 0.3
    assert min(shares) == 0.0
    values = [len(np.unique(image)) for image in PAGES]
    assert values.count(2) > len(PAGES) / 8
    assert max(values) > 100
    light = [image.mean() > 128 for image in PAGES]
    assert 0.2 < np.mean(light) < 0.9


def test_nothing_is_left_empty():
    assert all(image.std() > 1 for image in PAGES)
    kinds = {name.rpartition(" ")[0] for name in PAGES.names}
    assert kinds == {"text", "table", "screen", "chart", "line art", "code", "pattern"}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("share", [0.25, 0.75])
def test_pages_are_a_share_of_the_patches(channels, share):
    images = image_set(30, height=200, width=200, channels=channels)
    mixed = with_pages(images, share, patch_size=64, seed=2)
    assert all(image.shape[-1] == channels for image in mixed)
    assert mixed.images[: len(images)] == images.images
    pages = mixed.select(range(len(images), len(mixed)))
    assert all(page.shape == (PAGE_SIZE, PAGE_SIZE, channels) for page in pages)
    counts = [steps_per_epoch(part, batch_size=1, patch_size=64) for part in (pages, mixed)]
    assert counts[0] / counts[1] == pytest.approx(share, abs=0.02)


def test_no_share_adds_nothing():
    images = image_set(3)
    assert with_pages(images, 0.0) is images
    assert with_pages(ImageSet(), 0.0).images == ()
