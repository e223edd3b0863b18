import shutil

import numpy as np
import pytest
from PIL import Image

from kerasgan.data.folder import load_folder
from kerasgan.data.sources import load_images
from kerasgan.errors import DataError
from kerasgan.images.pictures import Picture, write_picture
from tests.helpers import smooth_image


def test_sizes_and_formats_may_be_mixed(photos):
    images = load_folder(photos).train
    assert images.names == ("a.png", "b.bmp", "c.webp", "d.tif", "more/e.png", "more/f.png")
    assert images.images[0].shape == (40, 33, 1)
    np.testing.assert_array_equal(images.images[3], smooth_image(3, 64, 64))


def test_a_folder_without_splits_is_split_by_the_seed(photos):
    first, again, other = (load_images(photos, seed=seed) for seed in (1, 1, 4))
    assert (len(first.train), len(first.validation), len(first.test)) == (4, 1, 1)
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()


def test_subfolders_are_taken_as_splits(tmp_path):
    for seed, split in enumerate(("train", "train", "train", "validation", "test")):
        path = tmp_path / split / "class" / f"{seed}.png"
        write_picture(path, Picture(smooth_image(seed)))
    images = load_images(tmp_path)
    assert (len(images.train), len(images.validation), len(images.test)) == (3, 1, 1)
    assert images.test.names == ("test/class/4.png",)


def test_held_out_folders_beside_loose_pictures_are_not_trained_on(tmp_path):
    for seed, name in enumerate(("a.png", "b.png", "more/c.png", "val/d.png", "test/e.png")):
        write_picture(tmp_path / name, Picture(smooth_image(seed)))
    images = load_folder(tmp_path)
    assert images.train.names == ("a.png", "b.png", "more/c.png")
    assert (images.validation.names, images.test.names) == (("val/d.png",), ("test/e.png",))


def test_pictures_of_runs_and_bundles_are_no_clean_images(photos, trained_run, bundle):
    before = load_folder(photos).train.names
    shutil.copytree(trained_run.path, photos / "runs" / "first")
    shutil.copytree(bundle.path, photos / "first_tflite")
    assert list((photos / "runs").rglob("*.png")) and list((photos / "first_tflite").rglob("*.png"))
    assert load_folder(photos).train.names == before


def test_one_split_has_one_folder(tmp_path):
    for seed, name in enumerate(("train/a.png", "val/b.png", "validation/c.png")):
        (tmp_path / name).parent.mkdir()
        write_picture(tmp_path / name, Picture(smooth_image(seed)))
    with pytest.raises(DataError, match="holds validation and val, two names for one split"):
        load_images(tmp_path)


def test_nothing_is_held_out_where_all_is_to_be_measured(photos):
    images = load_images(photos, hold_out=False)
    assert (len(images.train), len(images.validation), len(images.test)) == (6, 0, 0)


def test_validation_is_cut_from_train_where_it_is_missing(tmp_path):
    for seed in range(20):
        write_picture(tmp_path / "train" / f"{seed}.png", Picture(smooth_image(seed)))
    write_picture(tmp_path / "test" / "a.png", Picture(smooth_image(99)))
    images = load_images(tmp_path)
    assert (len(images.train), len(images.validation), len(images.test)) == (18, 2, 1)


def test_sixteen_bits_are_rounded_and_transparency_is_dropped(tmp_path):
    deep = np.array([[[0], [128], [129], [65535]]], np.uint16)
    write_picture(tmp_path / "a.png", Picture(deep, alpha=deep))
    (image,) = load_folder(tmp_path).train
    np.testing.assert_array_equal(image[0, :, 0], [0, 0, 1, 255])


def test_grey_or_color_by_option(photos):
    Image.fromarray(smooth_image(0, channels=3)).save(photos / "color.png")
    for channels in (1, 3):
        assert {image.shape[-1] for image in load_folder(photos, channels=channels).train} == {
            channels
        }


def test_limit_keeps_so_many_of_each_split(photos):
    assert len(load_folder(photos, limit=3).train) == 3


def test_bad_files_are_all_named(photos):
    (photos / "text.png").write_text("hello")
    (photos / "more" / "empty.jpg").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        load_folder(photos)
    assert "2 of the image files" in str(caught.value)
    assert "text.png" in str(caught.value) and "empty.jpg" in str(caught.value)


def test_few_bad_files_are_left_out_and_named(tmp_path):
    for index in range(101):
        Image.fromarray(smooth_image(index)[..., 0]).save(tmp_path / f"{index:03}.png")
    (tmp_path / "007.png").write_text("hello")
    images = load_folder(tmp_path)
    assert len(images.train) == 100 and "007.png" not in images.train.names
    assert len(images.skipped) == 1 and "007.png: not an image" in images.skipped[0]
    assert images.without_duplicates().with_held_out(0).skipped == images.skipped
    (tmp_path / "008.png").write_text("hello")
    with pytest.raises(DataError, match="2 of the image files"):
        load_folder(tmp_path)


def test_folders_without_images_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DataError, match="holds no images"):
        load_folder(tmp_path)
    with pytest.raises(DataError, match="no folder"):
        load_folder(tmp_path / "elsewhere")
