"""Settings: one frozen tree in which every value knows where it came from.

`settings.py` declares them, each with its default and its help. `sources.py` finds values in flags, the
environment, miniwdl's configuration and `cromulent.toml`, in that order, and refuses what it does not know.
"""

from .settings import Settings
from .sources import Origin, Resolved, find_project_file, resolve

__all__ = ["Origin", "Resolved", "Settings", "find_project_file", "resolve"]
