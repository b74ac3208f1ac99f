"""What one attempt is about, as it goes from step to step."""

from __future__ import annotations

from dataclasses import dataclass

from ...clock import SYSTEM, Clock
from ...model import Task, TaskWaiting
from ..seam import Cancellation, Report
from .wrapper import Attempt

__all__ = ["Errand"]


@dataclass(frozen=True)
class Errand:
    """An attempt, who may call it off, and who wants to know how it goes."""

    task: Task
    attempt: Attempt
    cancelled: Cancellation
    report: Report
    clock: Clock = SYSTEM

    def waiting(self, why: str, on: str = "") -> None:
        """Say for what the attempt waits."""
        self.report(TaskWaiting(self.clock.now(), self.task.call, self.task.attempt, why, on))
