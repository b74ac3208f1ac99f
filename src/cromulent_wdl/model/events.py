"""What is remembered of a run: one event a line of its `journal.jsonl`.

The JSON form is flat: `{"v": 1, "at": 1763840000.123, "event": "task_ended", "call": …}`. Readers
pass over events and fields that they do not know, so fields may be added within a version; a change of
meaning raises `VERSION`. See docs/adr/0003-journal.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Union, get_args

import msgspec

from .ecs_events import EcsTaskLaunched, EcsTaskStopped
from .outcome import Ending, Usage

__all__ = [
    "VERSION",
    "CallCached",
    "CallEnded",
    "CallQueued",
    "CallStarted",
    "EcsTaskLaunched",
    "EcsTaskStopped",
    "Event",
    "RunEnded",
    "RunStarted",
    "TaskEnded",
    "TaskImage",
    "TaskPlaced",
    "TaskStarted",
    "TaskWaiting",
    "from_json",
    "to_json",
]

VERSION = 1


class RunStarted(msgspec.Struct, frozen=True):
    """A head began the run."""

    at: float
    run_id: str
    name: str
    kind: str
    """`workflow` or `task`."""
    source: str
    pid: int
    host: str
    backend: str
    versions: Mapping[str, str] = {}


class RunEnded(msgspec.Struct, frozen=True):
    """The head ended the run."""

    at: float
    ending: Ending
    message: str = ""
    call: str = ""
    """The call whose failure ended the run, if one did."""


class CallQueued(msgspec.Struct, frozen=True):
    """All inputs of the call are known."""

    at: float
    call: str
    name: str


class CallStarted(msgspec.Struct, frozen=True):
    """The engine took the call up: inputs are being localised, then tasks are tried."""

    at: float
    call: str
    name: str
    directory: str
    """Relative to the run directory where it lies within."""


class CallCached(msgspec.Struct, frozen=True):
    """The call's outputs were found in the call cache."""

    at: float
    call: str
    name: str
    origin: str
    """The directory of the call that made the outputs."""


class CallEnded(msgspec.Struct, frozen=True):
    """The call has outputs, or has failed for good."""

    at: float
    call: str
    ending: Ending
    message: str = ""


class TaskPlaced(msgspec.Struct, frozen=True):
    """An attempt was given to a backend."""

    at: float
    call: str
    attempt: int
    backend: str
    why: str
    cpu: int = 0
    memory: int = 0
    memory_limit: int = 0
    disk: int | None = None
    """Bytes of disk asked for, if any were."""


class TaskWaiting(msgspec.Struct, frozen=True):
    """The attempt waits for something that another holds."""

    at: float
    call: str
    attempt: int
    why: str
    on: str = ""
    """The kind of thing, for counting: on AWS `room` (the account's quota, or addresses) or `capacity`; else empty."""


class TaskImage(msgspec.Struct, frozen=True):
    """The image that the attempt runs in."""

    at: float
    call: str
    attempt: int
    image: str
    digest: str
    """Of the content: the repository digest where the image has one, else the image id."""


class TaskStarted(msgspec.Struct, frozen=True):
    """The command runs."""

    at: float
    call: str
    attempt: int
    where: str
    """The container's id, or the process's."""


class TaskEnded(msgspec.Struct, frozen=True):
    """The attempt is over."""

    at: float
    call: str
    attempt: int
    ending: Ending
    exit_code: int | None = None
    message: str = ""
    usage: Usage = Usage()


Event = Union[
    RunStarted,
    RunEnded,
    CallQueued,
    CallStarted,
    CallCached,
    CallEnded,
    TaskPlaced,
    TaskWaiting,
    TaskImage,
    TaskStarted,
    EcsTaskLaunched,
    EcsTaskStopped,
    TaskEnded,
]


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


_CLASSES: dict[str, type[Any]] = {_snake(cls.__name__): cls for cls in get_args(Event)}
_NAMES = {cls: name for name, cls in _CLASSES.items()}
_ALL_FIELDS: dict[type[Any], tuple[str, ...]] = {cls: cls.__struct_fields__ for cls in _NAMES}
_FIELDS = {cls: tuple(name for name in names if name != "at") for cls, names in _ALL_FIELDS.items()}
_REQUIRED = {cls: names[: len(names) - len(cls.__struct_defaults__)] for cls, names in _ALL_FIELDS.items()}
_USAGE = Usage.__struct_fields__
_SCALARS = (str, int, float, type(None))
"""Asked about first: whether something is a Mapping takes Python a while to find out."""
_encode_any = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def to_json(event: Event) -> str:
    """Return the event as one line of JSON without its newline."""
    record: dict[str, Any] = {"v": VERSION, "at": round(event.at, 3), "event": _NAMES[type(event)]}
    for name in _FIELDS[type(event)]:
        value = getattr(event, name)
        if isinstance(value, Usage):
            value = {n: v for n in _USAGE if (v := getattr(value, n)) not in (None, "")}
        elif not isinstance(value, _SCALARS) and isinstance(value, Mapping):
            value = dict(value)
        if value is not None and value not in ("", {}):
            record[name] = value
    try:
        return msgspec.json.encode(record).decode()
    except (UnicodeEncodeError, TypeError):  # names of files that are no UTF-8, texts of a class of their own
        return _encode_any(record)


def from_json(line: str) -> Event | None:
    """Return the event of a line, or None for an event that this version does not know.

    Raises ValueError for what is not an event at all (a torn line, say) or of a later version.
    """
    record = json.loads(line)
    if not isinstance(record, dict) or not isinstance(record.get("v"), int):
        raise ValueError("not a journal event")
    if record["v"] > VERSION:
        raise ValueError(f"journal version {record['v']} is newer than this program knows ({VERSION})")
    cls = _CLASSES.get(str(record.get("event")))
    if cls is None:
        return None
    known = {name: record[name] for name in _ALL_FIELDS[cls] if name in record}
    for name in _REQUIRED[cls]:
        if name not in known:
            known[name] = ""  # to_json leaves empty texts out
    try:
        if "ending" in known:
            known["ending"] = Ending(known["ending"])
        if "usage" in known:
            known["usage"] = Usage(**{n: v for n, v in known["usage"].items() if n in _USAGE})
        event: Event = cls(**known)
    except (TypeError, AttributeError) as error:
        raise ValueError(f"not a journal event: {error}") from error
    return event
