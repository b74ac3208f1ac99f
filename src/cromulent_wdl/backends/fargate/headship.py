"""Who leads a run: a lock on a file in its directory, which the kernel or the file server frees when its head dies.

It holds across hosts, as far as the file system's locks do; EFS's do, and a host that is gone loses its locks after a
minute or two.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from contextlib import suppress
from pathlib import Path

from ...clock import SYSTEM, Clock
from ...errors import UsageError
from ...storage.layout import HEAD_LOCK
from .errand import NOBODY, Asked
from .gate import Cancelled

__all__ = ["Headship", "is_led"]


class Headship:
    """This process as the head of a run, until `leave`."""

    def __init__(self, lock: int) -> None:
        self._lock = lock

    @classmethod
    def take(
        cls, run: Path, patience: float, clock: Clock = SYSTEM, pause: float = 0.5, asked: Asked = NOBODY
    ) -> Headship:
        """Become the run's head.

        Raises UsageError where another is, and stays so for as many seconds; Cancelled when told to stop; OSError.
        """
        file = run / HEAD_LOCK
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        began, told = clock.monotonic(), False
        while not _locked(lock):
            host, process = _holder(lock)
            if clock.monotonic() >= began + patience or host == socket.gethostname():  # of whose death we would know
                os.close(lock)
                raise UsageError(
                    f"another head leads the run in {run}: process {process} on {host}",
                    hint="wait until it has ended, or run in another directory",
                )
            if asked.stopping():
                os.close(lock)
                raise Cancelled
            if not told:
                asked.telling(f"process {process} on {host} led the run, and may be alive: for {patience:g} s at most")
            told = True
            clock.sleep(pause)
        os.ftruncate(lock, 0)
        os.pwrite(lock, json.dumps({"host": socket.gethostname(), "pid": os.getpid()}).encode(), 0)
        return cls(lock)

    def leave(self) -> None:
        """Let another lead the run."""
        os.close(self._lock)


def is_led(run: Path) -> bool:
    """Tell whether a head of the run in this directory lives."""
    try:
        lock = os.open(run / HEAD_LOCK, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _locked(lock)
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: int) -> tuple[str, str]:
    """Return the host and the process of who has the lock, as far as it has said so."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        found = json.loads(os.pread(lock, 4096, 0))
        return str(found["host"]), str(found["pid"])
    return "another host", "?"
