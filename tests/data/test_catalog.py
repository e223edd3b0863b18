import numpy as np
import pytest
import tensorflow_datasets as tfds

from kerasgan.data.sources import load_images
from kerasgan.errors import DataError


class KerasganTestPictures(tfds.core.GeneratorBasedBuilder):
    """Pictures of two sizes with a label, in splits train and val."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"label": np.int64, "picture": tfds.features.Image(shape=(None, None, 3))}
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(6), "val": self._generate_examples(2, 100)}

    def _generate_examples(self, count, first=0):
        for i in range(first, first + count):
            yield i, {"label": i, "picture": np.full((20 + i % 2, 24, 3), i, np.uint8)}


class KerasganTestNumbers(tfds.core.GeneratorBasedBuilder):
    """A data set without pictures."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"label": np.int64})
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        yield 0, {"label": 0}


class KerasganTestFailure(KerasganTestPictures):
    """A data set whose source cannot be reached."""

    def _split_generators(self, dl_manager):
        raise OSError("the source is gone\nfor good")


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "tfds"))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_image_feature_is_found(channels):
    images = load_images("tfds:kerasgan_test_pictures", channels=channels)
    assert (len(images.train), len(images.validation), len(images.test)) == (6, 2, 0)
    shapes = {image.shape for image in images.train}
    assert shapes == {(20, 24, channels), (21, 24, channels)}
    assert sorted(int(image[0, 0, 0]) for image in images.train) == [0, 1, 2, 3, 4, 5]


def test_limit_keeps_so_many_of_each_split():
    assert len(load_images("tfds:kerasgan_test_pictures", limit=3).train) == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("kerasgan_test_numbers", "no image feature"),
        ("kerasgan_test_failure", "cannot prepare .*: the source is gone"),
        ("no_such_thing_at_all", "no dataset 'no_such_thing_at_all'"),
        ("", "no dataset ''"),
        ("../x y", "no dataset"),
        ("kerasgan_test_pictures:9.9.9", "no dataset"),
        ("kerasgan_test_pictures/foo=1", "no dataset"),
    ],
)
def test_data_sets_that_cannot_be_used_are_named(name, message):
    with pytest.raises(DataError, match=message):
        load_images(f"tfds:{name}")
