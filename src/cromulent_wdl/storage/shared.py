"""The file system that this host shares with its tasks: where it is mounted here, and what of it.

An EFS file system is an NFS mount of `fs-….efs.REGION.amazonaws.com:/DIRECTORY`, or, by the tunnel of
amazon-efs-utils, of `127.0.0.1:/DIRECTORY`; what that tunnel leads to is in its state file. What is neither found nor
inferred is said by settings.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
from functools import cached_property
from pathlib import Path

import msgspec

__all__ = ["SharedFiles", "all_shared", "find_shared", "within"]

MOUNTS = Path("/proc/self/mountinfo")
TUNNELS = Path("/var/run/efs")
"""Where amazon-efs-utils keeps the state of its tunnels, in files named FILE_SYSTEM.MOUNT.POINT.PORT."""

_LOOPBACK = "127.0.0.1"
_FILE_SYSTEM = re.compile(r"(?:^|\.)(fs-[0-9a-f]{8,40})(?:\.|$)")
_OCTAL = re.compile(r"\\([0-7]{3})")


class SharedFiles(msgspec.Struct, frozen=True, dict=True):
    """A file system of which the directory `root` is mounted at `mount` on this host."""

    mount: Path
    root: str = "/"
    """Relative to the access point where it was mounted through one."""
    file_system: str = ""
    """Its EFS id; empty where that is not known."""
    access_point: str = ""
    """The id of the access point through which it was mounted, as far as the tunnel's state tells."""

    def contains(self, path: str | os.PathLike[str]) -> bool:
        """Whether the file at the path, links followed, lies on the file system and in no other mount within it."""
        return self.inside(os.path.realpath(path)) is not None

    def path_in_file_system(self, path: str | os.PathLike[str]) -> str:
        """Return the path, links followed, as the file system knows it. The file system must contain it."""
        return self._inside(os.path.realpath(path))

    def inside(self, real: str) -> str | None:
        """Return a real path as the file system knows it, or None where the file is not on it."""
        mount, device = self._mounted
        if not within(real, mount):
            return None
        try:
            return self._inside(real) if os.stat(real).st_dev == device else None
        except OSError:
            return self._inside(real)  # what is not there yet will be

    def _inside(self, real: str) -> str:
        relative = os.path.relpath(real, self._mounted[0])
        return posixpath.normpath(posixpath.join("/", self.root.strip("/"), relative))

    @cached_property
    def _mounted(self) -> tuple[str, int]:
        """The mount's real path, and its device."""
        real = os.path.realpath(self.mount)
        return real, os.stat(real).st_dev

    def path_here(self, inside: str) -> Path | None:
        """Return where the file system's path is on this host, or None if that part of it is not mounted."""
        root = posixpath.normpath(posixpath.join("/", self.root.strip("/")))
        inside = posixpath.normpath(inside)
        return self.mount / posixpath.relpath(inside, root) if within(inside, root) else None


class _Mount(msgspec.Struct, frozen=True):
    point: str
    root: str
    kind: str
    source: str
    port: str


def find_shared(
    directory: str | os.PathLike[str],
    *,
    mounts: Path = MOUNTS,
    tunnels: Path = TUNNELS,
    given: SharedFiles | None = None,
) -> SharedFiles | None:
    """Return the NFS file system on which the directory lies, or None if it lies on none.

    `given` is what settings say: its mount is taken as it stands; without one ("" or "."), its id and access point
    stand in where the mount table does not tell.
    """
    if given is not None and given.mount != Path():
        return given if within(os.path.realpath(directory), os.path.realpath(given.mount)) else None
    mount = _holding(os.path.realpath(directory), _read(mounts))
    if mount is None or not mount.kind.startswith("nfs"):
        return None
    found = _shared(mount, tunnels)
    return SharedFiles(
        found.mount,
        found.root,
        found.file_system or (given.file_system if given else ""),
        found.access_point or (given.access_point if given else ""),
    )


def all_shared(*, mounts: Path = MOUNTS, tunnels: Path = TUNNELS) -> list[SharedFiles]:
    """Return the EFS file systems that are mounted on this host, each mount that no other hides."""
    table = _read(mounts)
    seen = [each for each in table if each.kind.startswith("nfs") and _holding(each.point, table) is each]
    return [found for found in (_shared(each, tunnels) for each in seen) if found.file_system]


def _shared(mount: _Mount, tunnels: Path) -> SharedFiles:
    host, _, exported = mount.source.rpartition(":")
    root = posixpath.normpath(posixpath.join("/", exported.strip("/"), mount.root.strip("/")))
    return SharedFiles(Path(mount.point), root, *_identity(host, mount, tunnels))


def within(path: str, directory: str) -> bool:
    """Whether the path is the directory, or lies in it; both as they are written."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _holding(path: str, mounts: list[_Mount]) -> _Mount | None:
    """Return the mount that the path lies in: the innermost, and of several at one point the last, which hides them."""
    holding = None
    for mount in mounts:
        if within(path, mount.point) and (holding is None or len(mount.point) >= len(holding.point)):
            holding = mount
    return holding


def _read(mounts: Path) -> list[_Mount]:
    """Return the mounts of a file like /proc/self/mountinfo, in their order (proc_pid_mountinfo(5))."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return []  # no Linux
    found = []
    for line in lines:
        fields, _, rest = line.partition(" - ")
        head, tail = fields.split(), rest.split()
        if len(head) < 5 or len(tail) < 3:
            continue
        options = dict(option.partition("=")[::2] for option in tail[2].split(","))
        found.append(_Mount(_plain(head[4]), _plain(head[3]), tail[0], _plain(tail[1]), options.get("port", "")))
    return found


def _plain(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match.group(1), 8)), text)


def _identity(host: str, mount: _Mount, tunnels: Path) -> tuple[str, str]:
    """Return the ids of the file system and of the access point, each empty where it is not known."""
    named = _FILE_SYSTEM.search(host)
    if named:
        return named.group(1), ""
    if host != _LOOPBACK:
        return "", ""
    point = mount.point.replace("/", ".").strip(".")
    try:
        names = sorted(os.listdir(tunnels))
    except OSError:
        return "", ""
    for name in names:
        file_system, _, rest = name.partition(".")
        where, _, port = rest.rpartition(".")
        if file_system.startswith("fs-") and where == point and mount.port in ("", port):
            return file_system, _access_point(tunnels / name)
    return "", ""


def _access_point(state: Path) -> str:
    try:
        return str(json.loads(state.read_bytes()).get("accessPoint", ""))
    except (OSError, ValueError, AttributeError):
        return ""  # its owner is root, who may have kept it to himself
