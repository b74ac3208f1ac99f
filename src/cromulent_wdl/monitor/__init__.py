"""One thread that watches every ECS task of the process.

`roster.py`, which is pure and the file to read first, knows which tasks are watched, which are to be looked at now,
and what follows from what was seen. `watcher.py` is the thread: it asks ECS in hundreds, reads the names that ended
tasks leave in one directory a run, and wakes whoever waits. Files and answers are only hints and facts about ids:
losing or repeating one changes when something is noticed, never what.
"""

from .roster import Began, Lost, News, Over, Stuck, Waits
from .watcher import Monitor, Ticket

__all__ = ["Began", "Lost", "Monitor", "News", "Over", "Stuck", "Ticket", "Waits"]
