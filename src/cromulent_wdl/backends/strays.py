"""Finds and ends the processes that a head started, wherever they went: each carries the head's mark.

The mark is an environment variable, which children inherit. A process that shed it is still found as a
descendant of one that did not, or as a member of its process group.
"""

from __future__ import annotations

import os
from contextlib import suppress

import psutil

from .heads import MARK

__all__ = ["end_strays", "strays"]

_ROUNDS = 5
_GRACE = 1.0


def strays(head: str) -> list[psutil.Process]:
    """Return this user's processes that carry the head's mark, with their descendants and groups."""
    mine = _processes_of(os.getuid())
    found = {pid for pid, process in mine.items() if _carries(process, head)}
    if not found:
        return []
    groups = {group for group in map(_group, found) if group is not None}
    found |= {pid for pid in mine if _group(pid) in groups}
    parents = {pid: _parent(process) for pid, process in mine.items()}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return [mine[pid] for pid in sorted(found)]


def end_strays(head: str) -> int:
    """End whatever `strays` finds, until it finds nothing, and return how many processes that were."""
    ended: set[int] = set()
    for _ in range(_ROUNDS):
        found = strays(head)
        if not found:
            break
        ended |= {process.pid for process in found}
        for process in found:
            with suppress(psutil.Error):
                process.terminate()
        _, stubborn = psutil.wait_procs(found, timeout=_GRACE)
        for process in stubborn:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(stubborn, timeout=_GRACE)
    return len(ended)


def _processes_of(user: int) -> dict[int, psutil.Process]:
    processes = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error), process.oneshot():
            dead = process.status() == psutil.STATUS_ZOMBIE
            if process.uids().real == user and not dead and process.pid != os.getpid():
                processes[process.pid] = process
    return processes


def _carries(process: psutil.Process, head: str) -> bool:
    with suppress(psutil.Error):
        return bool(process.environ().get(MARK) == head)
    return False


def _group(pid: int) -> int | None:
    with suppress(OSError):
        return os.getpgid(pid)
    return None


def _parent(process: psutil.Process) -> int | None:
    with suppress(psutil.Error):
        return process.ppid()
    return None
