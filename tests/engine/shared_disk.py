"""A file system shared with containers, as EFS is with tasks on Fargate: two mounts side by side, and the wrapper."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cromulent_wdl.backends.fargate.collecting import collect
from cromulent_wdl.backends.fargate.copies import Asked, Copies
from cromulent_wdl.backends.fargate.staging import stage_inputs
from cromulent_wdl.backends.fargate.window import FILES, Window
from cromulent_wdl.backends.fargate.wrapper import NO_LIMITS, Attempt, Limits, Result, prepare_attempt, read_result
from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.engine import Bind, ContainerRequest, Engine
from cromulent_wdl.engine.request import HEAD_LABEL, IMAGE_LABEL
from cromulent_wdl.model import Task
from cromulent_wdl.storage.digests import Digests
from cromulent_wdl.storage.shared import SharedFiles
from tests.fakes.attempts import run_task

__all__ = ["Ended", "SharedDisk"]


@dataclass(frozen=True)
class Ended:
    """A task that has ended."""

    task: Task
    status: int
    """The container's."""
    result: Result | None
    log: str
    """What the container said itself."""


class SharedDisk:
    """Runs tasks of one run in containers, by their wrapper."""

    def __init__(self, engine: Engine, image: str, head: str, top: Path) -> None:
        self.engine, self.image = engine, image
        self._head = head
        self.mount = top / "file system"
        self.run_directory = self.mount / "runs" / "a run"
        self.run_directory.mkdir(parents=True)
        self.shared = SharedFiles(self.mount)
        self.window = Window(user=os.getuid())
        self.copies = Copies(self.shared, self.window, Digests())

    def task(self, command: str, *inputs: Path, **fields: object) -> Task:
        """Return a task; its call has a directory of its own."""
        call = f"call-{secrets.token_hex(4)}"
        return run_task(self.run_directory, call, command, inputs=inputs, **fields)

    def prepare(self, task: Task, limits: Limits = NO_LIMITS) -> Attempt:
        """Make everything ready for a container."""
        stage_inputs(task, self.shared, self.window, self.copies, Asked())
        return prepare_attempt(task, task.directory.name, limits)

    def run(self, task: Task, limits: Limits = NO_LIMITS, memory: int = 0) -> Ended:
        """Run the task to its end."""
        attempt = self.prepare(task, limits)
        with self.started(attempt, memory) as container:
            return self.end(task, attempt, container)

    def end(self, task: Task, attempt: Attempt, container: str) -> Ended:
        """Wait for the end of a task that runs in the container."""
        status, result = self.engine.wait(container), read_result(attempt)
        if result is not None:
            assert collect(task, attempt, self.shared, self.window, SYSTEM, 0) == ()
        return Ended(task, status, result, self.engine.logs(container))

    @contextmanager
    def started(self, attempt: Attempt, memory: int = 0, user: str = "") -> Iterator[str]:
        """Have a container run the attempt, and remove it at last."""
        request = ContainerRequest(
            name=f"cromulent-tests-{secrets.token_hex(6)}",
            image=self.image,
            entrypoint=attempt.command,
            working_directory="/",
            binds=(
                Bind(str(self.run_directory), str(self.run_directory), writable=True),
                Bind(str(self.mount), FILES),
            ),
            labels={HEAD_LABEL: self._head, IMAGE_LABEL: self.image},
            memory_limit=memory,
            user=user,
            network="none",
            confined=not self.engine.facts.selinux,
        )
        container = self.engine.create(request)
        try:
            self.engine.start(container, self.image)
            yield container
        finally:
            self.engine.remove(container)
