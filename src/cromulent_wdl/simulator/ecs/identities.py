"""Ids that nobody can guess, made many at a time: each question to the system lets go of the interpreter."""

from __future__ import annotations

import os
from collections.abc import Callable

__all__ = ["Identities"]

_BYTES = 16
_AT_ONCE = 256


class Identities:
    """Task ids of 32 hexadecimal digits. Not thread-safe: the caller holds the lock."""

    def __init__(self, source: Callable[[int], bytes] = os.urandom) -> None:
        self._source = source
        self._ready: list[str] = []

    def next(self) -> str:
        """Return an id that was never returned before."""
        if not self._ready:
            digits = self._source(_BYTES * _AT_ONCE).hex()
            self._ready = [digits[start : start + 2 * _BYTES] for start in range(0, len(digits), 2 * _BYTES)]
        return self._ready.pop()
