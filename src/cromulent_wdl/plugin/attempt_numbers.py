"""The numbers of a call's attempts, of which an earlier head of the run may have made some.

The engine makes a working directory for an attempt before anybody knows whether one of an earlier head's is taken over
in its place. So a directory is no sign that an attempt was begun; its streams are, which are made when that is decided.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from ..storage.layout import attempt_directory, last_attempt, last_begun

__all__ = ["AttemptNumbers"]


class AttemptNumbers:
    """Those of one call under one head."""

    def __init__(self, directory: str, *, elastic: bool) -> None:
        self._directory = directory
        self._before = last_attempt(directory)
        self.begun = last_begun(directory) if elastic else 0
        """Of the last attempt that an earlier head had begun, until it is known what becomes of it; else 0."""
        self._taken = 0

    def of(self, tries: int) -> int:
        """Return the number of the attempt under way, which is the engine's so-manieth."""
        return self._taken or self._before + tries

    def take_over(self, agreed: Callable[[], bool]) -> bool:
        """Have the earlier head's attempt be the one under way, if there is one and that is agreed to."""
        self._taken, self.begun = self.begun, 0
        if not self._taken:
            return False
        if agreed():
            with suppress(OSError):  # the engine has put something into it
                os.rmdir(os.path.join(self._directory, attempt_directory(self._before + 1)))
            return True
        self._taken = 0
        return False

    def renew(self) -> None:
        """Have the engine's next attempt be the one under way."""
        self._taken = 0
