"""Digests that outlive the process: a small SQLite database that is never worth an error.

Whatever is wrong with it (read-only, locked, full, damaged), the answer is "not known" and files are read again.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from ..clock import SYSTEM, Clock
from ..model.file_state import FileState
from .layout import DIGESTS, cache_directory

__all__ = ["DigestMemory", "users_memory"]

_DAY = 86400
_KEPT_DAYS = 90
_PATIENCE_SECONDS = 0.5
"""How long to wait for another process's write. Reading a file again is not much slower than that."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS digests (
    place TEXT PRIMARY KEY,  -- device and inode; as text, since both may exceed SQLite's integers
    state TEXT NOT NULL,     -- size, modification and change time
    digest TEXT NOT NULL,
    used INTEGER NOT NULL    -- day of last use
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS digests_by_use ON digests (used);
"""


class DigestMemory:
    """Remembers digests by file state, for any number of threads and processes."""

    def __init__(self, file: Path, clock: Clock = SYSTEM) -> None:
        self._file = file
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._usable = True
        self._openings = 3  # that may fail

    def recall(self, state: FileState) -> str | None:
        """Return the digest of the file in exactly this state, if it is known."""
        rows = self._execute("SELECT digest, used FROM digests WHERE place = ? AND state = ?", _key(state))
        if not rows:
            return None
        digest, used = rows[0]
        if used != self._today():
            self._execute("UPDATE digests SET used = ? WHERE place = ?", (self._today(), state.place))
        return str(digest)

    def remember(self, state: FileState, digest: str) -> None:
        """Remember a digest, in place of that of an earlier state of the file."""
        self._execute("REPLACE INTO digests VALUES (?, ?, ?, ?)", (*_key(state), digest, self._today()))

    def close(self) -> None:
        """Close the database; what is asked afterwards is not known."""
        with self._lock:
            self._usable = False
            self._disconnect()

    def _today(self) -> int:
        return int(self._clock.now() // _DAY)

    def _execute(self, statement: str, values: tuple[str | int, ...]) -> list[tuple[str, int]]:
        with self._lock:
            if not self._usable:
                return []
            try:
                if self._connection is None:
                    self._connect()
                assert self._connection is not None
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.OperationalError:  # locked or full: perhaps not so the next time
                self._openings -= self._connection is None
                self._usable = self._openings > 0
            except sqlite3.DatabaseError:
                self._discard()
            return []

    def _connect(self) -> None:
        # The lock serialises its use, so one connection serves all threads.
        connection = sqlite3.connect(
            self._file, timeout=_PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")  # in WAL mode: no fsync for each row, no damage either
            connection.executescript(_SCHEMA)
            connection.execute("DELETE FROM digests WHERE used < ?", (self._today() - _KEPT_DAYS,))
        except sqlite3.Error:
            connection.close()
            raise
        self._connection = connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _discard(self) -> None:
        """Give up a damaged database, and remove it so that the next process begins anew."""
        self._usable = False
        self._disconnect()
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                Path(f"{self._file}{suffix}").unlink()


def _key(state: FileState) -> tuple[str, str]:
    return state.place, state.content


def users_memory() -> DigestMemory | None:
    """Return what this user's processes remember together; None where it has no place, and files are read each time."""
    try:
        return DigestMemory(cache_directory() / DIGESTS)
    except OSError:
        return None
