"""A head to be killed: `python -m tests.fakes.head_program DIRECTORY SANDBOX COMMAND…` runs each command as a task.

It prints its id when all its tasks have been started, and waits for them.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from cromulent_wdl.backends.heads import Head
from cromulent_wdl.backends.process import ProcessBackend
from cromulent_wdl.backends.seam import Cancellation
from cromulent_wdl.backends.workplace import Workplace
from cromulent_wdl.config import Settings
from cromulent_wdl.model import Event, Resources, TaskStarted
from tests.fakes.process_tasks import process_task


def main(directory: Path, sandbox: str, commands: list[str]) -> None:
    """Run the commands, each declaring a core."""
    head = Head.open("a_killed_run", directory)
    settings = Settings(sandbox="never" if sandbox == "never" else "always")
    backend = ProcessBackend(Workplace(settings, head), allow_images=False)
    started = threading.Semaphore(0)

    def report(event: Event) -> None:
        if isinstance(event, TaskStarted):
            started.release()

    threads = []
    for number, command in enumerate(commands):
        task = process_task(directory / f"task{number}", command, resources=Resources(cpu=1))
        threads.append(threading.Thread(target=backend.run, args=(task, Cancellation(), report)))
        threads[-1].start()
    for _ in commands:
        started.acquire()
    sys.stdout.write(f"{head.id}\n")
    sys.stdout.flush()
    for thread in threads:
        thread.join(600)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
