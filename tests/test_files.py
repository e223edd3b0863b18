import pytest

from kerasgan.errors import OutputError
from kerasgan.files import atomic_path, write_text


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path):
    path = tmp_path / "figures.json"
    write_text(path, "old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half of the n")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made(tmp_path):
    write_text(tmp_path / "a" / "b.txt", "text")
    assert (tmp_path / "a" / "b.txt").read_text() == "text"


def test_places_that_cannot_be_written_to_are_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write .*b\.txt: "):
        write_text(tmp_path / "file" / "b.txt", "text")
