"""Under which paths of this machine the inputs of a run in the cloud were given, for the one who gave them.

Kept beside the copy of the run's record, on the machine that started it; others know the inputs by their addresses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

__all__ = ["Given", "keep_given"]

_FILE = "given.json"
_UPLOADED = re.compile(rb'(?<=")s3://[^"/]+/inputs/\w+/\w+/[^"/]+')


def keep_given(directory: Path, given: Mapping[str, str]) -> None:
    """Keep the paths by the addresses to which they were uploaded."""
    if given:
        (directory / _FILE).write_text(json.dumps(given), encoding="utf-8")


class Given:
    """What is kept in a directory, if anything is."""

    def __init__(self, directory: Path) -> None:
        try:
            given = json.loads((directory / _FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            given = {}
        self._paths = {_inside(address): _inside(path) for address, path in given.items()}

    def name_in(self, file: Path) -> None:
        """Have paths in the place of their addresses in a file of JSON."""
        if self._paths and file.suffix == ".json":
            content = file.read_bytes()
            named = _UPLOADED.sub(lambda found: self._paths.get(found[0], found[0]), content)
            if named != content:
                file.write_bytes(named)


def _inside(text: str) -> bytes:
    """Return a text as JSON has it between its quotation marks."""
    return json.dumps(text)[1:-1].encode()
