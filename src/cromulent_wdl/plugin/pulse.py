"""One thread that does for all running tasks what each would otherwise have to wake up for.

miniwdl's termination flag is set by a signal and wakes nobody, and its stderr follower reads only when it is
called. The pulse looks at both while tasks run, and sleeps while none does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from ..backends.seam import Cancellation

__all__ = ["Pulse"]

_TERMINATION_INTERVAL = 0.1
"""Seconds. No setting: it is a look at a flag in memory, and who presses Ctrl-C expects no less."""
_STDERR_EVERY = 5
"""Stderr is read every fifth beat: quick enough for eyes, cheap for thousands of files."""


class _Watched(msgspec.Struct, eq=False):
    terminating: Callable[[], bool]
    follow: Callable[[], None] | None
    cancelled: Cancellation = msgspec.field(default_factory=Cancellation)
    following: threading.Lock = msgspec.field(default_factory=threading.Lock)
    """Held while `follow` runs: it must be called by one thread at a time."""


class Pulse:
    """Watches tasks between entering and leaving `watching`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: set[_Watched] = set()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(
        self, terminating: Callable[[], bool], follow: Callable[[], None] | None = None
    ) -> Iterator[Cancellation]:
        """Yield a switch that is put on soon after `terminating()` is true; call `follow` now and then.

        `terminating` is miniwdl's flag, which is one for the whole process. After the block `follow` is not
        called any more, so the caller may call it a last time itself.
        """
        watched = _Watched(terminating, follow)
        with self._changed:
            self._watched.add(watched)
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="cromulent-pulse", daemon=True)
                self._thread.start()
            elif len(self._watched) == 1:
                self._changed.notify()
        try:
            yield watched.cancelled
        finally:
            with self._changed:
                self._watched.remove(watched)
            with watched.following:
                watched.follow = None

    def _beat(self) -> None:
        beats = 0
        while True:
            with self._changed:
                while not self._watched:
                    self._changed.wait()
                one = next(iter(self._watched))
            threading.Event().wait(_TERMINATION_INTERVAL)
            beats += 1
            stop = one.terminating()
            if stop or beats % _STDERR_EVERY == 0:
                with self._changed:
                    concerned = [each for each in self._watched if stop or each.follow is not None]
                for watched in concerned:
                    self._serve(watched, stop)

    @staticmethod
    def _serve(watched: _Watched, stop: bool) -> None:
        try:
            if stop:
                watched.cancelled.cancel()
            with watched.following:
                if watched.follow is not None:
                    watched.follow()
        except Exception:  # thread top: one task's trouble must not end the pulse of all others
            logging.getLogger(__name__).exception("the pulse stumbled over a task")
