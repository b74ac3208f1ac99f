"""The `cromulent` command with a `process` backend that runs nothing, so that only the engine is measured.

STANDIN_WAIT says how long each task takes. With STANDIN_ABORT_AT the process sends itself SIGTERM when as many tasks
wait, and `note.json` gets how long it took until the last of them knew.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

from cromulent_wdl.__main__ import process
from cromulent_wdl.backends import registry
from cromulent_wdl.backends.seam import Cancellation, Report
from cromulent_wdl.backends.workplace import Workplace
from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.model import Ending, Outcome, Resources, Task, TaskStarted

NOTE = Path("note.json")


class StandinBackend:
    """Ends every task with success after a wait, or at once when cancelled."""

    name = "process"
    description = "nothing"
    uses_images = False
    elastic = False
    defaults = Resources()

    def __init__(self) -> None:
        self._wait = float(os.environ.get("STANDIN_WAIT", "0"))
        self._abort_at = int(os.environ.get("STANDIN_ABORT_AT", "0"))
        self._lock = threading.Lock()
        self._waiting = 0
        self._aborted: float | None = None
        self._reached: list[float] = []

    def container_directory(self, directory: Path) -> str:
        """Return the directory itself."""
        return str(directory)

    def image_digest(self, reference: str) -> str | None:
        """Know of no image."""
        return None

    def refusal(self, task: Task) -> str | None:
        """Take every task."""
        return None

    def directory_refusal(self, directory: Path, name: str) -> str | None:
        """Take any directory."""
        return None

    def resume(self, directory: Path) -> None:
        """Do nothing."""

    def takes_over(self, task: Task, command: str, cancelled: Cancellation, report: Report) -> bool:
        """Take nothing over."""
        return False

    def run(self, task: Task, cancelled: Cancellation, report: Report) -> Outcome:
        """Wait."""
        report(TaskStarted(SYSTEM.now(), task.call, task.attempt, "nowhere"))
        if not self._wait:
            return Outcome(Ending.OK, 0)
        woken = threading.Event()
        with cancelled.calling(woken.set):
            self._begin_to_wait()
            woken.wait(self._wait)
        if not cancelled:
            return Outcome(Ending.OK, 0)
        with self._lock:
            self._reached.append(SYSTEM.monotonic())
        return Outcome(Ending.STOPPED, message="stopped")

    def _begin_to_wait(self) -> None:
        with self._lock:
            self._waiting += 1
            if self._waiting == self._abort_at:
                self._aborted = SYSTEM.monotonic()
                os.kill(os.getpid(), signal.SIGTERM)

    def limits(self) -> tuple[int, int]:
        """Return limits that no task of the benchmarks meets."""
        return 64, 1 << 40

    def close(self) -> None:
        """Note how the abort went."""
        if self._aborted is not None:
            note = {"reached": len(self._reached), "seconds": max(self._reached) - self._aborted}
            NOTE.write_text(json.dumps(note))


def _standin(workplace: Workplace) -> StandinBackend:
    return StandinBackend()


if __name__ == "__main__":
    registry.FACTORIES["process"] = _standin
    process()
