"""Ends commands when their run is cancelled: asks, and after a grace insists. One thread for all of them."""

from __future__ import annotations

import threading
from collections import deque

from ...clock import Clock
from .running import Running

__all__ = ["Stopper"]


class Stopper:
    """Stops commands: SIGTERM at once, SIGKILL when the grace is over."""

    def __init__(self, grace: float, clock: Clock) -> None:
        self._grace = grace
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[tuple[float, Running]] = deque()
        self._thread: threading.Thread | None = None

    def stop(self, running: Running) -> None:
        """Have the command stopped; returns at once, and the command's own thread sees its end."""
        running.terminate()
        with self._lock:
            self._waiting.append((self._clock.monotonic() + self._grace, running))
            if self._thread is None:
                self._thread = threading.Thread(target=self._insist, name="cromulent-stopper", daemon=True)
                self._thread.start()

    def _insist(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                deadline, running = self._waiting.popleft()  # one grace for all: the first is due first
            remaining = deadline - self._clock.monotonic()
            if remaining > 0:
                self._clock.sleep(remaining)
            running.kill()
