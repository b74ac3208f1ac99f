"""Bubblewrap's command line for a container that is only a process, pure.

Its root directory is empty, and in memory or on the task's disk; this machine's own directories are in it, read-only,
but for those in which the task mounts something: so a mount can be anywhere, and nothing of this machine is written to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["CGROUPS", "Bubble", "arguments"]

CGROUPS = "/sys/fs/cgroup"
_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETUID")
_OWN = frozenset(("dev", "proc", "tmp"))


@dataclass(frozen=True)
class Bubble:
    """What a container sees: mounts are (directory of this machine, path, read-only)."""

    mounts: tuple[tuple[str, str, bool], ...]
    tmpfs: tuple[tuple[str, int], ...]
    tops: Mapping[str, str | None]
    """The entries of `/`: None for a directory, else what a symbolic link says."""
    existing: frozenset[str]
    """The paths of mounts which are directories on this machine already."""
    working_directory: str
    as_root: bool
    init: bool
    own: tuple[str, str] | None = None
    """The directories that are `/` and `/tmp`; None has them in memory."""
    cgroups: bool = False
    """Whether this machine has cgroups to be hidden: the container is in none of its own, and their figures not its."""


def arguments(bubble: Bubble, status: int) -> list[str]:
    """Return the command line that runs what is appended to it; `status` is the descriptor for its JSON."""
    root, temporary = bubble.own or ("", "")
    line = ["bwrap", *(("--bind", root, "/") if root else ("--tmpfs", "/"))]
    hidden = {_top(path) for path in _paths(bubble) if path not in bubble.existing} | _OWN
    for name, link in bubble.tops.items():
        if name not in hidden:
            line += ["--ro-bind", f"/{name}", f"/{name}"] if link is None else ["--symlink", link, f"/{name}"]
    if bubble.cgroups and "sys" not in hidden:
        line += ["--tmpfs", CGROUPS, "--remount-ro", CGROUPS]
    line += ["--proc", "/proc", "--dev", "/dev"]
    line += ["--bind", temporary, "/tmp"] if temporary else ["--perms", "1777", "--tmpfs", "/tmp"]
    for path, mebibytes in bubble.tmpfs:
        line += ["--size", str(mebibytes * 2**20), "--perms", "1777", "--tmpfs", path]
    for source, path, read_only in bubble.mounts:
        line += ["--ro-bind" if read_only else "--bind", source, path]
    if bubble.as_root:
        line += ["--cap-drop", "ALL"]
        for capability in _CAPABILITIES:
            line += ["--cap-add", f"CAP_{capability}"]
    line += ["--unshare-pid", "--unshare-ipc", "--new-session", "--die-with-parent"]
    if not bubble.init:
        line.append("--as-pid-1")
    return [*line, "--json-status-fd", str(status), "--chdir", bubble.working_directory, "--"]


def _paths(bubble: Bubble) -> Iterable[str]:
    yield from (path for _, path, _ in bubble.mounts)
    yield from (path for path, _ in bubble.tmpfs)


def _top(path: str) -> str:
    return path.strip("/").partition("/")[0]
