import numpy as np
import pytest
import tensorflow_datasets as tfds

from kerasgan.data.fer2013 import Fer2013, read_rows
from kerasgan.data.sources import load_images
from kerasgan.errors import DataError

RANDOM = np.random.default_rng(0)
FACES = RANDOM.integers(0, 256, (9, 48 * 48))
USAGES = ["Training"] * 5 + ["PublicTest"] * 2 + ["PrivateTest"] * 2


def text_of(face):
    return " ".join(map(str, face))


def challenge_csv(usages=USAGES):
    rows = [f"{i % 7},{text_of(FACES[i])},{usage}" for i, usage in enumerate(usages)]
    return "emotion,pixels,Usage\n" + "\n".join(rows) + "\n"


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    """Prepared data goes to a folder of the test's own."""
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "tfds"))
    return tmp_path / "tfds"


@pytest.fixture
def csv_file(tmp_path):
    path = tmp_path / "fer2013.csv"
    path.write_text(challenge_csv())
    return path


def test_images_come_back_in_their_splits(csv_file):
    images = load_images(csv_file)
    assert (len(images.train), len(images.validation), len(images.test)) == (5, 2, 2)
    loaded = {image.tobytes() for image in images.train}
    assert loaded == {face.astype(np.uint8).tobytes() for face in FACES[:5]}


def test_the_original_files_other_layout_is_read(tmp_path):
    rows = [f"{usage},{i}, {text_of(FACES[i])}" for i, usage in enumerate(USAGES[:7])]
    path = tmp_path / "icml_face_data.csv"
    path.write_text(" Usage,emotion, pixels\n" + "\n".join(rows))
    images = load_images(path)
    assert (len(images.train), len(images.validation)) == (5, 2)


def test_two_processes_may_prepare_it_at_once(csv_file, monkeypatch):
    prepare, begun = Fer2013._download_and_prepare, []

    def overtaken(builder, *arguments, **options):
        begun.append(builder)
        if len(begun) == 1:
            load_images(csv_file)
        prepare(builder, *arguments, **options)

    monkeypatch.setattr(Fer2013, "_download_and_prepare", overtaken)
    assert len(load_images(csv_file).train) == 5
    assert len(begun) == 2


def test_blank_lines_and_byte_order_marks_do_no_harm(csv_file):
    csv_file.write_text("\ufeff" + csv_file.read_text() + "\n\n")
    assert len(load_images(csv_file).train) == 5


def test_the_builder_is_known_by_name_and_says_where_to_get_the_file():
    with pytest.raises(DataError, match="deadskull7/fer2013"):
        load_images("tfds:fer2013")


def test_splits_that_the_file_lacks_are_cut_from_training(tmp_path):
    path = tmp_path / "fer2013.csv"
    path.write_text(challenge_csv(["Training"] * 9))
    images = load_images(path)
    assert (len(images.train), len(images.validation), len(images.test)) == (7, 1, 1)


def test_repetitions_are_dropped_and_counted(csv_file):
    text = csv_file.read_text()
    first = text.splitlines()[1]
    csv_file.write_text(text + first + "\n" + first.replace("Training", "PublicTest") + "\n")
    images = load_images(csv_file)
    assert (images.dropped_train, images.dropped_held_out) == (1, 1)
    kept = load_images(csv_file, keep_duplicates=True)
    assert (len(kept.train), len(kept.validation)) == (6, 3)


def test_a_changed_file_is_prepared_anew(csv_file):
    before = load_images(csv_file)
    csv_file.write_text(challenge_csv(["Training"] * 7 + ["PublicTest"] * 2))
    assert len(before.train) == 5
    assert len(load_images(csv_file).train) == 7


def test_limit_keeps_so_many_of_each_split(csv_file):
    images = load_images(csv_file, limit=1)
    assert (len(images.train), len(images.validation), len(images.test)) == (1, 1, 1)


def replace_row(text, number, **changes):
    lines = text.splitlines()
    emotion, pixels, usage = lines[number].split(",")
    cells = {"emotion": emotion, "pixels": pixels, "usage": usage, **changes}
    lines[number] = ",".join(cells.values())
    return "\n".join(lines)


GOOD = challenge_csv()
ROW_3 = r"row 3 \(line 4\): "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("emotion,Usage\n", "has no column pixels"),
        ('"emotion\n,x",Usage\n', "no column emotion, pixels; its first line is 'emotion"),
        ("emotion,pixels,Usage\n", "no images to train on"),
        (replace_row(GOOD, 3, pixels=text_of(FACES[2][:-1])), ROW_3 + "2,303 pixels"),
        (replace_row(GOOD, 3, pixels="256" + text_of(FACES[2])[3:].lstrip("0123456789")), "'256'"),
        (replace_row(GOOD, 3, pixels=text_of(["abc", *FACES[2][1:]])), ROW_3 + "pixel value 'abc'"),
        (replace_row(GOOD, 3, pixels=text_of(["-1", *FACES[2][1:]])), ROW_3 + "pixel value '-1'"),
        (
            replace_row(GOOD, 3, pixels=text_of(["9" * 30, *FACES[2][1:]])),
            ROW_3 + "pixel value '99",
        ),
        (
            replace_row(GOOD, 3, pixels=text_of(["9" * 5000, *FACES[2][1:]])),
            ROW_3 + "pixel value '9{20}', expected",
        ),
        (replace_row(GOOD, 3, usage="Testing"), ROW_3 + "Usage is 'Testing'"),
        (replace_row(GOOD, 3, emotion="7"), ROW_3 + "emotion is '7'"),
        (GOOD[:-5000], r"row 9 \(line 10\): 2 columns"),
        (GOOD[:-8], r"row 9 \(line 10\): Usage is 'Priv"),
        (GOOD.replace("emotion", "\0"), "no column emotion"),
    ],
)
def test_bad_files_are_named_with_their_row(csv_file, data_folder, text, message):
    csv_file.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        load_images(csv_file)
    assert "\n" not in str(caught.value)
    assert not list(data_folder.rglob("*.tfrecord*"))


def test_files_that_are_no_text_are_named(csv_file):
    csv_file.write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(DataError, match=r"cannot read .*fer2013\.csv"):
        list(read_rows(csv_file))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="cannot read .*nowhere.csv"):
        load_images(tmp_path / "nowhere.csv")


class Fer2013BuilderTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Fer2013
    SPLITS = {"train": 5, "validation": 2, "test": 2}
    SKIP_CHECKSUMS = True

    @classmethod
    def setUpClass(cls):
        import tempfile
        from pathlib import Path

        cls.folder = tempfile.TemporaryDirectory()
        cls.dummy_data = Path(cls.folder.name)
        (cls.dummy_data / "fer2013.csv").write_text(challenge_csv())
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()
        super().tearDownClass()
