"""The command line. Commands import what needs TensorFlow only when they run."""

import contextlib
import io
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import click

from kerasgan.cli.benchmark import benchmark
from kerasgan.cli.compare import compare
from kerasgan.cli.corrupt import corrupt
from kerasgan.cli.denoise import denoise
from kerasgan.cli.evaluate import evaluate
from kerasgan.cli.export import export
from kerasgan.cli.inspect import inspect
from kerasgan.cli.models import models
from kerasgan.cli.serve import serve
from kerasgan.cli.train import train
from kerasgan.errors import KerasganError, Stopped


class _Commands(click.Group):
    """Turns every failure that a person can act on into one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        # Names of files may hold what the terminal, or a file that takes the output, cannot write.
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            with _ended_by_sigterm():
                return super().invoke(ctx)
        except Stopped as error:
            click.echo(f"Stopped: {error}", err=True)
            raise SystemExit(128 + signal.SIGTERM) from None
        except KerasganError as error:
            raise click.ClickException(str(error)) from error
        except MemoryError as error:
            raise click.ClickException(
                "out of memory; close other programs or take less"
            ) from error
        except BrokenPipeError:
            raise  # Whoever read the output has enough of it; click ends quietly.
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{place}{error.strerror or error}") from error


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Makes SIGTERM, as of batch systems and `docker stop`, end a command as Ctrl-C does.

    What was begun is cleaned up, and the status is 143.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: Any) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kerasgan", prog_name="kerasgan")
def main() -> None:
    """Train denoising GANs, and restore noisy pictures: salt and pepper, other impulses, grain."""


for command in (
    train,
    evaluate,
    compare,
    denoise,
    inspect,
    corrupt,
    export,
    serve,
    benchmark,
    models,
):
    main.add_command(command)
