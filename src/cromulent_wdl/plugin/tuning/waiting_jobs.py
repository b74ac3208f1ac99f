"""Keeps jobs that cannot run yet away from the workflow's scheduler until they can.

After every call miniwdl goes through all waiting jobs and, for each, through all that it depends on: at the end of a
scatter of ten thousand calls that is a hundred million steps, and more where one call follows another in it. Here each
job counts what it still depends on, and joins the waiting ones, whom miniwdl examines as before, when that is nothing.
What may be told apart: `waiting` lacks the jobs that are blocked, so the message of a deadlock does not list them.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from .replacement import Replacement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from WDL.runtime._workflow_state import StateMachine, _Job
    from WDL.runtime.config import Loader
    from WDL.StdLib import Base

__all__ = ["JOBS"]


class _Finished(set[str]):
    """The finished jobs of a workflow; adding one lets those wait that it was the last to block."""

    def __init__(self, jobs: Iterable[str] = ()) -> None:
        super().__init__(jobs)
        self.waiting: set[str] = set()
        self._blockers: dict[str, int] = {}
        self._blocked_by: dict[str, list[str]] = {}

    def add(self, job: str) -> None:
        """Add a job, and let go those that it blocked."""
        super().add(job)
        for blocked in self._blocked_by.pop(job, ()):
            self._blockers[blocked] -= 1
            if not self._blockers[blocked]:
                del self._blockers[blocked]
                self.waiting.add(blocked)

    def hold(self, job: _Job) -> None:
        """Take the job from the waiting ones while anything blocks it."""
        blockers = [dependency for dependency in job.dependencies if dependency not in self]
        if blockers:
            self.waiting.remove(job.id)
            self._blockers[job.id] = len(blockers)
            for blocker in blockers:
                self._blocked_by.setdefault(blocker, []).append(job.id)


def _replace(state: ModuleType) -> None:
    schedule, advance = state.StateMachine._schedule, state.StateMachine.step

    def _schedule(self: StateMachine, job: _Job) -> None:
        """Take note of a job, to be done when all that it depends on is finished."""
        schedule(self, job)
        if isinstance(self.finished, _Finished):
            self.finished.hold(job)

    def step(self: StateMachine, cfg: Loader, stdlib: Base) -> StateMachine.CallInstructions | None:
        """Advance the workflow and return the next call to begin; None when nothing can begin now."""
        if not isinstance(self.finished, _Finished):  # the constructor wants to see all jobs waiting
            self.finished = _Finished(self.finished)
            self.finished.waiting = self.waiting
            for job in [self.jobs[name] for name in self.waiting]:
                self.finished.hold(job)
        call: StateMachine.CallInstructions | None = advance(self, cfg, stdlib)
        return call

    state.StateMachine._schedule = _schedule
    state.StateMachine.step = step


JOBS = Replacement(
    "jobs",
    "WDL.runtime._workflow_state",
    {
        "StateMachine.__init__": "a9e42f3f9b517c1f4d30",
        "StateMachine.step": "5c7a9195279509cf6df4",
        "StateMachine.call_finished": "440076226246e3d006e4",
        "StateMachine._schedule": "451ac9b822a982dfcba2",
    },
    _replace,
)
