"""The call cache on disk: one JSON file for each result, and a link to the latest one for each set of input paths.

::

    cromulent-1/NAME/TASK_DIGEST/KEY_DIGEST.json
    cromulent-1/NAME/recent/INPUTS_DIGEST -> ../TASK_DIGEST/KEY_DIGEST.json

Files are replaced whole, so that readers need no lock. The number is raised when their meaning changes.
"""

from __future__ import annotations

import errno
import logging
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from WDL._util import StructuredLogMessage

from .cache_key import Call, CallKey

__all__ = ["CACHE", "Entry", "Store"]

CACHE = "cromulent-1"


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

    def key(self) -> CallKey:
        """Return what decided the result; which paths its inputs had is not known."""
        return CallKey(Call(self.name, self.task_digest, ""), self.inputs, self.configuration)


class Store:
    """Entries in a directory, for any number of threads and processes."""

    def __init__(self, directory: str, logger: logging.Logger) -> None:
        self._root = os.path.join(directory, CACHE)
        self._logger = logger

    def knows_task(self, call: Call) -> bool:
        """Whether there may be entries for the call's task; never so for a workflow."""
        return os.path.isdir(f"{self._root}/{call.name}/{call.task_digest}")

    def read(self, key: CallKey) -> Entry | None:
        """Return the entry of the key, if there is one."""
        return self._read(f"{self._root}/{key.call.name}/{_relative(key)}")

    def recent(self, call: Call) -> Entry | None:
        """Return the latest entry of a call with this name and these input paths."""
        return self._read(self._link(call))

    def write(self, entry: Entry, key: CallKey) -> None:
        """Put an entry in the place of that of the same key, as its call's latest. Raises OSError."""
        try:
            content = msgspec.json.encode(entry)
        except UnicodeEncodeError as error:
            raise OSError(errno.EILSEQ, "one of its files has a name that is not UTF-8") from error
        _replace(f"{self._root}/{key.call.name}/{_relative(key)}", lambda path: _write(path, content))
        self.point(key)

    def point(self, key: CallKey) -> None:
        """Have the key's entry be the latest of its call."""
        link, target = self._link(key.call), f"../{_relative(key)}"
        with suppress(OSError):  # only words depend on it, and some file systems have no links
            try:
                _make(link, lambda path: os.symlink(target, path))
            except FileExistsError:
                if os.readlink(link) != target:
                    _replace(link, lambda path: os.symlink(target, path))

    def use(self, key: CallKey) -> bool:
        """Note that the key's entry is used, by its time stamp; return whether it is still there (tidying.py)."""
        try:
            os.utime(f"{self._root}/{key.call.name}/{_relative(key)}")
        except FileNotFoundError:
            return False
        except OSError:
            pass  # somebody else's cache, that we may read
        return True

    def _link(self, call: Call) -> str:
        return f"{self._root}/{call.name}/recent/{call.inputs_digest}"

    def _read(self, file: str) -> Entry | None:
        try:
            with open(file, "rb", buffering=0) as opened:
                return msgspec.json.decode(opened.read(), type=Entry)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            self._logger.warning(StructuredLogMessage("call cache entry unreadable", file=file, error=str(error)))
            return None


def _relative(key: CallKey) -> str:
    return f"{key.call.task_digest}/{key.digest}.json"


def _write(file: str, content: bytes) -> None:
    with open(file, "wb", buffering=0) as opened:
        opened.write(content)


def _replace(file: str, make: Callable[[str], object]) -> None:
    """Make a file under another name and move it to its own."""
    temporary = os.path.join(os.path.dirname(file), f".{uuid.uuid4().hex}")
    try:
        _make(temporary, make)
        os.replace(temporary, file)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _make(file: str, make: Callable[[str], object]) -> None:
    """Make a file, and its directory if that is lacking."""
    try:
        make(file)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(file), exist_ok=True)
        make(file)
