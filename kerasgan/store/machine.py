"""What this process may use of the machine: containers and batch systems give less than all."""

import os
from collections.abc import Iterator
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


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
    """Returns the bytes of memory that this process may use: the machine's, or its groups'."""
    if not hasattr(os, "sysconf"):  # Windows
        return float("inf")
    whole = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    new = (_number(folder / "memory.max") for folder in _folders(""))
    old = (_number(folder / "memory.limit_in_bytes") for folder in _folders("memory"))
    return min(whole, *new, *old)


def _processor_time() -> float:
    """Seconds of processors that the control groups are given in a second."""
    new = (_share(folder / "cpu.max") for folder in _folders(""))
    old = (
        _share(folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")
        for folder in _folders("cpu")
    )
    return min(*new, *old)


def _folders(controller: str) -> Iterator[Path]:
    """Lists this process' control group and those around it, each of which may set a limit.

    A container sees its own group as the outermost one; a batch system's lies further in.

    Args:
        controller: "cpu" or "memory" of version 1 of control groups; "" for version 2.
    """
    try:
        lines = _OWN_GROUPS.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        lines = []
    own = ""
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            own = path.strip("/")
    # Two controllers may be mounted as one, which links then name.
    root = _GROUPS / controller
    inner = root / own
    yield inner
    while inner != root:
        inner = inner.parent
        yield inner


def _share(*files: Path) -> float:
    """The quota over the period that files hold, together; infinity where they set none."""
    try:
        words = [word for file in files for word in file.read_text(encoding="ascii").split()]
        quota, period = map(int, words)
        return quota / period if quota > 0 and period > 0 else float("inf")
    except (OSError, ValueError):  # Also where it says "max".
        return float("inf")


def _number(file: Path) -> float:
    """The number that a file holds; infinity where it holds none."""
    try:
        return float(int(file.read_text(encoding="ascii")))
    except (OSError, ValueError):
        return float("inf")
