"""What all runs of this process share of AWS: the way into it, the deployment, and who watches and paces."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ...aws import access_points
from ...aws.access import Access
from ...aws.ecs import Ecs
from ...clock import SYSTEM, Clock
from ...config import Settings
from ...errors import DeploymentNotFound
from ...model import Deployment
from ...monitor import Monitor
from ...storage.digest_memory import users_memory
from ...storage.digests import Digests
from ...storage.shared import SharedFiles, find_shared
from ..budget import Spent, nothing
from .gate import Gate
from .images import Images
from .window import Window

__all__ = ["Cloud", "Files"]


class Files:
    """The deployment's files, here and in tasks."""

    def __init__(self, access: Access, deployment: Deployment, settings: Settings) -> None:
        found = access_points.find(access, deployment.access_point)
        if found is None:
            raise DeploymentNotFound(
                f"deployment {deployment.name} has lost its access point {deployment.access_point}",
                hint="cromulent up puts it back",
            )
        self.window = Window(found.root, found.user)
        self._access = access
        self._given = SharedFiles(
            Path(settings.mount), settings.mount_root or found.root, settings.file_system or deployment.file_system
        )
        self._file_system = deployment.file_system

    def of(self, directory: Path) -> SharedFiles | None:
        """Return the file system where the directory lies on the deployment's, else None."""
        shared = find_shared(directory, given=self._given)
        if shared is None or shared.file_system not in ("", self._file_system):
            return None
        if not shared.access_point:
            return shared
        point = access_points.find(self._access, shared.access_point)
        return (
            None
            if point is None
            else msgspec.structs.replace(shared, root=posixpath.join(point.root, shared.root.lstrip("/")))
        )

    def around(self, path: Path) -> SharedFiles | None:
        """Return the same for a path that need not exist."""
        return self.of(next(each for each in (path, *path.parents) if each.exists()))

    def are_here(self, path: Path) -> bool:
        """Tell whether the path, which may not exist any more, lies on the files as this machine has them."""
        return self.around(path) is not None


@dataclass(frozen=True)
class Cloud:
    """One deployment, as this process uses it."""

    access: Access
    deployment: Deployment
    settings: Settings
    files: Files
    ecs: Ecs
    monitor: Monitor
    gate: Gate
    images: Images
    digests: Digests = field(default_factory=lambda: Digests(users_memory()))
    clock: Clock = SYSTEM
    spent: Spent = nothing
