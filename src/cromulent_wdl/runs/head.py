"""Whether the head of a run still lives, as far as this machine can tell."""

from __future__ import annotations

import socket

from ..model import RunStarted

__all__ = ["is_alive"]

_CLOCK_SLACK = 2.0
"""Seconds by which the kernel's notion of when a process began may differ from the wall clock."""


def is_alive(started: RunStarted) -> bool:
    """Whether the process that began the run exists. A head on another machine is taken to live."""
    if started.host != socket.gethostname():
        return True
    import psutil

    try:
        process = psutil.Process(started.pid)
        if process.status() == psutil.STATUS_ZOMBIE:  # dead, and its parent has not taken note
            return False
        return bool(process.create_time() <= started.at + _CLOCK_SLACK)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
