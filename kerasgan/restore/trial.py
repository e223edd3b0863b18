"""Trying out a .tflite file in a process of its own: a damaged one may crash whatever runs it."""

import os
import subprocess
import sys
from pathlib import Path

from kerasgan.errors import ModelError

_SECONDS = 120
# No network needs so much; a damaged one may ask for all there is, and have other programs ended.
_BYTES = 8 * 2**30
# The status of a process that has printed why.
_REFUSED = 3
# What the process runs; where this stands may not import what it is used by.
_PROGRAM = f"""
import contextlib
import sys
from pathlib import Path

from kerasgan.errors import KerasganError
from kerasgan.restore.litert import TFLiteModel

with contextlib.suppress(ImportError):  # Windows
    import resource

    allowed = [limit for limit in resource.getrlimit(resource.RLIMIT_AS) if limit >= 0]
    least = min([{_BYTES}, *allowed])
    resource.setrlimit(resource.RLIMIT_AS, (least, least))
try:
    TFLiteModel(Path(sys.argv[1]))
except KerasganError as error:
    sys.stdout.buffer.write(str(error).encode())
    sys.stdout.flush()
    sys.exit({_REFUSED})
"""


def try_out(path: Path) -> None:
    """Loads and runs a file in a process that may crash.

    Nothing is tried where there is no Python to start: in a program that carries its own.

    Args:
        path: a .tflite file.

    Raises:
        ModelError: if it cannot be loaded or run, or ends the process, or does not end.
    """
    if not sys.executable or getattr(sys, "frozen", False):
        return
    # What this process finds, the other finds, and -P nothing that lies in the current folder.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-P", "-c", _PROGRAM, str(path)]
    try:
        result = subprocess.run(
            command, env=environment, capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{path} cannot be run: it takes more than {_SECONDS} s") from error
    if result.returncode == _REFUSED:
        raise ModelError(result.stdout.decode())
    if result.returncode:
        last = result.stderr.decode(errors="replace").strip().splitlines()[-1:]
        reason = last[0] if result.returncode > 0 and last else f"status {result.returncode}"
        raise ModelError(f"{path} cannot be run: it is damaged, and ends LiteRT ({reason})")
