"""For what the calls of a running run wait: one line for each thing, however many calls wait for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..runs.status import Attempt, CallStatus, State
from ..units import format_duration
from .explanation import Explanation, Fact
from .graph import Graph
from .why import Subject

__all__ = ["explain_waits"]

_NAMED = 3
_ON_AWS = {
    "room": "cromulent doctor says how many vCPUs and addresses there are, and how to get more",
    "capacity": "nothing needs to be done: it is asked for again, elsewhere or later",
}
_QUEUED = "for a place among the calls that may run at once (--max-tasks, or the machine's cores)"


def explain_waits(subject: Subject, graph: Graph | None, now: float) -> Explanation:
    """Explain what a run under way is doing, and for what each call waits that does nothing."""
    calls = subject.status.in_order()
    if not calls:
        return Explanation(f"{subject.name} has only just begun.", tries=(f"cromulent status {subject.called}",))
    running = [call for call in calls if call.state is State.RUNNING]
    waiting = [call for call in calls if call.state is State.WAITING]
    queued = [call for call in calls if call.state is State.QUEUED]
    facts = [*_running(running, now), *_waiting(waiting, now), *_queued(queued), *_later(subject, graph)]
    count = len(waiting) + len(queued)
    begun = f"{subject.name} is under way: {len(running)} running"
    headline = f"{begun}, {count} waiting." if count else f"{begun}, none waits for anything but its inputs."
    kinds = dict.fromkeys(wait.on for call in waiting if (wait := _last(call).wait) is not None)
    tries = [_ON_AWS[kind] for kind in kinds if kind in _ON_AWS]
    return Explanation(headline, tuple(facts), (*tries, f"cromulent logs {subject.called} -f"))


def _running(calls: Sequence[CallStatus], now: float) -> Iterable[Fact]:
    longest = sorted(calls, key=lambda call: call.started_at or now)
    for call in longest[:_NAMED]:
        elapsed = call.elapsed(now)
        yield Fact("running", f"{call.path}, for {format_duration(elapsed or 0.0)}{_attempt(call)}")
    if len(calls) > _NAMED:
        yield Fact("running", f"and {len(calls) - _NAMED} more, for less long")


def _attempt(call: CallStatus) -> str:
    number = _last(call).number
    return f", attempt {number}" if number > 1 else ""


def _waiting(calls: Sequence[CallStatus], now: float) -> Iterable[Fact]:
    groups: dict[str, list[CallStatus]] = {}
    for call in calls:
        groups.setdefault(_last(call).waiting.partition(" (")[0], []).append(call)
    for what, group in groups.items():
        said = _last(group[0]).waiting if len(group) == 1 else what
        since = min((wait.at for call in group if (wait := _last(call).wait) is not None), default=now)
        said = said.removeprefix("waiting ")
        yield Fact("waiting", f"{_named(group)}: {said}, since {format_duration(max(0.0, now - since))}")


def _queued(calls: Sequence[CallStatus]) -> Iterable[Fact]:
    if calls:
        yield Fact("waiting", f"{_named(calls)}: {_QUEUED}")


def _later(subject: Subject, graph: Graph | None) -> Iterable[Fact]:
    """Say which calls have not turned up, and after which calls they come."""
    if graph is None:
        return
    unfinished = {call.path.partition("[")[0] for call in subject.status.calls.values() if call.ended_at is None}
    unseen = graph.unseen(subject.status.calls)
    pending = unfinished | {call.name for call in unseen}
    names = {call.id: call.name for call in graph.calls}
    for call in unseen:
        after = sorted(names[each] for each in graph.after.get(call.id, ()) if names[each] in pending)
        behind = f"after {', '.join(after)}" if after else "after what the workflow works out before it"
        yield Fact("later", f"{call.name}: {behind}")


def _named(calls: Sequence[CallStatus]) -> str:
    shown = ", ".join(call.path for call in calls[:_NAMED])
    return shown + (f" and {len(calls) - _NAMED} more" if len(calls) > _NAMED else "")


def _last(call: CallStatus) -> Attempt:
    return call.attempts[-1] if call.attempts else Attempt(0)
