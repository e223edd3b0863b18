"""The wings of the package: each may import from those to its left, never from one to its right."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import kerasgan
from kerasgan.store.zoo import find_model
from tests.helpers import noisy_picture

ROOT = Path(kerasgan.__file__).parent
# In one place, those that are one wing.
WINGS = [
    ("errors", "startup"),
    ("noise",),
    ("decoding",),
    ("config", "presets"),
    ("store",),
    ("images",),
    ("data",),
    ("measure",),
    ("model",),
    ("restore",),
    ("training",),
    ("tflite",),
    ("cli", "__main__"),
]
RANK = {name: rank for rank, names in enumerate(WINGS) for name in names}
MODULES = {
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts): path
    for path in ROOT.rglob("*.py")
    if path.name != "__init__.py"
}


def imports(path):
    """The modules of the package that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kerasgan"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith("kerasgan"))


def wing(module):
    return module.split(".")[1]


def test_every_module_stands_in_a_wing():
    assert {wing(module) for module in MODULES} == RANK.keys()


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_one_way(module):
    for other in imports(MODULES[module]):
        if other != "kerasgan":
            assert RANK[wing(other)] <= RANK[wing(module)], f"{module} imports {other}"


def test_no_module_imports_itself_by_a_circle():
    graph = {module: set(imports(path)) & MODULES.keys() for module, path in MODULES.items()}
    while graph:
        leaves = {module for module, used in graph.items() if not used & graph.keys()}
        assert leaves, f"a circle among {', '.join(sorted(graph))}"
        graph = {module: used for module, used in graph.items() if module not in leaves}


def test_restoring_imports_no_training_and_keras_only_inside_functions():
    for module, path in MODULES.items():
        if wing(module) in ("noise", "store", "images", "restore") and module != (
            "kerasgan.restore.graph"
        ):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                names = [alias.name for alias in getattr(node, "names", [])]
                names.append(getattr(node, "module", None) or "")
                heavy = ("tensorflow", "keras.", "kerasgan.model", "kerasgan.training")
                assert not any(n == "keras" or n.startswith(heavy) for n in names), module


SMALL = "selective-small-fer2013"
# What restores a picture, and everything else that a command does without a network of Keras'.
LIGHT = {
    "denoise": f"main(['denoise', 'photo.png', '--model', '{SMALL}'])",
    "denoise a folder": f"main(['denoise', 'folder', '--model', '{SMALL}', '--jobs', '2'])",
    "denoise by a file": "main(['denoise', 'photo.png', '--model', 'bundle/int8.tflite'])",
    "corrupt": "main(['corrupt', 'photo.png', '--amount', '0.5'])",
    "inspect": "main(['inspect', 'photo.png'])",
    "benchmark": "main(['benchmark', 'bundle', '--runs', '1'])",
    "models": "main(['models'])",
    "load_restorer": f"kerasgan.load_restorer('{SMALL}')(np.zeros((50, 60), np.uint8))",
    "TFLiteModel": "kerasgan.Restorer(kerasgan.TFLiteModel('bundle/int8.tflite'))",
    "noisy_image": "kerasgan.noisy_image(np.zeros((9, 9, 1)), kerasgan.SaltAndPepper((0.1, 0.5)))",
}
HEAVY = ("tensorflow", "keras", "scipy", "matplotlib", "skimage", "jax", "pandas")


@pytest.mark.parametrize("what", LIGHT)
def test_restoring_needs_numpy_pillow_and_litert(what, tmp_path):
    (tmp_path / "folder").mkdir()
    for name in ("photo.png", "folder/a.png", "folder/b.png"):
        Image.fromarray(noisy_picture(50, 60)[..., 0]).save(tmp_path / name)
    (tmp_path / "bundle").symlink_to(find_model(SMALL))
    program = (
        "import functools, sys, numpy as np, kerasgan, kerasgan.cli\n"
        "main = functools.partial(kerasgan.cli.main, standalone_mode=False)\n"
        f"{LIGHT[what]}\n"
        f"print('Loaded:', *[name for name in {HEAVY} if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stdout.splitlines()[-1].strip() == "Loaded:"
    assert result.stderr == "" or what == "benchmark"
