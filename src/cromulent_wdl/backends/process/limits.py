"""Memory limits by cgroups, where this system lets us: version 2 where a part is delegated to us, or version 1.

A task with a limit gets a group of its own beside or below ours, which also measures its peak and tells whether
the kernel killed in it for memory. Whether that works is tried once.
"""

from __future__ import annotations

import itertools
import logging
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from ...clock import SYSTEM, Clock
from ..heads import Head

__all__ = ["Hierarchy", "MemoryGroup", "MemoryLimits", "candidates", "find_hierarchy", "own_groups"]

_PREFIX = "cromulent-task-"
_REMOVALS = 100
_PAUSE = 0.02
_JOIN = 'echo 0 > "$0" && exec "$@"'
_PROBE_SECONDS = 10


class Hierarchy(msgspec.Struct, frozen=True):
    """A cgroup below which groups can be made, and the names of the files in them."""

    base: Path
    version: int

    @property
    def limit(self) -> str:
        """The file that takes the limit."""
        return "memory.max" if self.version == 2 else "memory.limit_in_bytes"

    @property
    def swap(self) -> tuple[str, bool]:
        """The file that keeps swap from adding to the limit, and whether it takes the limit itself or 0."""
        return ("memory.swap.max", False) if self.version == 2 else ("memory.memsw.limit_in_bytes", True)

    @property
    def peak(self) -> str:
        """The file with the most bytes used; kernels before 5.19 have none in version 2."""
        return "memory.peak" if self.version == 2 else "memory.max_usage_in_bytes"

    @property
    def events(self) -> str:
        """The file in which `oom_kill` counts the processes killed."""
        return "memory.events" if self.version == 2 else "memory.oom_control"


class MemoryGroup:
    """One task's cgroup. Nothing is in it before a command started behind `joining` joins it."""

    def __init__(self, hierarchy: Hierarchy, name: str, limit: int) -> None:
        self._hierarchy = hierarchy
        self._path = hierarchy.base / f"{_PREFIX}{name}"
        self._path.mkdir()
        swap, takes_limit = hierarchy.swap
        try:
            # Written without being made: in version 2 the file is there only where memory is controlled.
            _write(self._path / hierarchy.limit, limit)
        except OSError:
            self._path.rmdir()
            raise
        with suppress(OSError):  # without swap accounting there is no such file
            _write(self._path / swap, limit if takes_limit else 0)

    @property
    def joining(self) -> tuple[str, ...]:
        """The command line that runs what is appended to it within the group."""
        return ("/bin/sh", "-c", _JOIN, str(self._path / "cgroup.procs"))

    @property
    def as_own(self) -> tuple[str, str]:
        """The group, and where a program looks for the limit of its own group, as a Java machine does."""
        return str(self._path), "/sys/fs/cgroup" if self._hierarchy.version == 2 else "/sys/fs/cgroup/memory"

    def peak(self) -> int | None:
        """Return the most memory used so far, in bytes."""
        try:
            return int((self._path / self._hierarchy.peak).read_text())
        except (OSError, ValueError):
            return None

    def kills(self) -> int:
        """Return how many processes the kernel killed at the limit."""
        try:
            events = (self._path / self._hierarchy.events).read_text()
        except OSError:
            return 0
        match = re.search(r"^oom_kill (\d+)$", events, re.MULTILINE)
        return int(match.group(1)) if match else 0

    def close(self, clock: Clock = SYSTEM) -> None:
        """Kill what is still in the group, and remove it."""
        for _ in range(_REMOVALS):
            with suppress(OSError):
                for line in (self._path / "cgroup.procs").read_text().split():
                    os.kill(int(line), signal.SIGKILL)
            try:
                self._path.rmdir()
                return
            except FileNotFoundError:
                return
            except OSError:
                clock.sleep(_PAUSE)  # what was killed takes a moment to go


def own_groups(cgroups: str, mounts: str) -> list[Hierarchy]:
    """Return the cgroups by which our own memory is counted, from `/proc/self/cgroup` and `/proc/self/mountinfo`."""
    found = []
    for line in cgroups.splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            found += [Hierarchy(base, 1) for base in _seen_at(path, mounts, " - cgroup ", "memory")]
        elif not controllers:
            found += [Hierarchy(base, 2) for base in _seen_at(path, mounts, " - cgroup2 ", "")]
    return found


def candidates(groups: Iterable[Hierarchy]) -> list[Hierarchy]:
    """Return where groups for tasks may be made, given our own.

    Version 2 keeps processes out of groups that have groups, but for the root, so it must be beside us.
    """
    found = []
    for own in groups:
        found += [own, Hierarchy(own.base.parent, 2)] if own.version == 2 else [own]
    return found


def find_hierarchy() -> Hierarchy | None:
    """Return where memory groups can really be made and joined here, having tried it."""
    try:
        own = own_groups(Path("/proc/self/cgroup").read_text(), Path("/proc/self/mountinfo").read_text())
    except (OSError, ValueError):
        return None
    return next((hierarchy for hierarchy in candidates(own) if _works(hierarchy)), None)


class MemoryLimits:
    """The memory groups of one head's tasks."""

    def __init__(self, head: Head, clock: Clock) -> None:
        self._head = head
        self._clock = clock
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._tried = False
        self._hierarchy: Hierarchy | None = None

    @contextmanager
    def group(self, limit: int) -> Iterator[MemoryGroup | None]:
        """Make a group for the block; None for a task without a limit, and where none can be enforced."""
        hierarchy = self._find() if limit else None
        if hierarchy is None:
            yield None
            return
        group = MemoryGroup(hierarchy, f"{self._head.id}-{next(self._numbers)}", limit)
        try:
            yield group
        finally:
            group.close(self._clock)

    def _find(self) -> Hierarchy | None:
        with self._lock:
            if not self._tried:
                self._tried = True
                self._hierarchy = find_hierarchy()
                if self._hierarchy is None:
                    logging.getLogger("cromulent").warning(
                        "memory limits are not enforced: this system lets us make no memory cgroup"
                    )
                else:
                    _remove_abandoned(self._hierarchy, [entry.name for entry in self._head.machine.entries()])
            return self._hierarchy


def _remove_abandoned(hierarchy: Hierarchy, heads: Iterable[str]) -> None:
    """Remove the empty groups of heads that nobody knows any more."""
    known = tuple(f"{_PREFIX}{head}-" for head in heads)
    for group in hierarchy.base.glob(f"{_PREFIX}*"):
        if not group.name.startswith(known):
            with suppress(OSError):
                group.rmdir()


def _works(hierarchy: Hierarchy) -> bool:
    try:
        group = MemoryGroup(hierarchy, f"probe-{os.getpid()}", 1 << 30)
    except OSError:
        return False
    try:
        tried = subprocess.run([*group.joining, "true"], capture_output=True, timeout=_PROBE_SECONDS)
        return tried.returncode == 0 and group.kills() == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
    finally:
        group.close()


def _write(file: Path, value: int) -> None:
    with file.open("r+") as stream:
        stream.write(str(value))


def _seen_at(path: str, mounts: str, kind: str, option: str) -> list[Path]:
    """Return where the cgroup of this path is to be seen: mounts in a container may show but a part of the tree."""
    found = []
    for mount in mounts.splitlines():
        fields, separator, rest = mount.partition(kind)
        if separator and (not option or option in re.split(r"[, ]", rest)):
            root, point = fields.split()[3:5]
            if path == root or root == "/" or path.startswith(root + "/"):
                found.append(Path(point) / path[len(root.rstrip("/")) :].lstrip("/"))
    return found
