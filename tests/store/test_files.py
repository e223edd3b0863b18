import os
from pathlib import Path

import pytest

from kerasgan.errors import OutputError
from kerasgan.store.files import atomic_folder, atomic_path, write_text


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


def fill(path):
    with atomic_folder(path) as folder:
        assert not list(folder.iterdir())
        (folder / "new.txt").write_text("new")


def test_a_folder_appears_whole_and_replaces_the_old_one(tmp_path):
    target = tmp_path / "deep" / "folder"
    fill(target)
    (target / "old.txt").write_text("old")
    fill(target)
    assert [path.name for path in target.iterdir()] == ["new.txt"]
    assert [path.name for path in target.parent.iterdir()] == ["folder"]


def test_a_folder_that_cannot_be_put_in_place_leaves_the_old_one(tmp_path, monkeypatch):
    target = tmp_path / "folder"
    fill(target)
    (target / "old.txt").write_text("old")
    rename = Path.rename

    def fail_into_place(self, other):
        if other == target and not (self / "old.txt").exists():
            raise OSError(5, "Input/output error")
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", fail_into_place)
    with pytest.raises(OutputError, match="Input/output error"):
        fill(target)
    assert (target / "old.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_content_is_on_the_disk_before_its_name_and_the_name_before_the_end(tmp_path, monkeypatch):
    """Without that, a power cut can leave an empty file under the name of a whole one."""
    events = []
    fsync, replace, rename = os.fsync, os.replace, Path.rename

    def name_of(descriptor):
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        return "folder" if path == tmp_path else path.suffix or "new folder"

    def record(event, act, *arguments):
        events.append(event)
        return act(*arguments)

    monkeypatch.setattr(os, "fsync", lambda fd: record(f"flush {name_of(fd)}", fsync, fd))
    monkeypatch.setattr(os, "replace", lambda a, b: record("rename", replace, a, b))
    monkeypatch.setattr(Path, "rename", lambda a, b: record("rename", rename, a, b))
    write_text(tmp_path / "a.txt", "text")
    assert events == ["flush .txt", "rename", "flush folder"]
    events.clear()
    with atomic_folder(tmp_path / "folder") as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "a.txt").write_text("text")
    # The hidden folder is called ".hex", which has no suffix.
    assert sorted(events[:3]) == ["flush .txt", "flush new folder", "flush new folder"]
    assert events[3:] == ["rename", "flush folder"]


def test_a_disk_that_cannot_keep_the_content_leaves_the_old_one(tmp_path, monkeypatch):
    write_text(tmp_path / "a.txt", "old")

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.skipif(os.name == "nt", reason="permissions and links are another thing there")
def test_who_may_read_a_file_still_may_and_links_stay(tmp_path):
    path, link = tmp_path / "private.txt", tmp_path / "link.txt"
    path.write_text("old")
    path.chmod(0o600)
    link.symlink_to(path)
    write_text(link, "new")
    assert link.is_symlink() and path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "a.png").write_text("")
    with pytest.raises(OutputError, match=r"a.png is a file, no folder"):
        with atomic_path(tmp_path / "a.png" / "b.png"):
            pass
