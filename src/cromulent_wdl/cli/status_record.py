"""The status of a run as `cromulent status --json` prints it."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import asdict

from ..runs.status import Attempt, CallStatus, RunStatus
from .finding import place_of

__all__ = ["record"]


def record(directory: Path, status: RunStatus, now: float) -> dict[str, object]:
    """Return the run with its calls and their attempts, ready for JSON."""
    started, ended = status.started, status.ended
    return {
        "run": directory.name,
        "directory": place_of(directory),
        "state": status.state.value,
        "removed": status.removed or None,
        "name": started.name if started else None,
        "source": started.source if started else None,
        "backend": started.backend if started else None,
        "versions": dict(started.versions) if started else {},
        "started": started.at if started else None,
        "ended": ended.at if ended else None,
        "elapsed": status.elapsed(now),
        "message": ended.message if ended else "",
        "call": ended.call if ended else "",
        "counts": {state.value: count for state, count in status.counts.items()},
        "calls": [_call(directory, call, now) for call in status.in_order()],
    }


def _call(directory: Path, call: CallStatus, now: float) -> dict[str, object]:
    return {
        "call": call.path,
        "name": call.name,
        "state": call.state.value,
        "ending": call.ending.value if call.ending else None,
        "message": call.message,
        "elapsed": call.elapsed(now),
        "queued": call.queued_at,
        "started": call.started_at,
        "ended": call.ended_at,
        "directory": str(directory / call.directory) if call.directory else None,
        "origin": call.origin or None,
        "attempts": [_attempt(attempt) for attempt in call.attempts],
    }


def _attempt(attempt: Attempt) -> dict[str, object]:
    placed, ended = attempt.placed, attempt.ended
    return {
        "attempt": attempt.number,
        "backend": placed.backend if placed else None,
        "why": placed.why if placed else None,
        "cpu": placed.cpu if placed else None,
        "memory": placed.memory if placed else None,
        "memory_limit": placed.memory_limit if placed else None,
        "waiting": attempt.waiting,
        "image": attempt.image or None,
        "digest": attempt.digest or None,
        "where": attempt.where or None,
        "started": attempt.started_at,
        "ended": ended.at if ended else None,
        "ending": ended.ending.value if ended else None,
        "exit_code": ended.exit_code if ended else None,
        "message": ended.message if ended else "",
        "usage": asdict(ended.usage) if ended else None,
    }
