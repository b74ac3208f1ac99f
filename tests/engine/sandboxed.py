"""The process backend in bubblewrap, for tests of what the sandbox really does."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from cromulent_wdl.backends.process import ProcessBackend
from cromulent_wdl.backends.seam import Cancellation
from cromulent_wdl.model import Outcome, Task
from tests.fakes.process_tasks import Events, process_task

__all__ = ["Calls"]


class Calls:
    """Runs commands as calls of one run."""

    def __init__(self, backend: ProcessBackend, directory: Path) -> None:
        self.backend = backend
        self.directory = directory
        self._number = 0

    def task(self, command: str, **fields: Any) -> Task:
        self._number += 1
        return process_task(self.directory / f"call{self._number}", command, **fields)

    def run(self, task: Task, cancelled: Cancellation | None = None) -> Outcome:
        return self.backend.run(task, Cancellation() if cancelled is None else cancelled, Events())

    def __call__(self, command: str, **fields: Any) -> tuple[Outcome, str]:
        """Run the command; return its outcome and what it wrote, standard error last."""
        task = self.task(command, **fields)
        outcome = self.run(task)
        return outcome, "".join(stream.read_text() for stream in (task.stdout, task.stderr) if stream.exists())

    def start(self, task: Task, cancelled: Cancellation) -> tuple[threading.Thread, list[Outcome]]:
        """Run the task in a thread; the outcome is put into the list."""
        outcomes: list[Outcome] = []
        thread = threading.Thread(target=lambda: outcomes.append(self.run(task, cancelled)), daemon=True)
        thread.start()
        return thread, outcomes
