"""What this process may use of the machine: containers and batch systems give less than all."""

import os
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")


def processors() -> int:
    """Counts the processors that this process may use, at least one.

    Returns:
        Those that its affinity allows, as SLURM and taskset set it, or the whole ones that its
        control group is given time for, as Docker and Kubernetes do; whichever are fewer.
    """
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    return max(1, int(min(allowed, _processor_time())))


def memory() -> float:
    """Returns the bytes of memory that this process may use: the machine's, or its group's."""
    if not hasattr(os, "sysconf"):  # Windows
        return float("inf")
    whole = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    of_group = _number(_GROUPS / "memory.max", _GROUPS / "memory" / "memory.limit_in_bytes")
    return min(whole, of_group)


def _processor_time() -> float:
    """Seconds of processors that the control group is given in a second."""
    try:
        quota, period = (_GROUPS / "cpu.max").read_text(encoding="ascii").split()
        return float("inf") if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    quota_of_old = _number(_GROUPS / "cpu" / "cpu.cfs_quota_us")
    period_of_old = _number(_GROUPS / "cpu" / "cpu.cfs_period_us")
    known = 0 < quota_of_old < float("inf") and 0 < period_of_old < float("inf")
    return quota_of_old / period_of_old if known else float("inf")


def _number(*files: Path) -> float:
    """The number in the first of these files that holds one; infinity where none does."""
    for file in files:
        try:
            return float(int(file.read_text(encoding="ascii")))
        except (OSError, ValueError):  # Also where it says "max".
            continue
    return float("inf")
