"""The command line. Commands import what needs TensorFlow only when they run."""

from typing import Any

import click

from kerasgan.cli.benchmark import benchmark
from kerasgan.cli.compare import compare
from kerasgan.cli.evaluate import evaluate
from kerasgan.cli.export import export
from kerasgan.cli.models import models
from kerasgan.cli.pictures import corrupt, denoise
from kerasgan.cli.train import train
from kerasgan.errors import KerasganError


class _Commands(click.Group):
    """Turns every failure that a person can act on into one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KerasganError as error:
            raise click.ClickException(str(error)) from error
        except MemoryError as error:
            raise click.ClickException(
                "out of memory; close other programs or take less"
            ) from error
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{place}{error.strerror or error}") from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kerasgan", prog_name="kerasgan")
def main() -> None:
    """Train denoising GANs and restore pictures that salt-and-pepper noise has damaged."""


for command in (train, evaluate, compare, denoise, corrupt, export, benchmark, models):
    main.add_command(command)
