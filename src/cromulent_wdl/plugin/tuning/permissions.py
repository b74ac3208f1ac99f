"""Adds permission bits to a task's files with one look at each.

At the end of a task miniwdl resolves the path of every file in its directory twice, to see that it lies within, and
sets its mode whether or not it has the bits already. Here every directory is reached from the one above it through open
descriptors and never through a symbolic link, so what is changed lies within; a mode that is right already is left.
What may be told apart: the change time of a file whose mode was right already.
"""

from __future__ import annotations

import os
import stat
from types import ModuleType

from .replacement import Replacement

__all__ = ["PERMISSIONS"]

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def _replace(task: ModuleType) -> None:
    original = task.chmod_R_plus

    def chmod_R_plus(path: str, file_bits: int = 0, dir_bits: int = 0) -> None:
        """Add bits to the modes of a directory, its files and subdirectories; do not follow symbolic links."""
        if not os.path.isdir(path):
            original(path, file_bits, dir_bits)
            return
        _add(path, os.lstat(path), dir_bits)
        top = os.open(path, _DIRECTORY)
        try:
            _add_within(top, file_bits, dir_bits)
        finally:
            os.close(top)

    task.chmod_R_plus = chmod_R_plus  # type: ignore[attr-defined]


def _add_within(directory: int, file_bits: int, dir_bits: int) -> None:
    with os.scandir(directory) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            if not stat.S_ISDIR(status.st_mode):
                _add(entry.name, status, file_bits, directory)
                continue
            _add(entry.name, status, dir_bits, directory)
            below = os.open(entry.name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
            try:
                _add_within(below, file_bits, dir_bits)
            finally:
                os.close(below)


def _add(name: str, status: os.stat_result, bits: int, directory: int | None = None) -> None:
    assert 0 <= bits < 0o10000
    mode = stat.S_IMODE(status.st_mode)
    # Not ours: let the system refuse, as it refuses the original.
    if not stat.S_ISLNK(status.st_mode) and (mode | bits != mode or status.st_uid != os.geteuid()):
        os.chmod(name, mode | bits, dir_fd=directory)


PERMISSIONS = Replacement("permissions", "WDL.runtime.task", {"chmod_R_plus": "254c557a5b2283bf88ab"}, _replace)
