"""What a call's attempts have come to so far, also those under earlier heads, and with what the next one is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from ..backends.retries import Again, Allowances, History, again
from ..config import Settings
from ..model import Ending, Outcome, Task
from .endings import INTERRUPTIONS

__all__ = ["Repeats", "granted"]

_OF_NO_COUNT = frozenset({Ending.OK, Ending.STOPPED})


def granted(runtime: Mapping[str, Any], settings: Settings, *, elastic: bool) -> Allowances:
    """Return what a task's `runtime` and the settings allow."""
    losses = runtime.get("preemptible", settings.preemptible if elastic else 0)
    if elastic and not settings.spot:
        losses = 0
    return Allowances(losses, settings.memory_retry, settings.retry_pause, runtime.get("maxRetries", 0))


class Repeats:
    """One call's. In a cloud all but the command's own failures are ours to repeat, elsewhere all are the engine's."""

    def __init__(
        self, allowances: Allowances, *, elastic: bool, earlier: Mapping[int, Outcome] | None = None, begun: int = 0
    ) -> None:
        """`earlier` are attempts that ended under earlier heads; the one that was `begun` last may be taken over."""
        self._allowances = allowances
        self._elastic = elastic
        self._history = History()
        self._memory = self._disk = 0
        ended = dict(earlier or {})
        self._open = ended.pop(begun, None)
        self._last: Again | None = None
        self._resumed = bool(earlier)
        for number in sorted(ended):
            self._last = self.after(ended[number])

    def begin(self, *, anew: bool) -> Again | None:
        """Begin an attempt, or take over an earlier head's; return how it repeats the last one of that head, if so."""
        undecided, self._open = self._open, None
        if anew and undecided is not None:
            self._last = self.after(undecided)
        repeated, self._last = self._last, None
        return repeated if anew else None

    def after(self, outcome: Outcome) -> Again | None:
        """Take in how an attempt ended, and return how it is repeated, or None where that is not for us to do."""
        if outcome.ending in _OF_NO_COUNT:
            return None
        self._history = self._history.plus(outcome.ending)
        repeated = again(outcome, self._history, self._allowances) if self._elastic else None
        if repeated is not None:
            self._memory, self._disk = repeated.memory or self._memory, repeated.disk or self._disk
        return repeated

    def final(self, ending: Ending) -> bool:
        """Whether the engine is not to repeat what ended so, which it counts from the beginning of this head."""
        if self._elastic and ending is not Ending.FAILED:
            return True
        return self._resumed and self._failures > self._allowances.failures

    def leave_to_engine(self, runtime: dict[str, Any]) -> None:
        """Have the engine, which knows no other place, not stop at so many losses in a cloud; elsewhere, count on."""
        if self._elastic:
            runtime.pop("preemptible", None)
        elif "preemptible" in runtime:
            runtime["preemptible"] = max(0, runtime["preemptible"] - self._interruptions)

    @property
    def _interruptions(self) -> int:
        return sum(count for ending, count in self._history.counts.items() if ending in INTERRUPTIONS)

    @property
    def _failures(self) -> int:
        """How many attempts have counted against `maxRetries`."""
        counts = self._history.counts
        if self._elastic:
            return counts.get(Ending.FAILED, 0)
        return sum(counts.values()) - min(self._interruptions, self._allowances.preemptible)

    def applied(self, task: Task) -> Task:
        """Return the task as its next attempt is made: with what it turned out to need, and where it may run."""
        if not self._elastic:
            return task
        needs = task.resources
        memory, disk = max(needs.memory, self._memory), max(needs.disk, self._disk)
        losses = self._history.counts.get(Ending.SPOT, 0)
        return replace(
            task,
            resources=replace(needs, memory=memory, disk=disk),
            preemptible=losses < self._allowances.preemptible,
        )
