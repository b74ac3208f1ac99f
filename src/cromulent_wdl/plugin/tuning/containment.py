"""Has the system follow the links of paths, where miniwdl asks whether one lies within the other.

It asks so four times for every output. Each time `realpath` looks at every directory above both paths, and what it
finds is taken apart. Here Linux tells the path of what is opened by a name, in as many steps for long paths as for
short ones, and the texts are compared. Nothing is opened for reading. What may be told apart: nothing; where Linux does
not tell, as of a file that is not there, `realpath` does.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

from .replacement import Replacement

__all__ = ["CONTAINMENT"]

_REMOVED = " (deleted)"
"""What Linux appends to the path of something that was removed since it was opened."""


def _replace(containers: ModuleType) -> None:
    from WDL.runtime import _io_helpers

    if sys.platform == "linux":
        for user in (containers, _io_helpers):
            user.path_really_within = path_really_within  # type: ignore[attr-defined]


def path_really_within(lhs: str, rhs: str) -> bool:
    """Tell whether the left path, when links are followed, is the right one or lies below it."""
    inner, outer = _real(lhs), _real(rhs)
    return inner == outer or inner.startswith(outer.rstrip("/") + "/")


def _real(path: str) -> str:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            real = os.readlink(f"/proc/self/fd/{opened}")
        finally:
            os.close(opened)
    except OSError:
        return os.path.realpath(path)
    is_path = real.startswith("/") and not real.endswith(_REMOVED)
    return real if is_path else os.path.realpath(path)


CONTAINMENT = Replacement(
    "containment", "WDL.runtime.task_container", {"path_really_within": "71c1272f76a7665ffd12"}, _replace
)
