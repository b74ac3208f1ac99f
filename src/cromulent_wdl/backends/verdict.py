"""How a command ended: one decision, from what was seen."""

from __future__ import annotations

import errno
import os
import re
import signal
from pathlib import Path

import msgspec

from ..model import Ending, Outcome, Usage
from ..units import format_memory

__all__ = ["STOPPED", "SURVIVED", "Evidence", "failed_preparation", "is_full", "tail", "verdict"]

STOPPED = Outcome(Ending.STOPPED, message="stopped with the run")
SURVIVED = "a process of it was killed for memory, though the command ended with status 0"
"""Of a command that is OK all the same: whether it can do without that process only the command knows."""

_TAIL = 1024
_DISK_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_READ_ONLY = "Read-only file system"
_REMARK = "; in the sandbox it can write its working directory, /tmp and $HOME, which is /tmp there"
_SPARE = 65_536
"""Bytes below which a file system counts as full: less than what a program writes at once."""


class Evidence(msgspec.Struct, frozen=True):
    """What was seen of one command."""

    exit_code: int
    """128 + n for a command that signal n ended."""
    stopped: bool = False
    """It was told to stop before it ended."""
    sandboxed: bool = False
    sandbox_failure: str = ""
    """Why the sandbox could not be set up; then the command never ran."""
    memory_kills: int = 0
    memory_limit: int = 0
    stderr_tail: str = ""
    disk_full: bool = False
    """Nothing can be written to the working directory's file system now."""


def verdict(evidence: Evidence, usage: Usage) -> Outcome:
    """Return the outcome of a command that is over."""
    code = evidence.exit_code
    if evidence.stopped:
        return Outcome(Ending.STOPPED, code, STOPPED.message, usage)
    if evidence.sandbox_failure:
        return Outcome(Ending.MOUNT, None, f"the sandbox could not be set up: {evidence.sandbox_failure}", usage)
    if code == 0:
        return Outcome(Ending.OK, code, SURVIVED if evidence.memory_kills else "", usage)
    if evidence.memory_kills:
        limit = format_memory(evidence.memory_limit)
        return Outcome(Ending.OOM, code, f"killed at its memory limit of {limit}", usage)
    if evidence.disk_full or _DISK_FULL.search(evidence.stderr_tail):
        return Outcome(Ending.DISK_FULL, code, "no space was left on the disk of the run directory", usage)
    remark = _REMARK if evidence.sandboxed and _READ_ONLY in evidence.stderr_tail else ""
    return Outcome(Ending.FAILED, code, f"the command ended with status {_status(code)}{remark}", usage)


def failed_preparation(error: OSError) -> Outcome:
    """Return the outcome of a task that could not be started because of this error."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Outcome(Ending.DISK_FULL, message=f"no space was left on the disk: {error}")
    if error.errno in (errno.EAGAIN, errno.ENOMEM):
        return Outcome(Ending.CAPACITY, message=f"this machine could not start another process: {error}")
    return Outcome(Ending.MOUNT, message=f"the task could not be prepared: {error}")


def is_full(directory: Path) -> bool:
    """Tell whether this user can write nothing more to the directory's file system."""
    try:
        stat = os.statvfs(directory)
    except OSError:
        return False
    blocks, files = (stat.f_bfree, stat.f_ffree) if os.geteuid() == 0 else (stat.f_bavail, stat.f_favail)
    return blocks * stat.f_frsize < _SPARE or (stat.f_files > 0 and files == 0)


def tail(file: Path) -> str:
    """Return the last kilobyte of a file of text; nothing where it cannot be read."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL))
            return stream.read().decode(errors="replace")
    except OSError:
        return ""


def _status(code: int) -> str:
    try:
        return f"{code} (killed by {signal.Signals(code - 128).name})" if code > 128 else str(code)
    except ValueError:
        return str(code)
