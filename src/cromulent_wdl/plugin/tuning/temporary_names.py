"""Names temporary files by chance rather than by time and place.

miniwdl writes each JSON file of a task under another name first, made unique by `uuid1`. That asks a daemon for the
time, by a socket of its own each time, though there rarely is one: as much as writing the file costs. `uuid4`
takes random bits instead. What may be told apart: the temporary name.
"""

from __future__ import annotations

import os
import uuid
from types import ModuleType

from .replacement import Replacement

__all__ = ["NAMES"]


def _replace(tools: ModuleType) -> None:
    def write_atomic(contents: str, filename: str, end: str = "\n") -> None:
        """Write a text file that is there whole or not at all."""
        temporary = f"{filename}.tmp.{uuid.uuid4()}"
        with open(temporary, "w") as file:
            print(contents, file=file, end=end)
        os.rename(temporary, filename)

    tools.write_atomic = write_atomic  # type: ignore[attr-defined]


NAMES = Replacement("names", "WDL._util", {"write_atomic": "e701eacba17c81567837"}, _replace)
