"""The calls of a run as columns of numbers and of indices into lists of words: small, and quick to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...model import Ending
from ...pricing.costs import Costs
from ...runs.status import Attempt, CallStatus, RunStatus, State
from ..attempts import given, place_of

__all__ = ["Words", "calls_in_columns"]


class Words:
    """A list of different texts, each with its number."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """Return the text's number, new or old."""
        known = self._numbers.get(text)
        if known is None:
            known = self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return known


def calls_in_columns(status: RunStatus, costs: Costs, critical: Sequence[str], now: float) -> dict[str, Any]:
    """Return all calls, in the order in which they turned up, and their attempts, ready for JSON.

    Times are seconds since the run began. None stands for what nobody knows.
    """
    began = status.started.at if status.started is not None else now
    words = {name: Words() for name in ("name", "place", "image", "message")}
    dollars, on_path = _dollars(costs), frozenset(critical)
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    attempts: list[list[Any]] = []
    for number, call in enumerate(status.in_order()):
        values = {
            **{name: list_.number(text) for (name, list_), text in zip(words.items(), _texts(call), strict=True)},
            **_numbers(call, began),
            "dollars": _rounded(dollars.get(call.path), 9),
            "critical": int(call.path in on_path),
        }
        for name, column in columns.items():
            column.append(values[name])
        attempts += [_attempt(number, attempt, began) for attempt in call.attempts]
    return {
        "states": [state.value for state in _STATES],
        "endings": [ending.value for ending in _ENDINGS],
        **{f"{name}s": list_.texts for name, list_ in words.items()},
        "calls": columns,
        "attempts": attempts,
        "now": _since(began, status.ended.at if status.ended is not None else now),
    }


_COLUMNS = ("path", "name", "state", "ending", "ready", "ended", "cpu", "memory", "peak", "cpu_seconds",
            "dollars", "place", "image", "message", "directory", "critical")  # fmt: skip
_STATES = list(State)
_ENDINGS = list(Ending)


def _texts(call: CallStatus) -> tuple[str, str, str, str]:
    """Return the call's name, place, image and message."""
    last = call.attempts[-1] if call.attempts else Attempt(0)
    return call.name or call.path, place_of(last), last.image, " ".join(call.message.split())


def _numbers(call: CallStatus, began: float) -> dict[str, Any]:
    cpu, memory = given(call.attempts[-1]) if call.attempts else (None, None)
    usage = call.usage
    return {
        "path": call.path,
        "state": _STATES.index(call.state),
        "ending": _ending(call),
        "ready": _since(began, call.queued_at if call.queued_at is not None else call.started_at),
        "ended": _since(began, call.ended_at),
        "cpu": cpu,
        "memory": memory,
        "peak": usage.memory_peak,
        "cpu_seconds": _rounded(usage.cpu_seconds),
        "directory": call.origin or call.directory,
    }


def _ending(call: CallStatus) -> int:
    """Return how the call ended, as its own colour is: a cached call as one that went well; -1 before the end."""
    if call.ending is not None:
        return _ENDINGS.index(call.ending)
    if call.state is State.STOPPED:
        return _ENDINGS.index(Ending.STOPPED)
    return _ENDINGS.index(Ending.OK) if call.state in (State.OK, State.CACHED) else -1


def _attempt(number: int, attempt: Attempt, began: float) -> list[Any]:
    """Return call, attempt, and when it was placed, its image began and was there, its command began, and it ended."""
    placed = attempt.placed.at if attempt.placed is not None else None
    pull, pulled = _image_times(attempt, placed)
    ended = attempt.ended
    return [
        number,
        attempt.number,
        *(_since(began, at) for at in (placed, pull, pulled, attempt.started_at, ended.at if ended else None)),
        _ENDINGS.index(ended.ending) if ended is not None else -1,
        ended.exit_code if ended is not None else None,
    ]


def _image_times(attempt: Attempt, placed: float | None) -> tuple[float | None, float | None]:
    """Return from when to when the image was fetched: as AWS says, else from its place until it was there."""
    stopped = next((t.stopped for t in reversed(list(attempt.ecs_tasks.values())) if t.stopped), None)
    if stopped is not None and stopped.pull_started_at is not None:
        return stopped.pull_started_at, stopped.pull_stopped_at
    return (placed, attempt.image_at) if attempt.image_at is not None else (None, None)


def _dollars(costs: Costs) -> Mapping[str, float]:
    by_call: dict[str, float] = {}
    for bill in costs.bills:
        by_call[bill.call] = by_call.get(bill.call, 0.0) + bill.dollars
    return by_call


def _since(began: float, at: float | None) -> float | None:
    return None if at is None else round(at - began, 2)


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)
