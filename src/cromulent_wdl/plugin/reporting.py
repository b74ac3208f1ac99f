"""Tells how an attempt goes: to the run's journal, to miniwdl's log, and to the call cache."""

from __future__ import annotations

import logging
from collections.abc import Callable

from WDL._util import NOTICE_LEVEL, StructuredLogMessage

from ..clock import SYSTEM
from ..model import Ending, Event, Outcome, Task, TaskEnded, TaskImage, TaskPlaced, TaskStarted, TaskWaiting
from . import session
from .cache import remember_image

__all__ = ["Reporter"]


class Reporter:
    """Sends an attempt's events to the run's journal, to miniwdl's log, and to the call cache."""

    def __init__(self, task: Task, host_dir: str, logger: logging.Logger) -> None:
        self._task = task
        self._host_dir = host_dir
        self._logger = logger
        self._run = session.find(host_dir)
        self._waited = False
        self.running: Callable[[], object] = lambda: None
        """Called when the command starts; counts the task in miniwdl's status bar."""

    def __call__(self, event: Event) -> None:
        """Tell of an event."""
        if isinstance(event, TaskStarted):
            self.running()
            self._logger.info(StructuredLogMessage("task running", where=event.where))
        elif isinstance(event, TaskWaiting):
            self._waited = True
            self._logger.info(StructuredLogMessage("task waiting", why=event.why))
        elif isinstance(event, TaskImage):
            remember_image(self._host_dir, event.image, event.digest)
            self._logger.info(StructuredLogMessage("task image", image=event.image, digest=event.digest))
            if (
                self._task.dockerfile is not None and not self._waited
            ):  # in miniwdl's words, for those who look for them
                self._logger.log(
                    NOTICE_LEVEL, StructuredLogMessage("docker build cached", tag=event.image, id=event.digest)
                )
        if self._run is not None:
            self._run.record(event)

    def waiting(self, why: str) -> None:
        """Tell for what the attempt waits."""
        self(TaskWaiting(SYSTEM.now(), self._task.call, self._task.attempt, why))

    def placed(self, backend: str, why: str) -> None:
        """Tell where the attempt runs."""
        task = self._task
        needs = task.resources
        self(
            TaskPlaced(SYSTEM.now(), task.call, task.attempt, backend, why, needs.cpu, needs.memory, needs.memory_limit)
        )

    def ended(self, outcome: Outcome) -> None:
        """Tell how it ended."""
        task = self._task
        if outcome.ending is Ending.OK and outcome.message:
            self._logger.warning(StructuredLogMessage(outcome.message, call=task.call))
        self(
            TaskEnded(
                SYSTEM.now(),
                task.call,
                task.attempt,
                outcome.ending,
                outcome.exit_code,
                outcome.message,
                outcome.usage,
            )
        )
