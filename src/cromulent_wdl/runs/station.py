"""A head's place in the bucket: where it says what happens, and hears that it is to stop.

One thread writes the journal's segments and looks for the run's stop object. No answer of S3's is waited for by
the run itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from ..aws import objects
from ..aws.access import Access
from ..clock import SYSTEM, Clock
from ..errors import AwsError, CredentialsError
from ..model import Event
from ..model.cloud_run import HeadRecord
from ..storage.bucket import RunKeys
from .segments import SegmentWriter

__all__ = ["Station"]

# No settings: a head has its place here before it has read the request, in which its settings are.
_SEGMENT_SECONDS = 1.0
"""How far those who follow the run are behind at most; a segment is a request, at $5 a million."""
_STOP_EVERY = 3
"""Beats between two looks for the stop object: a look is a request, at $0.40 a million."""
_FAREWELL = 30.0
"""Seconds for which the last segment is tried: a head that was told to end has two minutes for all that it does."""


class Station:
    """Writes a head's journal to the bucket, and calls `stop` once when the run is to stop."""

    def __init__(self, access: Access, bucket: str, keys: RunKeys, stop: Callable[[], None]) -> None:
        self._access = access
        self._bucket = bucket
        self._keys = keys
        self._stop = stop
        self._segments = SegmentWriter(access, bucket, keys)
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._work, name="cromulent-station", daemon=True)
        self.stop_asked = False
        """Whether somebody asked for a stop; a head that is told by a signal alone does not know who sent it."""

    def open(self, record: HeadRecord) -> None:
        """Say that a head is here, and begin."""
        number = sum(1 for _ in objects.listing(self._access, self._bucket, self._keys.heads)) + 1
        key = f"{self._keys.heads}{number:03}.json"
        objects.put(self._access, self._bucket, key, msgspec.json.encode(record))
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Take an event of the journal."""
        self._segments(event)

    def look(self) -> bool:
        """Look now whether the run is to stop."""
        try:
            self.stop_asked = objects.find(self._access, self._bucket, self._keys.stop) is not None
        except (AwsError, CredentialsError):
            return False  # it is looked for again
        return self.stop_asked

    def close(self, clock: Clock = SYSTEM, patience: float = _FAREWELL) -> None:
        """Write what waits."""
        self._left.set()
        if self._thread.is_alive():
            self._thread.join()
        end = clock.monotonic() + patience
        while not self._segments.flush() and clock.monotonic() < end:
            clock.sleep(1.0)

    def _work(self) -> None:
        beats = 0
        while not self._left.wait(_SEGMENT_SECONDS):
            self._segments.flush()
            beats += 1
            if beats % _STOP_EVERY == 0 and not self.stop_asked and self.look():
                self._stop()
