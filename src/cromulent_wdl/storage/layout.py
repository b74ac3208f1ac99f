"""Every file and directory name that this project gives or reads, in one place.

A run directory is miniwdl's, plus `journal.jsonl`. What outlives a run or is shared by runs is under the
user's state and cache directories (XDG on Linux).
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
from pathlib import Path

import platformdirs

__all__ = [
    "ATTEMPTS",
    "BUILD_LOG",
    "CALL_LOG",
    "CALL_PREFIX",
    "CLOUD",
    "COPIED_INPUTS",
    "COPIES",
    "DIGESTS",
    "ENDED",
    "ERROR",
    "FARGATE_RUN",
    "HEAD_LOCK",
    "HEAD_LOG",
    "JOURNAL",
    "OUTPUTS",
    "OUTPUTS_BEFORE",
    "OUTPUTS_JSON",
    "REMOVED",
    "RUN_LOG",
    "SOURCE",
    "USAGE",
    "attempt_directory",
    "cache_directory",
    "defects_directory",
    "grammars_directory",
    "heads_directory",
    "last_attempt",
    "last_begun",
    "prices_directory",
    "runs_directory",
    "state_directory",
    "stream_file",
    "unpacked",
    "usage_directory",
]

JOURNAL = "journal.jsonl"
RUN_LOG = "workflow.log"
CALL_LOG = "task.log"
ERROR = "error.json"
CALL_PREFIX = "call-"
OUTPUTS = "out"
"""In the directory of a run or call: links to its outputs, made by the engine at the end."""
OUTPUTS_BEFORE = "out.before"
"""Those that an earlier head of the run made."""
OUTPUTS_JSON = "outputs.json"
"""In the directory of a run or call: its outputs, written when all of the links have been made."""
SOURCE = "wdl"
"""In a run's directory: copies of what was run, beside one another as their originals are."""
HEAD_LOG = "head.log"
"""In the copy of a run in the cloud: the log of its heads as far as it has come."""
CLOUD = "cloud.json"
"""In the copy of a run in the cloud: which run it is (runs/mirror.py)."""
REMOVED = "removed"
"""In the directory of a run, or the copy of one in the cloud: by which command what else it had was removed."""
DIGESTS = "digests.sqlite"
BUILD_LOG = "inlineDockerfile.log"
"""What the engine said while it built a task's inline Dockerfile."""
USAGE = "usage.txt"
"""Written by the wrapper of a container task, beside `command`: peak memory, CPU time, kills for memory."""

ATTEMPTS = ".cromulent/attempts"
"""In a run's directory: what tasks on a shared disk are started with and leave behind, one directory an attempt."""
ENDED = ".cromulent/ended"
"""In a run's directory: an empty file for each attempt that has ended and that nobody has noticed yet."""
COPIES = ".cromulent/inputs"
"""In a directory on a shared disk: copies of inputs from elsewhere, by content."""
COPIED_INPUTS = "copied_inputs.json"
"""In a call's directory: an object of the paths at which its task saw copies of inputs, each with the original's."""

_ATTEMPT = re.compile(r"work(\d*)")
_BEGUN = re.compile(r"stdout(\d*)\.txt")

HEAD_LOCK = ".cromulent/head"
"""In a run's directory on a shared disk: locked by the run's head for as long as it lives."""
FARGATE_RUN = ".cromulent/fargate.json"
"""In a run's directory: what was made once for the run in AWS."""


def unpacked(source: str) -> str:
    """Return the path of a source; of one that came in a zip, as it does in the cloud, its path in there.

    Where miniwdl had unpacked it is gone with the head.
    """
    return re.sub(r"^.*/miniwdl_run_zip_[^/]+/", "", source)


def stream_file(stream: str, attempt: int) -> str:
    """Return the name of an attempt's `stdout` or `stderr` in its call's directory, as miniwdl gives it."""
    return f"{stream}{attempt if attempt > 1 else ''}.txt"


def attempt_directory(attempt: int) -> str:
    """Return the name of an attempt's working directory in its call's directory, as miniwdl gives it."""
    return f"work{attempt if attempt > 1 else ''}"


def last_attempt(directory: str | os.PathLike[str]) -> int:
    """Return the number of the last attempt with a working directory in a call's, or 0 where there is none."""
    return _last(_ATTEMPT, directory)


def last_begun(directory: str | os.PathLike[str]) -> int:
    """Return the number of the last attempt that has streams in a call's directory, or 0 where there is none."""
    return _last(_BEGUN, directory)


def _last(name: re.Pattern[str], directory: str | os.PathLike[str]) -> int:
    try:
        numbers = [name.fullmatch(each) for each in os.listdir(directory)]
    except FileNotFoundError:
        return 0
    return max((int(found.group(1) or 1) for found in numbers if found), default=0)


def _private(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def state_directory() -> Path:
    """Return (and make) the directory of what must outlive a run: the index of runs, heads and their leases.

    A user without a home that can be written, as in many a container, has it among the temporary files.
    """
    if place := os.environ.get("XDG_STATE_HOME"):
        return _private(Path(place) / "cromulent")
    try:
        path = _private(platformdirs.user_state_path() / "cromulent")
        if os.access(path, os.W_OK):
            return path
    except OSError:
        pass  # the reason is the home's; what matters is that there is another place
    return _own(_private(Path(tempfile.gettempdir()) / f"cromulent-{os.getuid()}"))


def _own(path: Path) -> Path:
    """Refuse a directory that somebody else has put in a place that is everybody's."""
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PermissionError(errno.EPERM, "another user may write to it", str(path))
    return path


def cache_directory() -> Path:
    """Return (and make) the directory of what may be deleted at any time."""
    return _private(Path(os.environ.get("XDG_CACHE_HOME") or platformdirs.user_cache_path()) / "cromulent")


def grammars_directory() -> Path:
    """Return (and make) the directory of parser tables kept between processes."""
    return _private(cache_directory() / "grammars")


def prices_directory() -> Path:
    """Return (and make) the directory of the prices that AWS was asked for."""
    return _private(cache_directory() / "prices")


def usage_directory() -> Path:
    """Return (and make) the directory of what runs of deployments used, once they have ended."""
    return _private(cache_directory() / "usage")


def runs_directory() -> Path:
    """Return (and make) the index of this user's runs on this machine."""
    return _private(state_directory() / "runs")


def heads_directory() -> Path:
    """Return (and make) the directory in which live heads hold their locks and leases."""
    return _private(state_directory() / "heads")


def defects_directory() -> Path:
    """Return (and make) the directory of the traces of this program's own defects."""
    return _private(state_directory() / "defects")
