import pytest

from kerasgan.errors import ModelError, OutputError
from kerasgan.store.run_folder import RunFolder
from tests.helpers import small_config

WHOLE = "epoch,g_loss,val_psnr\n1,0.5,30.1\n2,0.4,31\n"


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path)


def test_history_is_read_as_texts(folder):
    assert folder.read_history() == []
    folder.history.write_text(WHOLE + "3,,32\n")
    assert folder.read_history()[2] == {"epoch": "3", "g_loss": "", "val_psnr": "32"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (WHOLE[:-4].encode(), "damaged in row 2"),  # Cut in the middle.
        (WHOLE.replace("0.4", "nan").encode(), "damaged in row 2"),
        (WHOLE.replace("0.4", "inf").encode(), "damaged in row 2"),
        (WHOLE.replace("0.4", "much").encode(), "damaged in row 2"),
        (WHOLE.replace("2,0.4", "7,0.4").encode(), "damaged in row 2"),
        (WHOLE.replace("1,0.5", "0,0.5").encode(), "damaged in row 1"),
        (WHOLE.replace("1,0.5", "1.0,0.5").encode(), "damaged in row 1"),
        (WHOLE.replace("1,0.5", "9" * 5000 + ",0.5").encode(), "damaged in row 1"),
        (WHOLE.replace("0.4", "9" * 200_000).encode(), "is damaged: field larger"),
        (WHOLE.replace("31", "31,5").encode(), "damaged in row 2"),
        (WHOLE.replace("epoch", "epic").encode(), "damaged in row 1"),
        (b"\xff\xfe\x00" + WHOLE.encode(), "history.csv is damaged: .*decode"),
        (WHOLE.replace("0.4", "0\0.4").encode(), "damaged"),
        (b'epoch\n"1', "damaged"),
    ],
)
def test_damaged_histories_are_named(folder, content, message):
    folder.history.write_bytes(content)
    with pytest.raises(ModelError, match=message):
        folder.read_history()


def test_a_folder_in_the_historys_place_is_named(folder):
    folder.history.mkdir()
    with pytest.raises(ModelError, match="history.csv is damaged: .*directory"):
        folder.read_history()


def test_history_may_begin_later_where_the_first_was_moved_away(folder):
    folder.history.write_text("epoch,g_loss\n3,0.5\n4,0.4\n")
    assert [row["epoch"] for row in folder.read_history(4)] == ["3", "4"]


def test_only_what_the_model_knows_of_is_complete(folder):
    folder.history.write_text(WHOLE)
    assert [row["epoch"] for row in folder.read_history(1)] == ["1"]
    assert len(folder.read_history(2)) == 2
    message = r"history.csv ends with epoch 2, but model.keras with epoch 3; move it away"
    with pytest.raises(ModelError, match=message):
        folder.read_history(3)


def test_what_is_no_runs_is_not_overwritten(tmp_path):
    folder = RunFolder(tmp_path)
    folder.config.write_text('{"mine": 1}')
    with pytest.raises(OutputError, match=r"config.json is no run's; choose another --output"):
        folder.create(small_config(), {"fingerprint": ""}, overwrite=True)
    assert folder.config.read_text() == '{"mine": 1}'
    folder.config.unlink()
    folder.history.mkdir()
    with pytest.raises(OutputError, match=r"cannot replace .*history.csv"):
        folder.create(small_config(), {"fingerprint": ""}, overwrite=True)
