"""The chain of calls that made a run last as long as it did."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from ..runs.status import CallStatus, RunStatus
from .graph import Graph, path_of

__all__ = ["Step", "critical_path"]

_SLACK = 0.05
"""Seconds by which a call's inputs may be known before the call that made them is written down as ended."""


@dataclass(frozen=True)
class Step:
    """A call on the path; times are seconds since the epoch."""

    path: str
    ready: float
    """When its inputs were known."""
    began: float
    """When its last attempt's command began; as `ready` where it never did."""
    ended: float

    @property
    def waited(self) -> float:
        """Seconds before its command began: waiting, image, attempts that failed."""
        return max(0.0, self.began - self.ready)

    @property
    def ran(self) -> float:
        """Seconds of the last attempt's command."""
        return max(0.0, self.ended - self.began)


def critical_path(status: RunStatus, graph: Graph | None, now: float) -> list[Step]:
    """Return the path, its first call first: each began when the one before it had ended.

    A call's inputs are known as soon as the last call that it waits for has ended, so that call is found by its
    time; where the workflow's graph is known, only what the call waits for is looked at.
    """
    ended = sorted((call.ended_at, call.path) for call in status.calls.values() if call.ended_at is not None)
    last = max(status.calls.values(), key=lambda call: _end(call, now), default=None)
    before = _names_before(graph)
    steps: list[Step] = []
    seen: set[str] = set()
    while last is not None and last.path not in seen and last.started_at is not None:
        seen.add(last.path)
        steps.append(_step(last, now))
        path = _previous(last, ended, before)
        last = status.calls[path] if path else None
    return steps[::-1]


def _end(call: CallStatus, now: float) -> float:
    if call.started_at is None:
        return 0.0
    return call.ended_at if call.ended_at is not None else now


def _step(call: CallStatus, now: float) -> Step:
    ready = call.first_seen
    began = next((a.started_at for a in reversed(call.attempts) if a.started_at is not None), ready)
    return Step(call.path, ready, began, _end(call, now))


def _names_before(graph: Graph | None) -> dict[str, frozenset[str]]:
    if graph is None:
        return {}
    names = {call.id: call.name for call in graph.calls}
    return {call.name: frozenset(names[each] for each in graph.after.get(call.id, frozenset())) for call in graph.calls}


def _previous(call: CallStatus, ended: Sequence[tuple[float, str]], before: dict[str, frozenset[str]]) -> str | None:
    """Return the call that ended last before this one's inputs were known, of those that it may have waited for."""
    own = path_of(call.path)
    number = bisect.bisect_right(ended, (call.first_seen + _SLACK, "￿"))
    for _, path in reversed(ended[:number]):
        names = path_of(path)
        inside = len(own) > 1 and len(names) > 1 and names[0] == own[0]
        allowed = not before or inside or names[0] in before.get(own[0], frozenset())
        if path != call.path and allowed:
            return path
    return None
