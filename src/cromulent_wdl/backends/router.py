"""Several backends as one: each task goes to the first that takes it.

Backends behind one router have to share what is asked before a task is known: the directory inside the container, and
whether they are a cloud. So Fargate's larger neighbours join here: what no size of Fargate holds is for the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..model import Outcome, Task
from .seam import Backend, Cancellation, Report

__all__ = ["Router"]


class Router:
    """Backends in the order in which they are asked; the first speaks for all where a task is not known yet."""

    def __init__(self, backends: Sequence[Backend]) -> None:
        first = backends[0]
        self._backends = tuple(backends)
        self.name = first.name
        self.description = first.description
        self.uses_images = first.uses_images
        self.elastic = first.elastic
        self.defaults = first.defaults

    def container_directory(self, directory: Path) -> str:
        """Return the path under which a command sees its call's directory, which is the same for all."""
        return self._backends[0].container_directory(directory)

    def image_digest(self, reference: str) -> str | None:
        """Return the digest that an image's name stands for."""
        return self._backends[0].image_digest(reference)

    def directory_refusal(self, directory: Path, name: str) -> str | None:
        """Return why no run can have its directory there, or None."""
        return self._backends[0].directory_refusal(directory, name)

    def refusal(self, task: Task) -> str | None:
        """Return why none of them can run the task, each with its reason, or None."""
        refusals = {each.name: each.refusal(task) for each in self._backends}
        if None in refusals.values():
            return None
        return "; ".join(f"{name}: {why}" if len(refusals) > 1 else str(why) for name, why in refusals.items())

    def resume(self, directory: Path) -> None:
        """Tell all that a run goes on there."""
        for each in self._backends:
            each.resume(directory)

    def takes_over(self, task: Task, command: str, cancelled: Cancellation, report: Report) -> bool:
        """Return whether the backend that runs the task takes over what an earlier head began."""
        return self._backend(task).takes_over(task, command, cancelled, report)

    def run(self, task: Task, cancelled: Cancellation, report: Report) -> Outcome:
        """Run the task where it goes."""
        return self._backend(task).run(task, cancelled, report)

    def limits(self) -> tuple[int, int]:
        """Return the most that a task can get of any of them."""
        cores, memory = zip(*(each.limits() for each in self._backends), strict=True)
        return max(cores), max(memory)

    def close(self) -> None:
        """Close all."""
        for each in self._backends:
            each.close()

    def _backend(self, task: Task) -> Backend:
        return next((each for each in self._backends if each.refusal(task) is None), self._backends[-1])
