"""Makes miniwdl cheaper where it costs most, without a fork: named functions are replaced while it runs.

Only the `cromulent` command does so (`install`). Each replacement has a file of its own, which says what it saves, what
it keeps, and what it may be told apart by; `docs/upstream` offers each to miniwdl's authors. It is applied only where
the source of every function that it replaces or relies on is the one that it was written for, so another version of
miniwdl is left alone. CROMULENT_TUNING=off leaves all of miniwdl alone; a list of names allows only those. Read
`installation.py` first.
"""

from .installation import PARSING, install, state

__all__ = ["PARSING", "install", "state"]
