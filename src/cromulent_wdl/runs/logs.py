"""Where the texts lie that a run and its calls wrote, and reading them while they grow."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from ..clock import Clock
from ..errors import RunNotFound
from ..storage import layout
from .status import FINAL, CallStatus, RunStatus

__all__ = ["awaited_call", "call_directory", "call_log", "find_call", "growing", "run_log"]

_POLL_INTERVAL = 0.25
"""Seconds. No setting: it is a look at files, and eyes see nothing sooner."""
_CHUNK = 1 << 20


def run_log(directory: Path, status: RunStatus) -> Path:
    """Return the file with miniwdl's log of the whole run."""
    if (directory / layout.CLOUD).exists():
        return directory / layout.HEAD_LOG
    lone_task = status.started is not None and status.started.kind == "task"
    return directory / (layout.CALL_LOG if lone_task else layout.RUN_LOG)


def call_directory(directory: Path, call: CallStatus) -> Path | None:
    """Return the directory of a call of the run in `directory`: a cached call's is where it was made, if known.

    For a run in the cloud that is another one, whose copy lies beside it if this machine has one.
    """
    if call.origin:
        return directory.parent / call.origin
    return directory / call.directory if call.directory else None


def call_log(directory: Path, call: CallStatus, *, stdout: bool = False) -> Path | None:
    """Return the file with the last attempt's standard error (or output), None before there can be one."""
    place = call_directory(directory, call)
    attempt = call.attempts[-1].number if call.attempts else 1
    return place / layout.stream_file("stdout" if stdout else "stderr", attempt) if place else None


def find_call(name: str, status: RunStatus) -> CallStatus:
    """Return the call of that path, or the only one that begins so; of `align[2-reads]` it is enough to say `align[2]`.

    Raises RunNotFound with what was meant perhaps.
    """
    if name in status.calls:
        return status.calls[name]
    matches = _matches(name, status)
    if len(matches) == 1:
        return matches[0]
    paths = [call.path for call in matches] or difflib.get_close_matches(name, list(status.calls), n=5)
    sentence = f"'{name}' fits {len(matches)} calls" if matches else f"the run has no call '{name}'"
    shown = ", ".join(paths[:5]) + (" …" if len(paths) > 5 else "")
    hint = None if matches or not paths else f"did you mean {shown}?"
    run = status.started.run_id if status.started else "RUN"
    raise RunNotFound(
        sentence + (f": {shown}" if matches else ""), hint=hint or f"`cromulent status {run}` lists its calls"
    )


def awaited_call(name: str, look: Callable[[], RunStatus], clock: Clock) -> CallStatus:
    """Return the call of that name once it is among the run's. Raises RunNotFound when the run ends without it."""
    while True:
        status = look()
        if _matches(name, status) or status.state in FINAL:
            return find_call(name, status)
        clock.sleep(_POLL_INTERVAL)


def _matches(name: str, status: RunStatus) -> list[CallStatus]:
    """Return the calls that the name fits; miniwdl puts behind the index of a scatter what it is over, where it can."""
    beginning = re.compile(re.sub(r"\\\[(\d+)\\\]", r"\\[\1(?:-[^]]*)?\\]", re.escape(name)))
    return [call for path, call in status.calls.items() if beginning.match(path) or call.name == name]


def growing(file: Callable[[], Path | None], clock: Clock, more: Callable[[], bool]) -> Iterator[bytes]:
    """Yield the file's content, then what is added, for as long as `more()` is true.

    `file` is asked again and again: when it names another file (the next attempt's), that one is read from
    its beginning. What does not exist yet is waited for.
    """
    current, offset = file(), 0
    while True:
        last = not more()
        while chunk := _read(current, offset):
            offset += len(chunk)
            yield chunk
        following = file()
        if following != current:
            current, offset = following, 0
        elif last:
            return
        else:
            clock.sleep(_POLL_INTERVAL)


def _read(path: Path | None, offset: int) -> bytes:
    if path is None:
        return b""
    try:
        with path.open("rb", buffering=0) as file:
            return os.pread(file.fileno(), _CHUNK, offset)
    except FileNotFoundError:
        return b""
