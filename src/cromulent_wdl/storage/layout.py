"""Every file and directory name that this project gives or reads, in one place.

A run directory is miniwdl's, plus `journal.jsonl`. What outlives a run or is shared by runs is under the
user's state and cache directories (XDG on Linux).
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

__all__ = [
    "BUILD_LOG",
    "CALL_LOG",
    "DIGESTS",
    "ERROR",
    "JOURNAL",
    "OUTPUTS",
    "RUN_LOG",
    "STDERR",
    "USAGE",
    "cache_directory",
    "defects_directory",
    "grammars_directory",
    "heads_directory",
    "runs_directory",
    "state_directory",
    "stream_file",
]

JOURNAL = "journal.jsonl"
RUN_LOG = "workflow.log"
CALL_LOG = "task.log"
STDERR = "stderr.txt"
OUTPUTS = "outputs.json"
ERROR = "error.json"
DIGESTS = "digests.sqlite"
BUILD_LOG = "inlineDockerfile.log"
"""What the engine said while it built a task's inline Dockerfile."""
USAGE = "usage.txt"
"""Written by the wrapper of a container task, beside `command`: peak memory, CPU time, kills for memory."""


def stream_file(stream: str, attempt: int) -> str:
    """Return the name of an attempt's `stdout` or `stderr` in its call's directory, as miniwdl gives it."""
    return f"{stream}{attempt if attempt > 1 else ''}.txt"


def _private(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def state_directory() -> Path:
    """Return (and make) the directory of what must outlive a run: the index of runs, heads and their leases."""
    return _private(Path(os.environ.get("XDG_STATE_HOME") or platformdirs.user_state_path()) / "cromulent")


def cache_directory() -> Path:
    """Return (and make) the directory of what may be deleted at any time."""
    return _private(Path(os.environ.get("XDG_CACHE_HOME") or platformdirs.user_cache_path()) / "cromulent")


def grammars_directory() -> Path:
    """Return (and make) the directory of parser tables kept between processes."""
    return _private(cache_directory() / "grammars")


def runs_directory() -> Path:
    """Return (and make) the index of this user's runs on this machine."""
    return _private(state_directory() / "runs")


def heads_directory() -> Path:
    """Return (and make) the directory in which live heads hold their locks and leases."""
    return _private(state_directory() / "heads")


def defects_directory() -> Path:
    """Return (and make) the directory of the traces of this program's own defects."""
    return _private(state_directory() / "defects")
