"""The guardian of a head: a process that outlives it just long enough to clean up.

`python -m cromulent_wdl.backends.guardian PIPE ENTRY` waits, blocked, for the pipe from the head. A byte is the
farewell of a head that has cleaned up itself. The end of the pipe without one means that the head died: then
everything that carries its id is ended. All the while the guardian holds the lock of the head's entry, so the
cores and memory that the head had reserved are free when it exits, and not before.

It is there for as long as the head is, so it imports next to nothing until it has something to do.
"""

import os
import sys

_SECOND_LOOK = 1.0
"""Seconds that an engine of this machine may take to begin what it was asked; no setting, as nobody waits for it."""


def main() -> None:
    """Wait for the end of the head whose pipe and entry the command line names, and clean up after it."""
    pipe, entry = int(sys.argv[1]), sys.argv[2]
    if os.read(pipe, 1):
        os._exit(0)  # the head waits for it, and nothing here is left to be put away
    from pathlib import Path

    from ..clock import SYSTEM
    from .aftermath import clean_up, leave_note, remove_containers

    first = clean_up(Path(entry), remove_containers)
    # What the head asked of an engine with its last breath may be there only now.
    SYSTEM.sleep(_SECOND_LOOK)
    leave_note(Path(entry), first.plus(clean_up(Path(entry), remove_containers)))


if __name__ == "__main__":
    main()
