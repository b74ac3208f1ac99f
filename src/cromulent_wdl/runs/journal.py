"""A run's journal: one event a line, appended by the run's head and read by everybody else.

A line is in the kernel's hands when `append` returns, so a killed head loses no event and leaves at most one
torn line at the end. Readers pass over that line, and the next head of the run takes it away.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import JournalError
from ..model import Event, from_json, to_json

__all__ = ["JournalReader", "JournalWriter"]

_RUN_EVENT = b'"event":"run_'
_CHUNK = 64 * 1024


class JournalWriter:
    """Appends events to a journal, from any thread. Raises JournalError when the file cannot be opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lost = 0
        """Events that could not be written, as on a full disk. The run goes on without them."""
        self._lock = threading.Lock()
        self._listeners: list[Callable[[Event], None]] = []
        try:
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            _drop_torn_line(self._file)
        except OSError as error:
            raise JournalError(f"the journal {path} cannot be written: {error.strerror}") from error

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call the listener with each event once it is written, in the journal's order, one at a time."""
        self._listeners.append(listener)

    def append(self, event: Event) -> None:
        """Write the event and tell the listeners. Never fails for the disk's sake: see `lost`."""
        # A file name that is no UTF-8 reaches us with lone surrogates; as JSON escapes they come back as they were.
        line = (to_json(event) + "\n").encode(errors="backslashreplace")
        with self._lock:
            if not self._write(line):
                self.lost += 1
            for listener in self._listeners:
                listener(event)

    def close(self) -> None:
        """Close the file; events that come later are lost."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1  # the kernel may give the old number to another file

    def _write(self, line: bytes) -> bool:
        """Write all of the line or nothing; return whether it was written."""
        written = 0
        try:
            while written < len(line):
                written += os.write(self._file, line[written:])
        except OSError:
            if written:
                os.ftruncate(self._file, os.fstat(self._file).st_size - written)
            return False
        return True


def _drop_torn_line(file: int) -> None:
    size = whole = os.fstat(file).st_size
    while size:
        start = max(0, size - _CHUNK)
        end = os.pread(file, size - start, start).rfind(b"\n") + 1
        size = start + end
        if end:
            break
    if size != whole:
        os.ftruncate(file, size)


class JournalReader:
    """Reads a journal, and later what was added since. Raises JournalError when the file is no journal that we know."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._line = 0

    def new(self, *, of_run_only: bool = False) -> Iterator[Event]:
        """Yield the events that were not yielded before; what is unknown and a torn end are passed over.

        With `of_run_only` the events of calls are skipped, unparsed.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        return
                    self._offset += len(line)
                    self._line += 1
                    if of_run_only and _RUN_EVENT not in line:
                        continue
                    if (event := self._parse(line)) is not None:
                        yield event
        except OSError as error:
            raise JournalError(f"the journal {self.path} cannot be read: {error.strerror}") from error

    def _parse(self, line: bytes) -> Event | None:
        try:
            return from_json(line.decode())
        except ValueError as error:
            raise JournalError(f"line {self._line} of {self.path} cannot be read: {error}") from error
