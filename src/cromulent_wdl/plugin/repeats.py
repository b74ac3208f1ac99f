"""What a call's attempts in a cloud have come to so far, and with what the next one is made."""

from __future__ import annotations

from msgspec.structs import replace

from ..backends.retries import Again, Allowances, History, again
from ..model import Ending, Outcome, Task

__all__ = ["Repeats"]


class Repeats:
    """One call's."""

    def __init__(self, allowances: Allowances, *, elastic: bool) -> None:
        self._allowances = allowances
        self._elastic = elastic
        self._history = History()
        self._memory = self._disk = 0

    def after(self, outcome: Outcome) -> Again | None:
        """Take in how an attempt ended, and return how it is repeated, or None where that is not for us to do."""
        if not self._elastic or outcome.ending is Ending.OK:
            return None
        self._history = self._history.plus(outcome.ending)
        repeated = again(outcome, self._history, self._allowances)
        if repeated is not None:
            self._memory, self._disk = repeated.memory or self._memory, repeated.disk or self._disk
        return repeated

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
