"""The seam between the workflow engine and whatever runs a task."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ..model import Event, Outcome, Resources, Task

__all__ = ["Backend", "Cancellation", "Report"]

Report = Callable[[Event], None]
"""Takes the task's events (placed, waiting, image, started) as they happen, from the task's own thread."""


class Cancellation:
    """A one-way switch that wakes whoever waits on a task, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._actions: list[Callable[[], None]] = []

    def __bool__(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        """Switch on, and run the actions registered; a second call does nothing."""
        with self._lock:
            if self._cancelled:
                return
            self._cancelled = True
            actions = list(self._actions)
        for action in actions:
            action()

    def wait(self, seconds: float) -> bool:
        """Pause for as many seconds, or until the switch is on; return whether it is."""
        over = threading.Event()
        with self.calling(over.set):
            over.wait(seconds)
        return self._cancelled

    @contextmanager
    def calling(self, action: Callable[[], None]) -> Iterator[None]:
        """Run the action once if the switch is on or is put on within the block.

        The action runs in the thread that cancels (here, if that has happened before), so it must be quick,
        must not raise, and may run while the block is being left.
        """
        with self._lock:
            already = self._cancelled
            self._actions.append(action)
        try:
            if already:
                action()
            yield
        finally:
            with self._lock:
                self._actions.remove(action)


class Backend(Protocol):
    """Somewhere to run tasks."""

    name: str
    description: str
    """How tasks run here, for people: `Docker 28.2`, `processes in bubblewrap`."""

    uses_images: bool
    """Whether tasks run in images, so that their results depend on the image's content."""

    elastic: bool
    """Whether tasks run on machines of a cloud: thousands at once, and an attempt that the cloud ended is repeated
    at no cost to the call."""

    defaults: Resources
    """What a task gets that declares nothing, where that is known."""

    def container_directory(self, directory: Path) -> str:
        """Return the path under which a command sees its call's directory. Pure; asked before the task is known."""

    def image_digest(self, reference: str) -> str | None:
        """Return the digest that an image's name stands for here and now, or None where that is not known."""

    def refusal(self, task: Task) -> str | None:
        """Return in one sentence why this task cannot run here, or None. Pure: no call leaves the process."""

    def directory_refusal(self, directory: Path, name: str) -> str | None:
        """Return in one sentence why no run can have the directory of that name in this one, or None.

        Without a name it is this one itself.
        """

    def resume(self, directory: Path) -> None:
        """Hear that a run goes on in a directory in which an earlier head of it has died.

        What that head has started and nobody takes over runs no more when `close` returns.
        """

    def takes_over(self, task: Task, command: str, cancelled: Cancellation, report: Report) -> bool:
        """Return whether `run` will take over what an earlier head began as this attempt, for the same command.

        Asked only where a head finds the call's directory used. If not, nothing of the call runs any more when the
        next attempt does.
        """

    def run(self, task: Task, cancelled: Cancellation, report: Report) -> Outcome:
        """Run one attempt to its end, blocking the calling thread.

        Every ending is an `Outcome`, `STOPPED` after a cancellation included; an exception is a defect. At
        return nothing of the attempt is left running or reserved. Raises nothing on purpose.
        """

    def limits(self) -> tuple[int, int]:
        """Return the cores and the bytes of memory that one task can get at most."""

    def close(self) -> None:
        """Let go of what the backend holds. No task is running by then."""
