"""What people look up of single calls: the ends of stdout and stderr, and inputs. As much as there is room for.

Failed calls come first, then stopped ones, then the longest. The page says where the rest is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ...runs.logs import call_directory, call_log
from ...runs.status import CallStatus, RunStatus, State
from ..evidence import HIDDEN, is_secret, read_json, tail_of

__all__ = ["masked", "texts_of"]

_ROOM = 3_000_000
"""Letters in all."""
_CALLS = 3_000
"""Calls whose files are read at most."""
_LINES = {State.FAILED: 60, State.STOPPED: 25}
_OTHERS = 15
_LONGEST = 6_000
"""Letters of one text."""
_FIRST = {State.FAILED: 0, State.LOST: 1, State.STOPPED: 1}


def texts_of(directory: Path, status: RunStatus) -> dict[str, dict[str, str]]:
    """Return by path what was found of a call: `stderr`, `stdout`, `inputs`."""
    found: dict[str, dict[str, str]] = {}
    room = _ROOM
    for call in sorted(status.calls.values(), key=_rank)[:_CALLS]:
        if room <= 0:
            break
        texts = _texts(directory, call)
        if texts:
            found[call.path] = texts
            room -= sum(map(len, texts.values()))
    return found


def masked(values: dict[str, Any]) -> dict[str, Any]:
    """Return inputs or outputs without values whose names say that they are secret."""
    return {name: HIDDEN if is_secret(name) else _masked(value) for name, value in values.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return masked(value)
    return [_masked(each) for each in value] if isinstance(value, list) else value


def _rank(call: CallStatus) -> tuple[int, float]:
    return _FIRST.get(call.state, 2), -((call.ended_at or 0.0) - (call.started_at or 0.0))


def _texts(directory: Path, call: CallStatus) -> dict[str, str]:
    place = call_directory(directory, call)
    if place is None:
        return {}
    lines = _LINES.get(call.state, _OTHERS)
    texts = {}
    for stream in ("stderr", "stdout"):
        path = call_log(directory, call, stdout=stream == "stdout")
        texts[stream] = "\n".join(tail_of(path, lines))[-_LONGEST:] if path is not None else ""
    inputs = read_json(place / "inputs.json")
    texts["inputs"] = json.dumps(masked(inputs), indent=1, ensure_ascii=False)[:_LONGEST] if inputs else ""
    return {name: text for name, text in texts.items() if text}
