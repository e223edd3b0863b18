"""Running commands as a user does, each in an empty folder."""

import pytest
import tensorflow_datasets as tfds
from click.testing import CliRunner

from kerasgan import startup
from kerasgan.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Every command runs in an empty folder; TensorFlow runs already."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(startup, "start_tensorflow", lambda find=None: find() if find else None)
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "tfds"))
    return tmp_path


def run(*arguments, status=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    if status:
        assert "Traceback" not in result.output
    elif result.exception:
        raise result.exception
    return result.output
