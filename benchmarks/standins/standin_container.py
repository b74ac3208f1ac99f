"""A container backend for stock miniwdl that runs nothing, for the time that STANDIN_WAIT says.

With STANDIN_PACE no more than so many tasks end a second.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

from WDL.runtime import config
from WDL.runtime.task_container import TaskContainer

_turns = threading.Lock()


class StandinContainer(TaskContainer):
    """Leaves the files that every backend leaves, and ends every task with success after a wait."""

    @classmethod
    def global_init(cls, cfg: config.Loader, logger: logging.Logger) -> None:
        """Do nothing."""

    @classmethod
    def detect_resource_limits(cls, cfg: config.Loader, logger: logging.Logger) -> dict[str, int]:
        """Return limits that no task of the benchmarks meets."""
        return {"cpu": 64, "mem_bytes": 1 << 40}

    def _run(self, logger: logging.Logger, terminating: Callable[[], bool], command: str) -> int:
        with open(os.path.join(self.host_dir, "command"), "w", encoding="utf-8") as file:
            file.write(command)
        for stream in ("stdout.txt", "stderr.txt"):
            self.touch_mount_point(os.path.join(self.host_dir, stream))
        with self.task_running_context():
            if wait := float(os.environ.get("STANDIN_WAIT", "0")):
                threading.Event().wait(wait)
            if pace := float(os.environ.get("STANDIN_PACE", "0")):
                with _turns:
                    threading.Event().wait(1 / pace)
        return 0
