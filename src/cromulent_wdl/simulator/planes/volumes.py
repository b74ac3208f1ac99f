"""A task's volumes as directories of this machine: EFS file systems in one place, scratch under the task's own.

An access point's root is made where it is missing, as EFS makes it, and nothing outside it can be reached through
it. What EFS would refuse to mount fails the task (facts: EFS mount failure).
"""

from __future__ import annotations

import os
from pathlib import Path

from ..ecs.seam import AccessPoint, Launch, VolumePlan
from .surroundings import CannotStart

__all__ = ["prepare", "user_of"]


def prepare(launch: Launch, files: Path, scratch: Path) -> dict[str, Path]:
    """Return the directory of each volume, made where it is to be made; raises CannotStart."""
    return {volume.name: _directory(volume, files, scratch) for volume in launch.volumes}


def user_of(launch: Launch, container: str) -> tuple[int, int] | None:
    """Return the user that an access point gives to what the container does on it, if one does.

    EFS maps every access to that user; here the container runs as it (ledger). The first access point counts.
    """
    plan = next(each for each in launch.containers if each.name == container)
    mounted = {volume for volume, _, _ in plan.mounts}
    points = [volume.access_point for volume in launch.volumes if volume.name in mounted]
    return next((point.user for point in points if point is not None and point.user is not None), None)


def _directory(volume: VolumePlan, files: Path, scratches: Path) -> Path:
    if volume.file_system is None:
        scratch = scratches / volume.name
        scratch.mkdir(parents=True)
        scratch.chmod(0o777)
        return scratch
    base = files / volume.file_system
    base.mkdir(parents=True, exist_ok=True)
    target = Path(os.path.realpath(base / volume.root_directory.strip("/")))
    if not target.is_relative_to(os.path.realpath(base)):
        raise _mount_failure("access denied by server while mounting", volume)  # a symbolic link that leads out
    if not target.is_dir():
        if volume.access_point is None or volume.access_point.creation is None:
            raise _mount_failure("failed, reason given by server: No such file or directory", volume)
        _create(target, volume.access_point)
    return target


def _create(target: Path, point: AccessPoint) -> None:
    """Make an access point's root: the last directory is its owner's, those above are EFS's own."""
    assert point.creation is not None  # the caller looked
    user, group, permissions = point.creation
    target.mkdir(parents=True, exist_ok=True)
    target.chmod(permissions)
    if os.geteuid() == 0:
        os.chown(target, user, group)


def _mount_failure(words: str, volume: VolumePlan) -> CannotStart:
    return CannotStart(
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: "
        f"b'mount.nfs4: mounting {volume.file_system}:{volume.root_directory} {words}' "
        ": unsuccessful EFS utils command execution; code: 32"
    )
