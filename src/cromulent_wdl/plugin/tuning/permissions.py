"""Adds permission bits to a task's files with one look at each.

At the end of a task miniwdl resolves the path of every file in its directory twice, to see that it lies within, and
sets its mode whether or not it has the bits already. Here the place of each directory is resolved and checked, its
entries are changed through its descriptor, links are never followed, and a mode that is right already is left.
What may be told apart: the change time of a file whose mode was right already.
"""

from __future__ import annotations

import os
import stat
from types import ModuleType

from .replacement import Replacement

__all__ = ["PERMISSIONS"]


def _replace(task: ModuleType) -> None:
    original = task.chmod_R_plus

    def chmod_R_plus(path: str, file_bits: int = 0, dir_bits: int = 0) -> None:
        """Add bits to the modes of a directory, its files and subdirectories; do not follow symbolic links."""
        if not os.path.isdir(path):
            original(path, file_bits, dir_bits)
            return
        if not os.path.islink(path):
            _add(path, dir_bits)
        top = os.path.realpath(path)
        for place, directories, files, descriptor in os.fwalk(top, onerror=_fail):
            if (os.path.realpath(place) + os.sep).startswith(top + os.sep):
                for name in directories:
                    _add(name, dir_bits, descriptor)
                for name in files:
                    _add(name, file_bits, descriptor)

    task.chmod_R_plus = chmod_R_plus  # type: ignore[attr-defined]


def _add(name: str, bits: int, directory: int | None = None) -> None:
    assert 0 <= bits < 0o10000
    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    mode = stat.S_IMODE(status.st_mode)
    # Not ours: let the system refuse, as it refuses the original.
    if not stat.S_ISLNK(status.st_mode) and (mode | bits != mode or status.st_uid != os.geteuid()):
        os.chmod(name, mode | bits, dir_fd=directory)


def _fail(error: OSError) -> None:
    raise error


PERMISSIONS = Replacement("permissions", "WDL.runtime.task", ("chmod_R_plus",), "254c557a5b2283bf88ab", _replace)
