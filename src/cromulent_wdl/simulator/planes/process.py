"""The `process` data plane: a container's command runs on this machine, in bubblewrap, without its image.

It sees this machine's programs and the task's volumes. Neither cpu nor memory is limited, storage only where disks can
be made (`disks.py`), and the network is this machine's (ledger).
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from concurrent.futures import Future

from ...backends.heads import MARK
from ...errors import CromulentError
from ..ecs.seam import ContainerPlan, Launch
from .process_start import spawn
from .real import Child, RealPlane
from .surroundings import Places, Surroundings

__all__ = ["ProcessRunner", "SandboxMissing", "process_plane"]


class SandboxMissing(CromulentError):
    """The `process` data plane has no bubblewrap that works."""


class ProcessRunner:
    """Runs containers as processes."""

    def __init__(self, surroundings: Surroundings) -> None:
        _require_bubblewrap()
        self._surroundings = surroundings

    def fetch(self, launch: Launch, stopped: Future[None]) -> Mapping[str, str]:
        """Fetch nothing: images play no part."""
        return {}

    def spawn(self, launch: Launch, plan: ContainerPlan, places: Places) -> Child:
        """Start a container on the calling thread, with which it dies."""
        given = {**self._surroundings.environment(launch, plan), MARK: self._surroundings.owner}
        return spawn(launch, plan, places, given)

    def close(self) -> None:
        """Hold nothing."""


def process_plane(surroundings: Surroundings) -> RealPlane:
    """Return the data plane; raises SandboxMissing."""
    return RealPlane(ProcessRunner(surroundings), surroundings)


def _require_bubblewrap() -> None:
    try:
        subprocess.run(["bwrap", "--ro-bind", "/", "/", "--unshare-pid", "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SandboxMissing(
            "the process data plane needs bubblewrap, which does not work here",
            hint="install bubblewrap, or use --data-plane container or play",
        ) from error
