"""A miniwdl backend of somebody else: runs the command with no container and no care."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable
from pathlib import Path

from WDL.runtime import config
from WDL.runtime.task_container import TaskContainer

ENTRY_POINTS = "[miniwdl.plugin.container_backend]\nbare = bare_backend:BareContainer\n"


class BareContainer(TaskContainer):
    """For tests that need miniwdl to run a task by a backend that is not ours."""

    @classmethod
    def global_init(cls, cfg: config.Loader, logger: logging.Logger) -> None:
        pass

    @classmethod
    def detect_resource_limits(cls, cfg: config.Loader, logger: logging.Logger) -> dict[str, int]:
        return {"cpu": 1, "mem_bytes": 1 << 30}

    def _run(self, logger: logging.Logger, terminating: Callable[[], bool], command: str) -> int:
        directory = Path(self.host_dir)
        with (directory / "stdout.txt").open("wb") as stdout, (directory / "stderr.txt").open("wb") as stderr:
            return subprocess.run(
                ["/bin/sh", "-c", command], cwd=directory / "work", stdout=stdout, stderr=stderr
            ).returncode


def install(site: Path) -> None:
    """Make a directory for PYTHONPATH that holds this backend as an installed distribution."""
    metadata = site / "bare_backend-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: bare-backend\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    (site / "bare_backend.py").write_text(Path(__file__).read_text())
