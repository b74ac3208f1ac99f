"""What a failed call left behind: its last words, the line that failed, the inputs that set it apart."""

from __future__ import annotations

import json
import os
import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..runs.logs import call_directory, call_log
from ..runs.status import CallStatus, RunStatus
from ..storage import layout
from ..units import format_bytes

__all__ = ["HIDDEN", "Evidence", "Input", "gather", "is_secret", "read_json", "tail_of"]

HIDDEN = "(hidden)"
_TAIL = 8192
_LINES = 5
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")
_SHELL_SAYS = re.compile(r"(?:\bcommand|/(?:ba|da)?sh|\bsh): (?:line )?(\d+): ")
_SECRET = re.compile(r"(?i)passw|secret|token|credential|api_?key|private_?key|access_?key")
_LONGEST = 60
_OUTLIER = 1.5
"""An input file so many times as large as any other's is worth a word."""


@dataclass(frozen=True)
class Input:
    """An input of a call, as text for people."""

    name: str
    value: str
    remark: str = ""


@dataclass(frozen=True)
class Evidence:
    """What was found in the failed call's directory."""

    last_words: tuple[str, ...] = ()
    """The last lines of standard error."""
    line: str = ""
    """The line of the command that the shell complained about."""
    line_number: int = 0
    inputs: tuple[Input, ...] = ()
    """Those that differ from other calls of the same name; for a lone call, its files."""
    build_log: Path | None = None
    stderr: Path | None = None


def gather(directory: Path, status: RunStatus, call: CallStatus) -> Evidence:
    """Read what the call left; what cannot be read is left out."""
    place = call_directory(directory, call)
    if place is None:
        return Evidence()
    stderr = call_log(directory, call)
    words = tail_of(stderr, _LINES) if stderr is not None else ()
    number, line = _failed_line(words, place / "command")
    build_log = place / layout.BUILD_LOG
    return Evidence(
        words,
        line,
        number,
        _telling_inputs(directory, status, call),
        build_log if build_log.is_file() else None,
        stderr if words else None,
    )


def tail_of(path: Path, lines: int) -> tuple[str, ...]:
    """Return the last lines of a text that are not empty, without what moves a terminal's cursor."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            text = file.read().decode(errors="replace")
    except OSError:
        return ()
    rows = [_ESCAPES.sub("", row.rpartition("\r")[2] or row) for row in text.replace("\r\n", "\n").split("\n")]
    last = [row.rstrip() for row in rows if row.strip()][-lines:]
    return tuple(textwrap.dedent("\n".join(last)).split("\n")) if last else ()


def is_secret(name: str) -> bool:
    """Tell whether a value of that name should not be shown."""
    return _SECRET.search(name) is not None


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; an empty one where it cannot be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _failed_line(words: Iterable[str], command: Path) -> tuple[int, str]:
    """Return the line of the command that the shell's last complaint names, and its number."""
    numbers = [int(found.group(1)) for word in words if (found := _SHELL_SAYS.search(word))]
    if not numbers:
        return 0, ""
    try:
        lines = command.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0, ""
    number = numbers[-1]
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    line = " ".join(_shortened(word) if word.startswith("/") else word for word in line.split(" "))
    return (number, line) if line else (0, "")


def _telling_inputs(directory: Path, status: RunStatus, call: CallStatus) -> tuple[Input, ...]:
    mine = _inputs_of(directory, call)
    others = [_inputs_of(directory, other) for other in _siblings(status, call)]
    others = [other for other in others if other]
    if others:
        names = [name for name in mine if any(other.get(name) != mine[name] for other in others)]
    else:
        names = [name for name, value in mine.items() if _files(value)]
    return tuple(_described(name, mine[name], [other.get(name) for other in others]) for name in names)


_SIBLINGS = 50
"""Of a wide scatter so many are compared; more would only take longer."""


def _siblings(status: RunStatus, call: CallStatus) -> list[CallStatus]:
    """Return other calls of the same scatter that came far enough to have inputs."""
    stem = re.sub(r"\[[^\]]*\]$", "", call.path)
    if stem == call.path:
        return []
    found = []
    for other in status.calls.values():
        if other.directory and other.path != call.path and other.path.startswith(stem + "["):
            found.append(other)
            if len(found) == _SIBLINGS:
                break
    return found


def _inputs_of(directory: Path, call: CallStatus) -> Mapping[str, Any]:
    place = call_directory(directory, call)
    return read_json(place / "inputs.json") if place is not None else {}


def _described(name: str, value: Any, others: list[Any]) -> Input:
    if is_secret(name):
        return Input(name, HIDDEN)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Input(name, _shortened(text), _size_remark(value, others))


def _size_remark(value: Any, others: list[Any]) -> str:
    size = _size(value)
    if size is None:
        return ""
    sizes = [other for each in others if (other := _size(each)) is not None]
    if not sizes:
        return format_bytes(size)
    if size == 0 and min(sizes) > 0:
        return "empty; the others are not"
    if size > _OUTLIER * max(sizes):
        return f"{format_bytes(size)}; the others are at most {format_bytes(max(sizes))}"
    if size * _OUTLIER < min(sizes):
        return f"{format_bytes(size)}; the others are at least {format_bytes(min(sizes))}"
    return format_bytes(size)


def _size(value: Any) -> int | None:
    """Return the bytes of a file, or of all files of an array; None where there are none here to be measured."""
    sizes = []
    for path in _files(value):
        try:
            sizes.append(os.stat(path).st_size)
        except OSError:
            return None
    return sum(sizes) if sizes else None


def _files(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str) and each.startswith("/") and os.path.isfile(each)]


def _shortened(text: str) -> str:
    """Return a long path by its last names, and other text by its beginning."""
    text = " ".join(text.split())
    if len(text) <= _LONGEST:
        return text
    if text.startswith(("/", "s3://")):
        return "…/" + "/".join(text.split("/")[-2:])
    return f"{text[: _LONGEST - 1]}…"
