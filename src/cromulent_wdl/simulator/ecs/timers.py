"""Things to do later: one heap, one thread, however many tasks."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from itertools import count

from ...clock import SYSTEM, Clock

__all__ = ["Timers"]


class Timers:
    """Calls functions when their time has come, in order, on its own thread once `start` was called.

    Without `start` nothing happens until somebody calls `run_due`: so do tests, with a clock of their own.
    """

    def __init__(self, clock: Clock = SYSTEM) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._closed = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to call what is due."""
        self._thread = threading.Thread(target=self._run, name="ecs-timers", daemon=True)
        self._thread.start()

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Call the action once, that many seconds from now, which may be none."""
        with self._changed:
            heapq.heappush(self._heap, (self._clock.monotonic() + seconds, next(self._order), action))
            if self._heap[0][2] is action:
                self._changed.notify()

    def next_due(self) -> float | None:
        """Return the time on the monotonic clock at which something is next to be done."""
        with self._changed:
            return self._heap[0][0] if self._heap else None

    def run_due(self) -> int:
        """Call all that is due now, and what that makes due, and return how many actions that was."""
        done = 0
        while (action := self._pop_due()) is not None:
            action()
            done += 1
        return done

    def close(self) -> None:
        """Stop; what was to be done later is forgotten."""
        with self._changed:
            self._closed = True
            self._heap.clear()
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _pop_due(self) -> Callable[[], None] | None:
        with self._changed:
            if not self._heap or self._heap[0][0] > self._clock.monotonic():
                return None
            return heapq.heappop(self._heap)[2]

    def _run(self) -> None:
        while True:
            self.run_due()
            with self._changed:
                if self._closed:
                    return
                wait = self._heap[0][0] - self._clock.monotonic() if self._heap else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
