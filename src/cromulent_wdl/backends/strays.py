"""Finds and ends the processes that a head started, wherever they went: each carries the head's mark.

The mark is an environment variable, which children inherit. A process that shed it is still found as a
descendant of one that did not, or as a member of its process group.
"""

from __future__ import annotations

import os
from contextlib import suppress

import psutil

from ..clock import SYSTEM, Clock
from .carriers import carriers

__all__ = ["end_strays", "strays"]

_GRACE = 1.0
_LAST_WAIT = 15.0
_PAUSE = 0.05
"""Seconds. No settings: what was killed on this machine is gone in a moment, or hangs in the kernel."""


def strays(head: str) -> list[psutil.Process]:
    """Return this user's processes that carry the head's mark, with their descendants and groups."""
    marked = carriers(head)
    if not marked:
        return []  # as ever, but after an accident
    mine = _processes_of(os.getuid())
    found = marked & mine.keys()
    groups = {group for group in map(_group, found) if group is not None}
    found |= {pid for pid in mine if _group(pid) in groups}
    parents = {pid: _parent(process) for pid, process in mine.items()}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return [mine[pid] for pid in sorted(found)]


def end_strays(head: str, clock: Clock = SYSTEM) -> int:
    """End whatever `strays` finds, until it finds nothing, and return how many processes that were.

    Each is asked to end; those that are still there after a second, or come up then, are killed.
    """
    asked: set[int] = set()
    began = clock.monotonic()
    while (found := strays(head)) and clock.monotonic() < began + _LAST_WAIT:
        insist = clock.monotonic() > began + _GRACE
        for process in found:
            with suppress(psutil.Error):
                if insist:
                    process.kill()
                elif process.pid not in asked:
                    process.terminate()
        asked |= {process.pid for process in found}
        clock.sleep(_PAUSE)
    return len(asked)


def _processes_of(user: int) -> dict[int, psutil.Process]:
    processes = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error), process.oneshot():
            dead = process.status() == psutil.STATUS_ZOMBIE
            if process.uids().real == user and not dead and process.pid != os.getpid():
                processes[process.pid] = process
    return processes


def _group(pid: int) -> int | None:
    with suppress(OSError):
        return os.getpgid(pid)
    return None


def _parent(process: psutil.Process) -> int | None:
    with suppress(psutil.Error):
        return process.ppid()
    return None
