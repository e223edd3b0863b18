import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
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


def test_public_names_are_importable_and_what_they_are_called():
    for name in kerasgan.__all__:
        made = getattr(kerasgan, name)
        if callable(made):
            assert made.__name__ == name
            assert f"kerasgan.{kerasgan._EXPORTS[name]}" == made.__module__
    assert set(dir(kerasgan)) == set(kerasgan.__all__) == kerasgan._EXPORTS.keys()
    with pytest.raises(AttributeError, match="no attribute 'tensorflow'"):
        _ = kerasgan.tensorflow


def test_editors_see_the_same_names_as_the_running_program():
    tree = ast.parse(Path(kerasgan.__file__).read_text())
    [seen] = [node for node in tree.body if isinstance(node, ast.If)]
    imported = {
        alias.name: node.module.removeprefix("kerasgan.")
        for node in seen.body
        for alias in node.names
    }
    assert imported == kerasgan._EXPORTS
    assert (ROOT / "kerasgan" / "py.typed").is_file()


@pytest.mark.parametrize("name", ["DenoisingGAN", "train"])
def test_another_backend_of_keras_is_named(name):
    code = f"import kerasgan\ntry: kerasgan.{name}\nexcept kerasgan.KerasganError as e: print(e)"
    output = python("-c", code, KERAS_BACKEND="jax").stdout
    assert "Keras runs on jax" in output and "KERAS_BACKEND" in output


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


@pytest.mark.parametrize("name", ["DenoisingGAN", "training_pairs", "train"])
def test_python_users_see_no_messages_of_tensorflow(name):
    assert python("-W", "ignore", "-c", f"import kerasgan; kerasgan.{name}").stderr == ""


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


def test_what_other_threads_print_is_shown_and_not_held_back():
    code = (
        "import logging, os, sys, threading, kerasgan.startup as s\n"
        "with s.held_back_stderr():\n"
        "    other = threading.Thread(target=lambda: print('of another', file=sys.stderr))\n"
        "    other.start(); other.join()\n"
        "    print('of its own', file=sys.stderr)\n"
        "    os.write(2, b'of C++')\n"
        "    handler = logging.StreamHandler()\n"
        "print('afterwards', file=sys.stderr)\n"
        "logging.getLogger().addHandler(handler)\n"
        "logging.warning('logged')"
    )
    assert python("-c", code).stderr == "of another\nafterwards\nlogged\n"


def test_where_stderr_is_closed_nothing_is_held_back():
    code = (
        "import os, kerasgan.startup as s\n"
        "files = [os.open(os.devnull, os.O_RDONLY) for _ in range(3)]\n"
        "nothing = os.stat(os.devnull).st_rdev\n"
        "with s.held_back_stderr():\n"
        "    print(all(os.fstat(file).st_rdev == nothing for file in files))"
    )
    shell = ["sh", "-c", '"$0" -c "$1" <&- 2>&-', sys.executable, code]
    assert subprocess.run(shell, stdout=subprocess.PIPE, text=True, check=True).stdout == "True\n"


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


def readme_commands():
    """Every call of kerasgan in the README, as a list of words."""
    for block in readme_blocks("sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            for place, word in enumerate(words):
                if word == "kerasgan":
                    rest = words[place + 1 :]
                    yield rest[: rest.index("&&")] if "&&" in rest else rest


def test_the_readmes_commands_are_understood(tmp_path, monkeypatch):
    from kerasgan.cli import main

    monkeypatch.chdir(tmp_path)
    seen = set()
    for name, *arguments in readme_commands():
        # Parses and checks every option, and runs nothing.
        main.commands[name].make_context(name, arguments)
        seen.add(name)
    assert seen >= {"train", "corrupt", "denoise", "evaluate", "compare", "export", "benchmark"}
    with pytest.raises(click.NoSuchOption):
        main.commands["train"].make_context("train", ["--no-such-option"])
