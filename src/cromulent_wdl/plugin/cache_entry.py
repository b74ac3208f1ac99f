"""The call cache on disk: one JSON file for each result, and a link to the latest one for each set of input paths.

::

    cromulent-1/NAME/TASK_DIGEST/KEY_DIGEST.json
    cromulent-1/NAME/recent/INPUTS_DIGEST -> ../TASK_DIGEST/KEY_DIGEST.json

Files are replaced whole, so that readers need no lock. The number is raised when their meaning changes.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from WDL._util import StructuredLogMessage

from .cache_key import Call, CallKey

__all__ = ["Entry", "Store"]

_DIRECTORY = "cromulent-1"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A call's result, and what must still be so for it to be used again."""

    name: str
    task_digest: str
    inputs: dict[str, str]
    configuration: dict[str, str]
    directory: str
    """Of the call that made the result."""
    image: str = ""
    image_digest: str = ""
    outputs: dict[str, Any]
    """In miniwdl's JSON form, which has the type that the task declares."""
    files: dict[str, str]
    """Fingerprints of the files and directories among the outputs."""
    fetched: dict[str, str] = {}
    """Content of what was downloaded for the task beside its inputs: its default values. Directories end in '/'."""
    present: dict[str, str] = {}
    """Content of what the task found beside its WDL source."""
    absent: list[str] = []
    """What it looked for there and did not find."""

    def key(self, inputs_digest: str = "") -> CallKey:
        """Return what decided the result."""
        return CallKey(Call(self.name, self.task_digest, inputs_digest), self.inputs, self.configuration)


class Store:
    """Entries in a directory, for any number of threads and processes."""

    def __init__(self, directory: str, logger: logging.Logger) -> None:
        self._root = Path(directory, _DIRECTORY)
        self._logger = logger

    def knows_task(self, call: Call) -> bool:
        """Whether there may be entries for the call's task; never so for a workflow."""
        return os.path.isdir(self._root / call.name / call.task_digest)

    def read(self, key: CallKey) -> Entry | None:
        """Return the entry of the key, if there is one."""
        return self._read(self._file(key))

    def recent(self, call: Call) -> Entry | None:
        """Return the latest entry of a call with this name and these input paths."""
        return self._read(self._link(call))

    def write(self, entry: Entry, call: Call) -> None:
        """Put an entry in the place of that of the same key. Raises OSError."""
        file, link = self._file(entry.key()), self._link(call)
        _replace(file, lambda temporary: temporary.write_bytes(msgspec.json.encode(entry)))
        target = os.path.relpath(file, link.parent)
        with suppress(OSError):  # only words depend on it, and some file systems have no links
            if not (link.is_symlink() and os.readlink(link) == target):
                _replace(link, lambda temporary: temporary.symlink_to(target))

    def _file(self, key: CallKey) -> Path:
        return self._root / key.call.name / key.call.task_digest / f"{key.digest}.json"

    def _link(self, call: Call) -> Path:
        return self._root / call.name / "recent" / call.inputs_digest

    def _read(self, file: Path) -> Entry | None:
        try:
            return msgspec.json.decode(file.read_bytes(), type=Entry)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            self._logger.warning(StructuredLogMessage("call cache entry unreadable", file=str(file), error=str(error)))
            return None


def _replace(file: Path, make: Callable[[Path], object]) -> None:
    """Make a file under another name and move it to its own."""
    temporary = file.with_name(f".{uuid.uuid4().hex}")
    try:
        try:
            make(temporary)
        except FileNotFoundError:
            file.parent.mkdir(parents=True, exist_ok=True)
            make(temporary)
        os.replace(temporary, file)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
