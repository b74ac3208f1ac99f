"""Names temporary files by chance rather than by time and place.

miniwdl makes every JSON file and every link to an output under another name first, made unique by `uuid1`. That asks
a daemon for the time, by a socket of its own each time, though there rarely is one: as much as writing the file costs.
`uuid4` takes random bits instead. What may be told apart: the temporary name.
"""

from __future__ import annotations

import uuid
from types import ModuleType, SimpleNamespace

from .replacement import Replacement

__all__ = ["NAMES"]


def _replace(tools: ModuleType) -> None:
    tools.uuid = SimpleNamespace(**{**vars(uuid), "uuid1": uuid.uuid4})  # type: ignore[attr-defined]


NAMES = Replacement(
    "names", "WDL._util", {"write_atomic": "e701eacba17c81567837", "symlink_force": "50710af72f39a2e3acaa"}, _replace
)
