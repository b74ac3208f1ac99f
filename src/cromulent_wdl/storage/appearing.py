"""Files of a network file system that another host has just written.

A client that has looked for a file in vain may go on saying for a minute that there is none; to list its directory
makes it look again (facts 33, 34).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from ..clock import Clock

__all__ = ["appear", "missing_of"]

_FIRST_PAUSE, _LONGEST_PAUSE = 1 / 1200, 1 / 30
"""Between two looks, of all the time that there is for it: of a minute, 0.05 and 2 seconds."""


def appear(path: Path, clock: Clock, patience: float) -> bool:
    """Return whether the file is there, looking anew for as many seconds before the answer is no."""
    return not missing_of([path], clock, patience)


def missing_of(
    paths: Iterable[Path], clock: Clock, patience: float, listing: Callable[[Path], object] = os.listdir
) -> list[Path]:
    """Return those of the files that are not there, looking anew for as many seconds while there are any.

    Links count as what they are, whatever they lead to. Directories of what is missing are listed each time.
    """
    missing = [path for path in paths if not os.path.lexists(path)]
    deadline, pause = clock.monotonic() + patience, patience * _FIRST_PAUSE
    while missing:
        for directory in {path.parent for path in missing}:
            with suppress(OSError):  # a directory that is itself late
                listing(directory)
        missing = [path for path in missing if not os.path.lexists(path)]
        left = deadline - clock.monotonic()
        if not missing or left <= 0:
            break
        clock.sleep(min(pause, left))
        pause = min(2 * pause, patience * _LONGEST_PAUSE)
    return missing
