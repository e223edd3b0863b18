import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kerasgan

ROOT = Path(__file__).parents[1]


def python(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )


def test_public_names_are_importable():
    assert {name for name in kerasgan.__all__ if hasattr(kerasgan, name)} == set(kerasgan.__all__)
    assert set(dir(kerasgan)) == set(kerasgan.__all__)
    with pytest.raises(AttributeError, match="no attribute 'tensorflow'"):
        _ = kerasgan.tensorflow


@pytest.mark.parametrize(
    "statement",
    ["import kerasgan", "from kerasgan.cli import main; main(['--help'], standalone_mode=False)"],
)
def test_import_and_help_start_no_tensorflow(statement):
    loaded = python("-X", "importtime", "-c", statement).stderr
    assert "kerasgan" in loaded
    for heavy in ("tensorflow", "keras.src", "skimage", "matplotlib", "numpy"):
        assert heavy not in loaded


def test_tensorflow_starts_without_messages():
    code = (
        "import os; from kerasgan.startup import start_tensorflow; start_tensorflow(); "
        "print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    )
    result = python("-c", code, TF_ENABLE_ONEDNN_OPTS="0")
    assert result.stderr == ""
    assert result.stdout == "0\n"


def test_a_start_that_fails_shows_what_was_held_back():
    code = (
        "import os, kerasgan.startup as s\n"
        "try:\n"
        "    with s.held_back_stderr():\n"
        "        os.write(2, b'no such device')\n"
        "        raise ImportError\n"
        "except ImportError: pass"
    )
    assert "no such device" in python("-c", code).stderr


def test_completion_knows_commands_and_options():
    program = Path(sys.executable).with_name("kerasgan")
    for words, expected in [("kerasgan de", "denoise"), ("kerasgan train --pre", "--preset")]:
        completion = {
            "_KERASGAN_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        result = subprocess.run(
            [program], capture_output=True, text=True, check=True, env={**os.environ, **completion}
        )
        assert expected in result.stdout


def readme_blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_readmes_first_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = readme_blocks("python")[0]
    assert len(example.strip().splitlines()) <= 10
    names = {}
    exec(compile(example, "README.md", "exec"), names)
    assert names["restored"].shape == names["noisy"].shape


def test_the_readme_names_commands_and_options_that_exist():
    from click.testing import CliRunner

    from kerasgan.cli import main

    for block in readme_blocks("sh"):
        for command, rest in re.findall(r"kerasgan (\w+)([^\n#]*)", block):
            usage = CliRunner().invoke(main, [command, "--help"]).output
            for option in re.findall(r"(?<= )--?[a-z-]+", rest):
                assert option in usage, f"{command} has no {option}"
