"""What the live heads of this user hold on this machine: one small file a head, its lease.

A lease counts only while somebody holds its lock: the head, or the guardian that inherited the lock. The
kernel lets go of it when both are dead, so nothing that crashes can stay reserved. What cannot be read as
a lease counts as nothing.
"""

from __future__ import annotations

import fcntl
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from ..clock import SYSTEM, Clock
from ..storage.layout import heads_directory

__all__ = ["LEASE", "Holding", "Machine", "is_held", "write_holding"]

LEASE = "lease"
_RECORD = 96
"""Bytes of a lease. Fixed, so that a record is replaced by one write and never needs truncating."""
_PATIENCE = 1.0
_PAUSE = 0.001


class Holding(msgspec.Struct, frozen=True):
    """What one head holds, and since when its first waiting call waits."""

    cores: int = 0
    memory: int = 0
    waiting_since: float = 0.0
    """Monotonic seconds; 0 when nothing waits."""
    seen: float = 0.0
    """When the head last said that it still waits. A head that was stopped must not hold up the others."""

    def encode(self) -> bytes:
        """Return the lease's content."""
        text = f"{self.cores} {self.memory} {self.waiting_since:.6f} {self.seen:.6f}"
        return text.ljust(_RECORD - 1).encode() + b"\n"

    @classmethod
    def decode(cls, record: bytes) -> Holding:
        """Return what a lease says; nothing for what is torn or was written by somebody else."""
        try:
            cores, memory, since, seen = record.split()
            holding = cls(int(cores), int(memory), float(since), float(seen))
        except ValueError:
            return cls()
        return holding if holding.cores >= 0 and holding.memory >= 0 else cls()


def write_holding(lease: int, holding: Holding) -> None:
    """Replace the content of the lease that is open as this descriptor."""
    # A state directory on a full or broken disk costs the sharing among heads, not the run.
    with suppress(OSError):
        os.pwrite(lease, holding.encode(), 0)


def is_held(lease: int) -> bool:
    """Tell whether a live head, or its guardian, holds the lease that is open as this descriptor."""
    try:
        fcntl.flock(lease, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(lease, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except OSError:
        return False  # a file system without locks: nothing there can be told, so nothing is held up
    return False


class Machine:
    """The heads of this user on this machine, each a directory named by its id.

    A home directory may be shared by many machines, hence the node's name in the path.
    """

    def __init__(self, clock: Clock = SYSTEM) -> None:
        self.directory = heads_directory() / (platform.node() or "localhost")
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self._clock = clock
        self._lock = os.open(self.directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        """Let go of the lock's descriptor."""
        os.close(self._lock)

    def entries(self) -> list[Path]:
        """Return the directories of all heads, live or dead."""
        try:
            names = sorted(os.listdir(self.directory))
        except OSError:
            return []
        return [self.directory / name for name in names if not name.startswith(".")]

    def others(self, own_id: str) -> dict[str, Holding]:
        """Return what each other live head holds or waits for; heads that do neither are left out."""
        holdings = {}
        for entry in self.entries():
            if entry.name != own_id:
                holding = _read_live(entry / LEASE)
                if holding != Holding():
                    holdings[entry.name] = holding
        return holdings

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep the other heads from admitting anything within the block. Not for two threads at once.

        A head that was stopped (Ctrl-Z) within its block must not stop all others, so after a second the
        block is entered regardless: at worst the machine is shared a little too generously.
        """
        end = self._clock.monotonic() + _PATIENCE
        while not self._try_lock() and self._clock.monotonic() < end:
            self._clock.sleep(_PAUSE)
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a file system without locks
        return True


def _read_live(lease: Path) -> Holding:
    try:
        descriptor = os.open(lease, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return Holding()
    try:
        holding = Holding.decode(os.read(descriptor, _RECORD))
        return holding if holding == Holding() or is_held(descriptor) else Holding()
    except OSError:
        return Holding()
    finally:
        os.close(descriptor)
