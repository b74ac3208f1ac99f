"""A journal in a bucket: numbered segments, since an object cannot be appended to (docs/adr/0003-journal.md).

A head puts what has happened since the last segment into the next one, every second in which something has. The
head that comes after it goes on with the next number. Readers list what is new to them and read it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from ..aws import objects
from ..aws.access import Access
from ..errors import AwsError, CredentialsError, JournalError
from ..model import Event, from_json, to_json
from ..storage.bucket import RunKeys

__all__ = ["SegmentReader", "SegmentWriter"]

_MOST_BYTES = 1 << 20


class SegmentWriter:
    """Gathers events from any thread, and writes them when told to."""

    def __init__(self, access: Access, bucket: str, keys: RunKeys) -> None:
        self._access = access
        self._bucket = bucket
        self._keys = keys
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        last = [found.key for found in objects.listing(access, bucket, keys.journal)][-1:]
        self._number = _number(last[0]) + 1 if last else 1

    def __call__(self, event: Event) -> None:
        """Take an event."""
        line = (to_json(event) + "\n").encode(errors="backslashreplace")
        with self._lock:
            self._waiting.append(line)

    def flush(self) -> bool:
        """Write what waits; return whether that went well. What could not be written waits for the next time."""
        while self._waiting:
            with self._lock:
                part = _part(self._waiting)
            try:
                objects.put(self._access, self._bucket, self._keys.segment(self._number), b"".join(part))
            except (AwsError, CredentialsError):
                return False
            self._number += 1
            with self._lock:
                del self._waiting[: len(part)]
        return True


class SegmentReader:
    """Reads a journal's events as they come. Raises JournalError where a segment cannot be read."""

    def __init__(self, access: Access, bucket: str, keys: RunKeys, last: str = "") -> None:
        self._access = access
        self._bucket = bucket
        self._prefix = keys.journal
        self.last = last
        """The key of the last segment that was read."""

    def new(self) -> Iterator[Event]:
        """Yield the events that have come since the last time."""
        for found in list(objects.listing(self._access, self._bucket, self._prefix, after=self.last)):
            content = objects.get(self._access, self._bucket, found.key) or b""
            self.last = found.key
            for line in content.splitlines():
                event = _event(line, found.key)
                if event is not None:
                    yield event


def _number(key: str) -> int:
    return int(key.rpartition("/")[2].partition(".")[0])


def _part(lines: list[bytes]) -> list[bytes]:
    """Return as many of the first lines as make a segment."""
    size = 0
    for count, line in enumerate(lines, start=1):
        size += len(line)
        if size >= _MOST_BYTES:
            return lines[:count]
    return list(lines)


def _event(line: bytes, key: str) -> Event | None:
    try:
        return from_json(line.decode())
    except ValueError as error:
        raise JournalError(f"{key} cannot be read: {error}") from error
