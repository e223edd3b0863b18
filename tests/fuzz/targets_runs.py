"""What is tried of the tables and configurations that training reads and writes."""

import json
from pathlib import Path

import numpy as np

from tests.fuzz.harness import Target
from tests.fuzz.mutations import BYTES, JSON

_CELLS = (
    *("", " ", "0", "-1", "1", "2", "007", "1.5", "1e308", "1e999", "nan", "inf", "٣", "1_0", "x"),
    *('"', '"1', "1,2", "\0", "\r", "\n", "\ufeff", "\ud83d", "é", "9" * 5000, "9" * 200_000),
    *("Training", "PrivateTest", "epoch", "pixels"),
)
_SIZE = 48 * 48


def change_cells(random, content):
    """Puts what is not expected in the place of cells, or of numbers inside them."""
    lines = content.decode("utf-8", "replace").split("\n")
    for _ in range(random.choice((1, 1, 1, 3))):
        number = random.randrange(len(lines))
        mark = random.choice((",", ",", " "))
        cells = lines[number].split(mark)
        place = random.randrange(len(cells))
        new = random.choice(([random.choice(_CELLS)], [], [cells[place]] * 2))
        lines[number] = mark.join([*cells[:place], *new, *cells[place + 1 :]])
    return "\n".join(lines).encode("utf-8", "replace")


def change_rows(random, content):
    """Moves, repeats or leaves out a line."""
    lines = content.splitlines(keepends=True)
    line = lines.pop(random.randrange(len(lines)))
    for _ in range(random.choice((0, 1, 1, 2))):
        lines.insert(random.randrange(len(lines) + 1), line)
    return b"".join(lines)


TABLE = (change_cells, change_cells, change_rows, *BYTES)


def _faces():
    random = np.random.default_rng(0)
    rows = [
        (str(number % 7), " ".join(map(str, random.integers(0, 256, _SIZE))), usage)
        for number, usage in enumerate(["Training"] * 3 + ["PublicTest", "PrivateTest"])
    ]
    header = ("emotion", "pixels", "Usage")
    orders = {"fer2013.csv": (0, 1, 2), "icml_face_data.csv": (0, 2, 1)}
    return {
        name: "\n".join(",".join(row[i] for i in order) for row in (header, *rows)).encode()
        for name, order in orders.items()
    }


def _read_faces(path):
    from kerasgan.data.fer2013 import read_rows

    for row in read_rows(path):
        assert row.pixels.shape == (48, 48, 1) and row.pixels.dtype == np.uint8


def _config():
    from kerasgan.presets import PRESETS

    record = {"config": PRESETS["selective"].to_dict(), "data": {"fingerprint": "0" * 16}}
    return {"config.json": json.dumps(record | {"versions": {"keras": "3"}}).encode()}


def _read_config(path):
    """Reads a configuration, which then must survive being written."""
    from kerasgan.config import RunConfig
    from kerasgan.store.bundle import training_record
    from kerasgan.store.record import read_record

    config, fingerprint = read_record(path)
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert isinstance(fingerprint, str)
    training_record(path.parent)


def _history():
    rows = ["epoch,g_loss,d_loss,val_psnr", "1,0.5,0.7,30.25", "2,0.25,0.7,31", "3,1e-3,,32.5"]
    return {"history.csv": ("\n".join(rows) + "\n").encode()}


def _read_history(path: Path):
    """Reads a history as `evaluate --report` does, and as `train --resume` of two epochs."""
    from kerasgan.measure.report import _training_curves
    from kerasgan.store.run_folder import RunFolder

    folder = RunFolder(path.parent)
    list(_training_curves(folder.read_history()))
    assert all(int(row["epoch"]) <= 2 for row in folder.read_history(2))


RUNS = (
    Target("fer2013", _faces, _read_faces, TABLE),
    Target("config", _config, _read_config, JSON),
    Target("history", _history, _read_history, TABLE, share=5),
)
