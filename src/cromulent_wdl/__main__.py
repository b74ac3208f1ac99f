"""The `cromulent` command as a process of its own, which `python -m cromulent_wdl` is, too."""

from __future__ import annotations

import atexit
import os
import sys

from .cli.main import main

__all__ = ["process"]


def process() -> None:
    """Run the command line of this process and exit, without taking apart what was imported.

    Python does that module by module, for no purpose here: the system takes all back at once. What is to be done at
    the end is done before: threads are waited for, and the functions for this that are registered by then are called,
    of which ours is the last, since it is the first to be registered.
    """
    status: list[int] = []

    def leave() -> None:
        if status:  # else something went wrong on the way, which Python is to tell
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status[0])

    atexit.register(leave)
    try:
        main()
    except SystemExit as leaving:
        status.append(int(leaving.code or 0))
        raise


if __name__ == "__main__":
    process()
