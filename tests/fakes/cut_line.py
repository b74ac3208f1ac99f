"""A line to a socket that can be cut, as when an engine is restarted under those who wait on it, or a network goes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from cromulent_wdl.clock import SYSTEM

__all__ = ["Line", "line", "network_line"]

_HOST = "127.0.0.1"


class Line:
    """Passes on what is said at one socket to another, both ways."""

    def __init__(self, reach: Callable[[], socket.socket], rate: float = 0.0) -> None:
        self._reach = reach
        self._rate = rate
        """Bytes a second, each way on each connection; 0: as fast as it goes."""
        self._up = threading.Event()
        self._flows = threading.Event()
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self.mend()

    def cut(self) -> None:
        """Break off all connections and accept no more."""
        with self._lock:
            self._up.clear()
            self._flows.set()
            for end in self._ends:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def hold(self) -> None:
        """Let nothing through and say nothing, as where packets are lost; what was said arrives once it is mended."""
        self._flows.clear()

    def mend(self) -> None:
        """Let through what is said, and accept connections again."""
        self._up.set()
        self._flows.set()

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
            try:
                far = self._reach()
            except OSError:
                near.close()
                continue
            with self._lock:
                if not self._up.is_set():  # it was cut meanwhile
                    near.close()
                    far.close()
                    continue
                self._ends |= {near, far}
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def close(self) -> None:
        """Close every connection."""
        self.cut()
        with self._lock:
            for end in self._ends:
                end.close()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        """Pass on both ways until both are done, and close the ends."""
        back = threading.Thread(target=self._pass_on, args=(far, near), daemon=True)
        back.start()
        self._pass_on(near, far)
        back.join(60)
        with self._lock:
            self._ends -= {near, far}
            near.close()
            far.close()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait(60)
                if self._rate:
                    SYSTEM.sleep(len(data) / self._rate)
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def line(near: Path, far: Path) -> Iterator[Line]:
    """Listen at one socket and pass on to the other until the end of the block."""

    def reach() -> socket.socket:
        end = socket.socket(socket.AF_UNIX)
        end.connect(str(far))
        return end

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(near))
        listener.listen(64)
        with _served(Line(reach), listener) as made:
            yield made


@contextlib.contextmanager
def network_line(port: Callable[[], int], rate: float = 0.0) -> Iterator[tuple[Line, int]]:
    """Listen at a port, which is yielded with the line, and pass on to another that may come to be known later."""
    with socket.create_server((_HOST, 0), backlog=512) as listener:
        made = Line(lambda: socket.create_connection((_HOST, port())), rate)
        with _served(made, listener):
            yield made, listener.getsockname()[1]


@contextlib.contextmanager
def _served(made: Line, listener: socket.socket) -> Iterator[Line]:
    thread = threading.Thread(target=made.serve, args=(listener,))
    thread.start()
    try:
        yield made
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(60)
        made.close()
