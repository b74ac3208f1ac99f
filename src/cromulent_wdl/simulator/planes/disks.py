"""Ephemeral storage of the size that a task has: a file system in a sparse file, mounted by a loop device.

Only root can mount, and not every machine has loop devices; elsewhere nothing limits a task (ledger). A mount ends
with its task, or else with the simulator's directory (`backends/aftermath.py`), and its loop device with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ...errors import CromulentError

__all__ = ["Disk", "Disks", "probe"]

_GIB = 2**30
_PROBE_BYTES = 8 * 2**20
_QUICK = ("-q", "-F", "-m", "0", "-O", "^has_journal,^resize_inode", "-E", "lazy_itable_init=1,nodiscard")
"""Options of mkfs: what takes time is left out."""


class DiskFailed(CromulentError):
    """A disk could not be made."""


@dataclass(frozen=True)
class Disk:
    """The file system of a task."""

    mount: Path

    def root(self, container: str) -> Path:
        """Return what is `/` to a container that is only a process."""
        return self.mount / "root" / container

    def temporary(self, container: str) -> Path:
        """Return what is `/tmp` to a container."""
        return self.mount / "tmp" / container

    def prepare(self, container: str, owner: int) -> None:
        """Make a container's own directories."""
        self.root(container).mkdir(parents=True)
        os.chown(self.root(container), owner, -1)
        self.temporary(container).mkdir(parents=True)
        self.temporary(container).chmod(0o1777)

    @property
    def volumes(self) -> Path:
        """Where scratch volumes are."""
        return self.mount / "volumes"


class Disks:
    """Makes disks."""

    unit = _GIB
    """Bytes."""

    def make(self, directory: Path, gibibytes: int) -> Disk:
        """Make a disk in a directory and mount it. Raises DiskFailed."""
        return _make(directory, gibibytes * self.unit)

    def remove(self, disk: Disk) -> None:
        """Unmount a disk; what is on it goes with the directory that it was made in."""
        subprocess.run(["umount", "--lazy", str(disk.mount)], check=False, capture_output=True)


def probe(directory: Path) -> Disks | None:
    """Return what makes disks, or None where this machine, or this user, cannot."""
    if os.geteuid() != 0 or not all(shutil.which(tool) for tool in ("mkfs.ext4", "mount", "umount")):
        return None
    disks, trial = Disks(), directory / "disk-trial"
    trial.mkdir()
    try:
        disks.remove(_make(trial, _PROBE_BYTES))
    except DiskFailed:
        return None
    finally:
        shutil.rmtree(trial, ignore_errors=True)
    return disks


def _make(directory: Path, size: int) -> Disk:
    image, disk = directory / "disk.img", Disk(directory / "disk")
    try:
        disk.mount.mkdir()
        with image.open("wb") as file:
            file.truncate(size)
    except OSError as error:
        raise DiskFailed(f"cannot make {image}: {error.strerror}") from error
    make = ["mkfs.ext4", *_QUICK, str(image)]
    for command in (make, ["mount", "-o", "loop,noatime", str(image), str(disk.mount)]):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise DiskFailed(f"{command[0]} failed: {done.stderr.strip()}")
    return disk
