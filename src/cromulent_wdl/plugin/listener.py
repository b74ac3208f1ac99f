"""Hears in miniwdl's log the moments for which miniwdl has no plugin hook: two of a call, and the signal to stop.

A call that becomes ready is announced by `ready`, one whose outputs come from the call cache by `done (cached)`, a
signal by `aborting workflow`; all but the second in structured messages. Which run and call they belong to is known
from the directory that the same thread announced before (`workflow start`, `task setup`).
"""

from __future__ import annotations

import logging
import os
import threading

from WDL._util import StructuredLogMessage

from ..clock import SYSTEM
from ..model import CallCached, CallQueued
from . import session
from .cache import last_hit_origin

__all__ = ["CallListener", "listen"]


class _Current(threading.local):
    directory: str = ""
    name: str = ""


class CallListener(logging.Handler):
    """Turns `ready` and `done (cached)` into journal events, and remembers what stopped a run."""

    def __init__(self) -> None:
        super().__init__(level=logging.INFO)
        self._current = _Current()

    def handle(self, record: logging.LogRecord) -> bool:
        """Take a record; without the handler's lock, as nothing here is shared between threads."""
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Take the record if it is one of those, and remember the directory that the thread works in."""
        message = record.msg
        if isinstance(message, StructuredLogMessage):
            if message.message in ("workflow start", "task setup"):
                self._current.directory = message.kwargs["dir"]
                self._current.name = message.kwargs["name"]
            elif message.message == "ready":
                self._queued(str(message.kwargs["job"]), str(message.kwargs["callee"]))
            elif message.message == "aborting workflow" and "signal" in message.kwargs:
                self._stopped(message.kwargs["signal"])
        elif message == "done (cached)":
            self._cached()

    def _queued(self, job: str, callee: str) -> None:
        directory = os.path.join(self._current.directory, job)
        if (run := session.find(directory)) is not None:
            run.record(CallQueued(SYSTEM.now(), run.call_path(directory), callee))

    def _cached(self) -> None:
        directory = self._current.directory
        if (run := session.find(directory)) is not None:
            run.record(CallCached(SYSTEM.now(), run.call_path(directory), self._current.name, last_hit_origin() or ""))

    def _stopped(self, number: int) -> None:
        if (run := session.find(self._current.directory)) is not None:
            run.stopped_by = number


_listener: CallListener | None = None


def listen() -> None:
    """Hear miniwdl's log from now on; a second call changes nothing."""
    global _listener
    if _listener is None:
        _listener = CallListener()
        logging.getLogger("wdl").addHandler(_listener)
