"""A directory in which a simulator's state outlives it (`--state`).

::

    version      which simulator made it; another one refuses it
    lock         held while a simulator uses it
    port         the last port, taken again where it is free: URLs of queues have it in them
    ecs.json     our engine's: clusters, definitions, tasks; and what AWS itself tagged
    services/    everything else of AWS, as ministack writes it
    objects/     S3's objects
    files/       EFS's file systems

Objects and files are there at once; the rest is written two seconds after it changed, and at the end, so a `kill -9`
takes at most these seconds. Each file is written whole or not at all.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..files import write_whole
from .errors import StateUnusable
from .settings import HOST

__all__ = ["Keeping", "Saver", "listen"]

_FORMAT = 1
_INTERVAL = 2.0
_PORTION = 10
"""After a save that took long, the next one waits so many times as long."""


class Keeping:
    """The directory. Make one by `open`; it is let go when the process ends."""

    def __init__(self, directory: Path, lock: int) -> None:
        self._directory = directory
        self._lock = lock
        self.files = directory / "files"
        self.objects = directory / "objects"
        self.services = directory / "services"

    @classmethod
    def open(cls, directory: Path, base_version: str) -> Keeping:
        """Make or take up the directory. Raises StateUnusable where another uses it, or another kind made it."""
        version = f"{_FORMAT} on ministack {base_version}\n"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            directory.chmod(0o711)  # an access point's user must reach the file systems in it
            lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = directory / "version"
            if not found.exists():
                write_whole(found, version.encode())
            if found.read_text() != version:
                raise StateUnusable(
                    f"{directory} was made by another version of the simulator ({found.read_text().strip()})",
                    hint="take another directory, or remove this one",
                )
            keeping = cls(directory, lock)
            for each in (keeping.files, keeping.objects, keeping.services):
                each.mkdir(exist_ok=True)
        except BlockingIOError as error:
            raise StateUnusable(f"another simulator uses {directory}") from error
        except OSError as error:
            raise StateUnusable(f"cannot keep state in {directory}: {error.strerror}") from error
        return keeping

    def require_reachable(self) -> None:
        """Raise StateUnusable where only we can reach the files: processes of tasks are other users."""
        for parent in self._directory.resolve().parents:
            if not parent.stat().st_mode & stat.S_IXOTH:
                raise StateUnusable(
                    f"tasks cannot reach files in {self._directory}: only its owner may enter {parent}",
                    hint="take a directory elsewhere, /var/tmp/… for one",
                )

    @property
    def port(self) -> int:
        """The port at which the last simulator answered, or 0."""
        with suppress(OSError, ValueError):
            return int((self._directory / "port").read_text())
        return 0

    def note_port(self, port: int) -> None:
        """Keep the port."""
        write_whole(self._directory / "port", f"{port}\n".encode())

    def read_ecs(self) -> bytes:
        """Return what was kept of ECS, or nothing."""
        with suppress(FileNotFoundError):
            return (self._directory / "ecs.json").read_bytes()
        return b""

    def write_ecs(self, content: bytes) -> None:
        """Keep what there is of ECS."""
        write_whole(self._directory / "ecs.json", content)


class Saver:
    """Saves what has changed, on a thread of its own, and what is left at the end."""

    def __init__(self, changes: Callable[[], int], save: Callable[[], None]) -> None:
        self._changes = changes
        self._save = save
        self._saved = -1
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="state", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Save once more, and stop."""
        self._over.set()
        self._thread.join()
        self._save_changes()

    def _run(self) -> None:
        from ..clock import SYSTEM

        pause = _INTERVAL
        while not self._over.wait(pause):
            begun = SYSTEM.monotonic()
            self._save_changes()
            pause = max(_INTERVAL, _PORTION * (SYSTEM.monotonic() - begun))

    def _save_changes(self) -> None:
        changes = self._changes()
        if changes != self._saved:
            self._save()
            self._saved = changes


def listen(port: int, last: int, backlog: int) -> socket.socket:
    """Listen at a port, or where none is asked for at the last one if it is free. Raises OSError."""
    if not port and last:
        with suppress(OSError):
            return socket.create_server((HOST, last), backlog=backlog)
    return socket.create_server((HOST, port), backlog=backlog)
