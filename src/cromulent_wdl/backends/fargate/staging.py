"""A task's inputs on the shared file system: laid out as links before it starts, led back to the head after it.

In the task, the run's directory lies at its own path, and the deployment's access point, read-only, at `FILES`. An
input within the run is a link to its real path; one elsewhere on the file system a link below `FILES`; one that the
task could not see there, or not read, is first copied to where it can (`copies.py`). On the head there is no `FILES`:
when the task has ended, links that lead there are made to lead where the same file is on the head.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from ...errors import MountFailed
from ...model import Task
from ...storage.layout import COPIED_INPUTS
from ...storage.shared import SharedFiles, within
from ..inputs import Input, inputs_of
from .copies import Asked, Copies
from .window import Window

__all__ = ["lead_back", "stage_inputs"]


def stage_inputs(task: Task, shared: SharedFiles, window: Window, copies: Copies, asked: Asked) -> None:
    """Have a link in the working directory for each input, to where the task sees it.

    Blocks while inputs from elsewhere are copied. Raises MountFailed; FileUnstable for an input that is being written
    to; InterruptedError when it was told to stop.
    """
    copied: dict[str, str] = {}
    item: Input | None = None
    try:
        for item in inputs_of(task, lambda _: True):
            seen = _seen(item, task, shared, window)
            if seen is None:
                copy = copies.copy(item.host, task.run_directory, asked)
                seen = _in_run(copy, task.run_directory) or window.shows(shared.path_in_file_system(copy))
                assert seen is not None  # copies that are not in the run are where the window shows them
                copied[seen] = item.host
            os.makedirs(os.path.dirname(item.target), exist_ok=True)
            _link(seen, item.target)
        if copied:
            (task.directory / COPIED_INPUTS).write_text(json.dumps(copied))
    except InterruptedError:
        raise
    except OSError as error:
        name = item.host if item else "its inputs"
        raise MountFailed(f"input {name} could not be made ready for the task: {error}") from error


def lead_back(task: Task, shared: SharedFiles, window: Window) -> None:
    """Make links that the task left and that lead to what it saw at `FILES` lead to where that is on this host.

    What led to a copy leads to the original: copies may go. Walks the working directory. Raises OSError.
    """
    copied = _originals(task.directory / COPIED_INPUTS)
    for path in _links(str(task.work)):
        seen = os.readlink(path)
        inside = window.leads_to(seen)
        here = _original(seen, copied) or (None if inside is None else shared.path_here(inside))
        if here is not None:
            _link(str(here), path)


def _link(target: str, path: str) -> None:
    """Make a link, in place of one that is there: of a head that died, or that led elsewhere."""
    with suppress(FileNotFoundError):
        os.unlink(path)
    os.symlink(target, path)


def _originals(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return {str(seen): str(host) for seen, host in found.items()}


def _original(seen: str, copied: dict[str, str]) -> str | None:
    """Return the original of what was seen as a copy, or in one that is a directory; None for anything else."""
    for copy, host in copied.items():
        if within(seen, copy):
            return host + seen[len(copy) :]
    return None


def _seen(item: Input, task: Task, shared: SharedFiles, window: Window) -> str | None:
    """Return the path at which the task sees the input where it lies, or None if it does not."""
    in_run = _in_run(item.host, task.run_directory)
    if in_run is not None and _is_closed(item.host, None):
        return in_run
    inside = shared.inside(item.host)
    return window.shows(inside) if inside is not None and _is_closed(item.host, window) else None


def _in_run(real: str, run: Path) -> str | None:
    """Return the path at which tasks see what lies within the run: under the run's directory as it is called."""
    real_run = _real(run)
    return f"{run}{real[len(real_run) :]}" if within(real, real_run) else None


@lru_cache(maxsize=64)
def _real(run: Path) -> str:
    return os.path.realpath(run)


def _is_closed(path: str, window: Window | None) -> bool:
    """Whether a file or directory is as well where a task sees it.

    All of it must be readable through the window, and every link in it must lead, by a relative path, to something in
    it. A link that leads nowhere does so there too.
    """
    status = os.stat(path)
    if not os.path.isdir(path):
        return window is None or window.readable(status)
    return _is_closed_directory(path, window, status.st_dev, status.st_ino, status.st_mtime_ns)


@lru_cache(maxsize=4096)
def _is_closed_directory(directory: str, window: Window | None, *_: int) -> bool:
    return all(_stays(path, directory, window) for path in (directory, *_everything(directory)))


def _stays(path: str, directory: str, window: Window | None) -> bool:
    if not os.path.islink(path):
        return window is None or window.readable(os.stat(path))
    target = os.readlink(path)
    named = os.path.normpath(os.path.join(os.path.dirname(path), target))
    return not os.path.isabs(target) and within(named, directory) and within(os.path.realpath(path), directory)


def _links(directory: str) -> Iterator[str]:
    """Yield the path of every link in the directory; nothing is asked of each file, since there may be very many."""
    with os.scandir(directory) as entries:
        found = list(entries)
    for entry in found:
        if entry.is_symlink():
            yield entry.path
        elif entry.is_dir(follow_symlinks=False):
            yield from _links(entry.path)


def _everything(directory: str) -> Iterator[str]:
    """Yield the path of everything in the directory; no link is followed."""

    def fail(error: OSError) -> None:
        raise error

    for parent, directories, files in os.walk(directory, onerror=fail):
        yield from (os.path.join(parent, name) for name in (*directories, *files))
