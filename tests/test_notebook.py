from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "kerasgan_colab.ipynb"
# Every phase has its epochs, though of few small steps: the notebook's own take minutes.
QUICKLY = {"EPOCHS = 8": "EPOCHS = 4", "batch_size, steps = 32, 50": "batch_size, steps = 8, 3"}


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_no_outputs_are_kept(notebook):
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


@pytest.mark.slow
def test_it_runs_whole(notebook, tmp_path):
    for long, short in QUICKLY.items():
        [cell] = [cell for cell in notebook.cells if long in cell.source]
        cell.source = cell.source.replace(long, short)
    NotebookClient(notebook, timeout=900, resources={"metadata": {"path": tmp_path}}).execute()
    text = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ())
    )
    assert "kerasgan" in text and "biharmonic inpainting" in text
    assert {path.stem for path in (tmp_path / "bundle").glob("*.tflite")} == {
        "float32",
        "float16",
        "dynamic",
        "int8",
    }
    pictures = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 4
