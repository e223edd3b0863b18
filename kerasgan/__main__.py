"""The command line as `python -m kerasgan`."""

from kerasgan.cli import main

main(prog_name="kerasgan")
