"""What tells one state of a file from another without reading it."""

from __future__ import annotations

import os
from typing import NamedTuple

__all__ = ["FileState"]


class FileState(NamedTuple):
    """A file as it was when it was looked at; the change time cannot be set back."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileState:
        """Return the state that a status tells of."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    @property
    def place(self) -> str:
        """Where the file is."""
        return f"{self.device}:{self.inode}"

    @property
    def content(self) -> str:
        """What changes when it is written to."""
        return f"{self.size}:{self.mtime_ns}:{self.ctime_ns}"
