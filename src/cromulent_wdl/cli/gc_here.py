"""What old runs on this machine left: their directories, wherever they are, and results of the call cache."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from ..errors import JournalError
from ..plugin.tidying import Disk, tidy
from ..runs.index import Entry, entries
from ..runs.removal import note
from ..runs.status import FINAL
from ..runs.watch import Watch
from . import ui
from .configuration import effective
from .deployment import agreed
from .finding import in_cloud
from .gc import Wish
from .gc_cloud import disk_lines
from .options import RunOptions

__all__ = ["collect_here"]

_DECLINED = 1


def collect_here(wish: Wish) -> int | None:
    """Do it; return the exit status."""
    here = [entry for entry in entries() if not in_cloud(entry.directory)]
    over = {entry.directory: _is_over(entry.directory) for entry in here}
    going_on = [entry for entry in here if not over[entry.directory]]
    since = min([wish.before, *(entry.begun for entry in going_on)])
    runs = _old([entry for entry in here if over[entry.directory]], wish)
    disk = Disk(tuple(entry.directory for entry in runs), _cache())
    said = tidy(disk, since, larger_than=wish.larger_than)
    lines = disk_lines(said, "on this machine")
    for line in lines or ["There is nothing to remove."]:
        ui.note(line)
    for entry in runs if lines else ():
        if entry.run_id in said.runs:
            ui.note(f"  {ui.short_path(str(entry.directory))}")
    if not lines or wish.dry_run:
        return None
    if not agreed("Remove it, with the outputs in these directories?", yes=wish.yes):
        ui.note("Nothing was removed.")
        return _DECLINED
    done = tidy(disk, since, larger_than=wish.larger_than, remove=True)
    for entry in runs:
        if entry.run_id in done.in_part:
            note(entry.directory, "gc")
    ui.note("Removed.")
    return None


def _old(over: list[Entry], wish: Wish) -> list[Entry]:
    return [entry for entry in over[wish.keep_last :] if entry.begun < wish.before]


def _is_over(directory: Path) -> bool:
    """Whether a run has ended; of one whose record cannot be read nobody can tell."""
    try:
        return Watch(directory, of_run_only=True).status().state in FINAL
    except JournalError:
        return False


def _cache() -> Path:
    """Return where the call cache of this machine is, as miniwdl finds it."""
    cfg = effective(RunOptions(source=""), logging.getLogger("cromulent.config"))
    return Path(os.path.join(cfg["file_io"]["root"], cfg["call_cache"]["dir"]))
