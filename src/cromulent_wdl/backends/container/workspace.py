"""The files of an attempt on this host: made ready for a container, and looked at after it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ...errors import MountFailed
from ...model import Mount, Task
from ...storage.layout import USAGE

__all__ = ["has_foreign_files", "is_disk_full", "prepare", "read_usage"]

_GROUP_FILE = 0o660
_GROUP_DIRECTORY = 0o770
_FULL_BYTES = 1024 * 1024
_LAST_WORDS = 1024
_NO_SPACE = (b"No space left on device", b"Disk quota exceeded")


def prepare(task: Task) -> None:
    """Make mount points, and let the invoking user's group write where the command may.

    What is missing an engine would make itself, owned by root. Raises MountFailed.
    """
    try:
        for mount in () if task.inputs_copied else task.inputs:
            _make_mount_point(task, mount)
        (task.directory / USAGE).write_bytes(b"")
        for path in (task.stdout, task.stderr):
            path.touch()
        for path in (task.command, task.stdout, task.stderr, task.directory / USAGE):
            _allow(path, _GROUP_FILE)
        for entry, is_directory in _walk(task.work):
            _allow(entry, _GROUP_DIRECTORY if is_directory else _GROUP_FILE)
    except OSError as error:
        raise MountFailed(f"the task's directory {task.directory} could not be made ready: {error}") from error


def _make_mount_point(task: Task, mount: Mount) -> None:
    if not mount.host.exists():
        raise MountFailed(f"input {mount.host} is not there any more")
    inside = PurePosixPath(mount.container)
    work = PurePosixPath(task.container_directory, "work")
    if not inside.is_relative_to(work):
        return
    point = task.work / inside.relative_to(work)
    if mount.directory:
        point.mkdir(parents=True, exist_ok=True)
    else:
        point.parent.mkdir(parents=True, exist_ok=True)
        point.touch()


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(stat.S_IMODE(mode) | bits)


def _walk(root: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the directory and all that is in it, and whether each is a directory; symbolic links are left out."""
    yield root, True
    with os.scandir(root) as entries:
        for entry in entries:
            if entry.is_symlink():
                continue
            if entry.is_dir():
                yield from _walk(Path(entry.path))
            else:
                yield Path(entry.path), False


def read_usage(task: Task) -> str:
    """Return what the wrapper left, which is nothing when it never ran."""
    try:
        return (task.directory / USAGE).read_text(errors="replace")
    except OSError:
        return ""


def has_foreign_files(root: Path, uid: int) -> bool:
    """Return whether another user owns anything in the directory."""
    try:
        with os.scandir(root) as entries:
            return any(
                entry.stat(follow_symlinks=False).st_uid != uid
                or (entry.is_dir(follow_symlinks=False) and has_foreign_files(Path(entry.path), uid))
                for entry in entries
            )
    except PermissionError:
        return True


def is_disk_full(task: Task) -> bool:
    """Return whether a command that failed has run out of disk: its last words say so, or nothing is left."""
    disk = os.statvfs(task.work)
    if disk.f_bavail * disk.f_frsize < _FULL_BYTES or (disk.f_files and not disk.f_favail):
        return True
    with task.stderr.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _LAST_WORDS))
        words = file.read()
    return any(text in words for text in _NO_SPACE)
