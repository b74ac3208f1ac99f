"""A line to a socket that can be cut, as when an engine is restarted under those who wait on it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Line", "line"]


class Line:
    """Passes on what is said at one socket to another, both ways."""

    def __init__(self, far: Path) -> None:
        self._far = far
        self._up = threading.Event()
        self._up.set()
        self._lock = threading.Lock()
        self._ends: list[socket.socket] = []

    def cut(self) -> None:
        """Break off all connections and accept no more."""
        with self._lock:
            self._up.clear()
            for end in self._ends:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Accept connections again."""
        self._up.set()

    def serve(self, listener: socket.socket) -> None:
        """Accept connections until the listener is shut down."""
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            if not self._up.is_set():
                near.close()
                continue
            far = socket.socket(socket.AF_UNIX)
            far.connect(str(self._far))
            with self._lock:
                self._ends += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()

    def close(self) -> None:
        """Close every connection."""
        self.cut()
        for end in self._ends:
            end.close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def line(near: Path, far: Path) -> Iterator[Line]:
    """Listen at one socket and pass on to the other until the end of the block."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(near))
        listener.listen(64)
        made = Line(far)
        thread = threading.Thread(target=made.serve, args=(listener,))
        thread.start()
        try:
            yield made
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            made.close()
