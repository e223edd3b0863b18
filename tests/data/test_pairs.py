from pathlib import Path

import numpy as np
import pytest

from kerasgan.data.pairs import find_pairs, load_pairs
from kerasgan.errors import DataError
from kerasgan.images.pictures import Picture, write_picture
from tests.helpers import smooth_image


@pytest.fixture
def write(tmp_path):
    def write_all(*names, **size):
        for seed, name in enumerate(names):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            write_picture(tmp_path / name, Picture(smooth_image(seed, **size)))
        return tmp_path

    return write_all


@pytest.mark.parametrize(
    ("words", "noisy", "clean"),
    [
        (("_real", "_mean"), "a_real.png", "a_mean.png"),
        (("NOISY", "GT"), "scene 1/NOISY_10.png", "scene 1/GT_10.bmp"),
        (("noisy", "clean"), "noisy/more/a_noisy.png", "clean/more/a_clean.png"),
        (("_noisy", ""), "photos/a_noisy.png", "photos/a.png"),
    ],
)
def test_pairs_are_found_beside_each_other_and_in_folders_of_their_own(write, words, noisy, clean):
    folder = write(noisy, clean, "another.png")
    assert find_pairs(folder, *words) == [(folder / noisy, folder / clean)]


def test_pairs_are_loaded_in_the_order_of_their_names(write):
    folder = write("b_n.png", "b_c.png", "a_n.png", "a_c.png")
    clean, noisy = load_pairs(folder, "_n", "_c")
    assert clean.names == noisy.names == ("a_n.png", "b_n.png")
    for images, seeds in ((noisy, (2, 0)), (clean, (3, 1))):
        for image, seed in zip(images, seeds, strict=True):
            np.testing.assert_array_equal(image, smooth_image(seed))
    first, _ = load_pairs(folder, "_n", "_c", channels=3, limit=1)
    assert first.names == ("a_n.png",) and first.images[0].shape[-1] == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("_real", "_mean"), "holds no picture with '_real' in its name"),
        (("_n", "_truth"), "1 of the 1 pictures .* have no partner with '_truth' instead: a_n"),
        (("", "_c"), "noisy pictures need something in their names"),
        (("_n", "_n"), "noisy pictures need something in their names"),
    ],
)
def test_what_makes_no_pairs_is_named(write, words, message):
    with pytest.raises(DataError, match=message):
        find_pairs(write("a_n.png", "a_c.png"), *words)


def test_of_several_that_could_be_a_pair_none_is_taken(write):
    folder = write("a_n.png", "a_c.png", "b_n.png", "b_c.png", "other.png", "other.bmp")
    assert len(find_pairs(folder, "_n", "_c")) == 2
    write("b_c.bmp")
    with pytest.raises(DataError, match=r"b_c.bmp and .*b_c.png differ in their suffixes alone"):
        find_pairs(folder, "_n", "_c")


def test_partners_of_different_sizes_are_named(write):
    write("a_n.png", height=20, width=30)
    folder = write("a_c.png", height=20, width=31)
    with pytest.raises(DataError, match=r"a_n.png is 30×20, but .*a_c.png is 31×20"):
        load_pairs(folder, "_n", "_c")


def test_a_folder_that_is_not_there_is_named():
    with pytest.raises(DataError, match="there is no folder nowhere"):
        find_pairs(Path("nowhere"), "_n", "_c")
