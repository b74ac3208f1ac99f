"""A backend that is told what to say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cromulent_wdl.backends.seam import Cancellation, Report
from cromulent_wdl.model import Ending, Outcome, Resources, Task

__all__ = ["PlainBackend"]


@dataclass
class PlainBackend:
    """Runs a task by remembering its call."""

    name: str
    refuses: str = ""
    """Why it takes no task of more than `cores`; nothing where it takes all."""
    cores: int = 1
    ran: list[str] = field(default_factory=list)
    resumed: list[Path] = field(default_factory=list)
    closed: bool = False
    description: str = "plain"
    uses_images: bool = False
    elastic: bool = True
    defaults: Resources = Resources()  # noqa: RUF009 - frozen

    def container_directory(self, directory: Path) -> str:
        return str(directory)

    def image_digest(self, reference: str) -> str | None:
        return f"{self.name}:{reference}"

    def directory_refusal(self, directory: Path, name: str) -> str | None:
        return None

    def refusal(self, task: Task) -> str | None:
        return self.refuses if self.refuses and task.resources.cpu > self.cores else None

    def resume(self, directory: Path) -> None:
        self.resumed.append(directory)

    def takes_over(self, task: Task, command: str, cancelled: Cancellation, report: Report) -> bool:
        return command == self.name

    def run(self, task: Task, cancelled: Cancellation, report: Report) -> Outcome:
        self.ran.append(task.call)
        return Outcome(Ending.OK, 0)

    def limits(self) -> tuple[int, int]:
        return self.cores, self.cores

    def close(self) -> None:
        self.closed = True
