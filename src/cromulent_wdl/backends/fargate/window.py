"""What every task sees of the shared file system beside its run: the deployment's access point, read-only."""

from __future__ import annotations

import os
import posixpath
import stat
from dataclasses import dataclass

__all__ = ["FILES", "Window"]

FILES = "/mnt/cromulent-files"
"""Where the access point is mounted in every task."""


@dataclass(frozen=True)
class Window:
    """The directory of the file system that is the access point's root, and as whom tasks read through it."""

    root: str = "/"
    user: int | None = None
    """The user id that the access point gives to all; None for one that gives none, where only others' bits count."""

    def shows(self, inside: str) -> str | None:
        """Return under which path a task sees what the file system knows as `inside`, or None where it does not."""
        relative = posixpath.relpath(inside, posixpath.join("/", self.root))
        if relative == ".." or relative.startswith("../"):
            return None
        return posixpath.normpath(posixpath.join(FILES, relative))

    def leads_to(self, seen: str) -> str | None:
        """Return the file system's path of what tasks see under a path below `FILES`, or None for another path."""
        if seen != FILES and not seen.startswith(FILES + "/"):
            return None
        return posixpath.normpath(posixpath.join("/", self.root, posixpath.relpath(seen, FILES)))

    def readable(self, status: os.stat_result) -> bool:
        """Whether the mode of a file or directory lets it be read through the access point."""
        needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(status.st_mode) else 0)
        if self.user is not None and status.st_uid == self.user:
            needed <<= 6
        return self.user == 0 or status.st_mode & needed == needed
