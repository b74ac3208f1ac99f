"""What of this machine its tasks may use: less than all of it in a batch job, or in a container."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from .limits import Hierarchy, own_groups

__all__ = ["cores_and_memory", "tightest"]


def cores_and_memory() -> tuple[int, int]:
    """Return the cores and the bytes of memory that this process and its children have."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        own = own_groups(Path("/proc/self/cgroup").read_text(), Path("/proc/self/mountinfo").read_text())
    except (OSError, ValueError):
        own = []
    return cores, tightest(own, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def tightest(groups: Iterable[Hierarchy], total: int) -> int:
    """Return the smallest of the limits on these cgroups and those above them, at most `total`."""
    for group in groups:
        for level in (group.base, *group.base.parents):
            try:
                total = min(total, int((level / group.limit).read_text()))
            except (OSError, ValueError):
                continue  # no such file, or `max`
    return total
