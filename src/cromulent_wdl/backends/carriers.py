"""Finds the processes that carry a head's mark in their environment.

It is the first look for strays (`strays.py`), and at the end of nearly every run the only one. So it reads `/proc`
itself where there is one: importing psutil, and what that looks at besides, would be a tenth of a short run.
"""

from __future__ import annotations

import os
from contextlib import suppress

from .heads import MARK

__all__ = ["carriers"]


def carriers(head: str) -> set[int]:
    """Return the ids of the processes with the head's mark, as far as their environment may be read."""
    return _in_proc(f"{MARK}={head}".encode()) if os.path.exists("/proc/self/environ") else _by_psutil(head)


def _in_proc(mark: bytes) -> set[int]:
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{name}/environ", "rb", 0) as environment:  # gone, or another user's
            if mark in (environment.read() or b"").split(b"\0"):
                found.add(int(name))
    return found


def _by_psutil(head: str) -> set[int]:
    import psutil

    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == head:
                found.add(process.pid)
    return found
