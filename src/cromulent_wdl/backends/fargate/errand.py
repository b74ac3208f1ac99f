"""What one attempt is about, as it goes from step to step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...clock import SYSTEM, Clock
from ...model import Task, TaskWaiting
from ..seam import Cancellation, Report
from .wrapper import Attempt

__all__ = ["NOBODY", "Asked", "Errand"]


@dataclass(frozen=True)
class Asked:
    """For whom something is done: whether he still wants it, and how he hears of it when it takes time."""

    stopping: Callable[[], bool] = lambda: False
    telling: Callable[[str], object] = lambda _: None


NOBODY = Asked()


@dataclass(frozen=True)
class Errand:
    """An attempt, who may call it off, and who wants to know how it goes."""

    task: Task
    attempt: Attempt
    cancelled: Cancellation
    report: Report
    clock: Clock = SYSTEM

    @property
    def asked(self) -> Asked:
        """The same, for what does not know of attempts."""
        return Asked(lambda: bool(self.cancelled), self.waiting)

    def waiting(self, why: str, on: str = "") -> None:
        """Say for what the attempt waits."""
        self.report(TaskWaiting(self.clock.now(), self.task.call, self.task.attempt, why, on))
