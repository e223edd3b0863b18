"""Running commands as a user does, each in an empty folder."""

import pytest
import tensorflow_datasets as tfds

from kerasgan import startup


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Every command runs in an empty folder; TensorFlow runs already."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(startup, "start_tensorflow", lambda find=None: find() if find else None)
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "tfds"))
    return tmp_path
