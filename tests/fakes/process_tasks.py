"""Tasks for the process backend, laid out on disk as miniwdl does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from cromulent_wdl.model import Event, Mount, Resources, Task

__all__ = ["Events", "process_task", "retry_of"]


class Events(list[Event]):
    """Takes reports."""

    def __call__(self, event: Event) -> None:
        self.append(event)

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self if isinstance(event, kind)]


def process_task(directory: Path, command: str, *, inputs: Sequence[Path] = (), **fields: Any) -> Task:
    """Make a task's directory with its command; inputs are named as miniwdl names them."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "work").mkdir()
    (directory / "command").write_text(command)
    task = Task(
        run_id="a_run",
        call=directory.name,
        name=directory.name,
        attempt=1,
        directory=directory,
        work=directory / "work",
        command=directory / "command",
        stdout=directory / "stdout.txt",
        stderr=directory / "stderr.txt",
        container_directory=str(directory),
        inputs=tuple(
            Mount(path, f"{directory}/work/_miniwdl_inputs/{number}/{path.name}", path.is_dir())
            for number, path in enumerate(inputs)
        ),
        resources=Resources(),
    )
    return msgspec.structs.replace(task, **fields)


def retry_of(task: Task) -> Task:
    """Make the next attempt's directory and return its task."""
    number = task.attempt + 1
    work = task.directory / f"work{number}"
    work.mkdir()
    return msgspec.structs.replace(
        task,
        attempt=number,
        work=work,
        stdout=task.directory / f"stdout{number}.txt",
        stderr=task.directory / f"stderr{number}.txt",
    )
