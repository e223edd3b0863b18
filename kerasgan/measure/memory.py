"""How much memory a process takes."""

import math
from pathlib import Path


def peak_mib() -> float:
    """The most memory that this process has held, in MiB; NaN on Windows, where nothing tells."""
    # What getrusage tells on Linux includes the process that started this one.
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="utf-8").splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 2**10
    try:
        import resource
    except ImportError:  # Windows
        return math.nan
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
