"""Room for what is under way: so many requests, and so many bytes of them."""

from __future__ import annotations

import threading

from .refusals import Abandoned

__all__ = ["Pace", "Room"]


_FIRST = 2
_QUICK_SECONDS = 1.0
_MORE = 1.1


class Pace:
    """How many requests one caller has under way: one more for each that was quick, or showed the line to bear more.

    By a line that is full many at once would all end at the end: no bar would move, and what is killed would have
    nothing to go on with.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._best = 0.0
        self.at_once = min(_FIRST, most)

    def came(self, size: int, seconds: float, at_once: int) -> None:
        """Hear of a request that has ended: how long it took, among how many."""
        rate = size / max(seconds, 1e-6) * at_once
        if seconds < _QUICK_SECONDS or rate > self._best * _MORE:
            self.at_once = min(self.at_once + 1, self._most)
        self._best = max(self._best, rate)


class Room:
    """Who wants in waits until there is room; one that is too large for it goes alone."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._inside = 0
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    def enter(self, size: int) -> None:
        """Wait for room and take it. Raises Abandoned once it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._has_room(size))
            if self._closed:
                raise Abandoned
            self._inside += 1
            self._bytes += size

    def leave(self, size: int) -> None:
        """Give room back."""
        with self._changed:
            self._inside -= 1
            self._bytes -= size
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody in any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _has_room(self, size: int) -> bool:
        if not self._inside:
            return True
        return self._inside < self._most and self._bytes + size <= self._most_bytes
