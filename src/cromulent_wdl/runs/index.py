"""This machine's list of the user's runs, so that they are found wherever they lie.

Each run is a symbolic link to its directory; making one is atomic, so heads need no lock. The link's name is
the run id and a digest of the directory, as runs in different directories may have the same id; its own time
stamp is when the run was last begun.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from ..clock import SYSTEM, Clock
from ..storage import layout

__all__ = ["Entry", "entries", "register"]


class Entry(msgspec.Struct, frozen=True):
    """A run on the list."""

    run_id: str
    directory: Path
    begun: float
    """When, in seconds since the epoch, the run was put on the list."""


def register(directory: Path, clock: Clock = SYSTEM) -> bool:
    """Put a run that begins on the list; return whether that was possible. Never raises: no run fails for it."""
    place = os.path.abspath(directory)
    digest = hashlib.sha256(os.fsencode(place)).hexdigest()[:12]
    try:
        link = layout.runs_directory() / f"{os.path.basename(place)}~{digest}"
        link.unlink(missing_ok=True)
        link.symlink_to(place)
        now = clock.now()  # the kernel's own stamp may be the same for runs a few milliseconds apart
        os.utime(link, (now, now), follow_symlinks=False)
    except OSError:
        return False
    return True


def entries() -> list[Entry]:
    """Return the runs on the list, the newest first; those whose directory is gone are taken off it."""
    found = []
    for link in os.scandir(layout.runs_directory()):
        try:
            directory = Path(os.readlink(link.path))
            if directory.is_dir():
                begun = link.stat(follow_symlinks=False).st_mtime_ns / 1e9
                found.append(Entry(directory.name, directory, begun))
            else:
                os.unlink(link.path)
        except OSError:
            continue  # taken off by somebody else meanwhile, or nothing of ours
    return sorted(found, key=lambda entry: (entry.begun, entry.run_id), reverse=True)
