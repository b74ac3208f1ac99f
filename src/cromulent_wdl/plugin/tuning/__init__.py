"""Makes miniwdl cheaper where it costs most, without a fork: named functions are replaced while it runs.

The `cromulent` command does so (`install`); plain `miniwdl run` gets the little that is `PLAIN`, and only with our
backend. Each replacement has a file of its own, which says what it saves, what it keeps, and what it may be told apart
by; `docs/upstream` offers each to miniwdl's authors. It is applied only where the source of every function that it
replaces or relies on is the one that it was written for, so another version of miniwdl is left alone.
CROMULENT_TUNING=off leaves all of miniwdl alone; a list of names allows only those. Read `installation.py` first.
"""

from .installation import PARSING, PLAIN, install, state

__all__ = ["PARSING", "PLAIN", "install", "state"]
