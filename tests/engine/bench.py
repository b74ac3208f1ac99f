"""A bench on which a test runs tasks: it makes their directories as the plugin would, and keeps what is reported."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from cromulent_wdl.backends.container.backend import CONTAINER_DIRECTORY
from cromulent_wdl.backends.seam import Backend, Cancellation
from cromulent_wdl.model import Event, Mount, Outcome, Task

__all__ = ["Bench", "Running", "input_mount"]

INPUTS = f"{CONTAINER_DIRECTORY}/work/_miniwdl_inputs/0"


def input_mount(host: Path) -> Mount:
    """Return an input under the path that miniwdl gives it."""
    return Mount(host, f"{INPUTS}/{host.name}", directory=host.is_dir())


@dataclass
class Running:
    """A task that runs in a thread of its own."""

    task: Task
    cancelled: Cancellation = field(default_factory=Cancellation)
    outcome: Future[Outcome] = field(default_factory=Future)
    events: list[Event] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def report(self, event: Event) -> None:
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    def reach(self, kind: type[Event]) -> Event:
        """Wait until an event of the kind is reported, and return it."""

        def found() -> Event | None:
            return next((event for event in self.events if isinstance(event, kind)), None)

        with self.changed:
            self.changed.wait_for(lambda: found() or self.outcome.done(), timeout=60)
            event = found()
        assert event is not None, f"no {kind.__name__} in {self.events}"
        return event

    def end(self) -> Outcome:
        return self.outcome.result(timeout=120)


class Bench:
    """Runs commands as tasks of one backend."""

    def __init__(self, backend: Backend, image: str, directory: Path) -> None:
        self.backend = backend
        self.image = image
        self.directory = directory
        self._count = 0

    def task(self, command: str, *inputs: Path, **changes: object) -> Task:
        """Return a task with its directory, in the test image unless told otherwise."""
        self._count += 1
        directory = self.directory / f"call-{self._count}"
        (directory / "work").mkdir(parents=True)
        for name in ("command", "stdout.txt", "stderr.txt"):
            (directory / name).write_text(command if name == "command" else "")
        values: dict[str, object] = {
            "run_id": "20261122_190411_test",
            "call": f"call[{self._count}]",
            "name": "call",
            "attempt": 1,
            "directory": directory,
            "work": directory / "work",
            "command": directory / "command",
            "stdout": directory / "stdout.txt",
            "stderr": directory / "stderr.txt",
            "container_directory": CONTAINER_DIRECTORY,
            "images": (self.image,),
            "inputs": tuple(map(input_mount, inputs)),
        }
        return Task(**{**values, **changes})  # type: ignore[arg-type]

    def run(self, task: Task) -> Outcome:
        """Run the task to its end."""
        return self.begin(task).end()

    def begin(self, task: Task) -> Running:
        """Run the task in a thread."""
        running = Running(task)

        def work() -> None:
            try:
                running.outcome.set_result(self.backend.run(task, running.cancelled, running.report))
            except BaseException as error:  # noqa: BLE001 - the top of a thread; the test gets it
                running.outcome.set_exception(error)
            with running.changed:
                running.changed.notify_all()

        threading.Thread(target=work, daemon=True).start()
        return running
