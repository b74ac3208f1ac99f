"""A task's place on disk: where the command finds its working directory, its inputs and room for temporary files."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ...model import Task

__all__ = ["Input", "Scratch", "call_it_work", "inputs_of", "laid_out"]


@dataclass(frozen=True)
class Input:
    """An input and the real path at which the command expects it."""

    host: str
    """Its real path."""
    target: str
    directory: bool
    linked: bool
    """Reached by a symbolic link; otherwise the sandbox mounts it there."""


class Scratch:
    """One backend's directories for temporary files, on the disk that this machine has for them."""

    def __init__(self, prefix: str) -> None:
        self._root = tempfile.mkdtemp(prefix=prefix)
        self._numbers = itertools.count(1)
        self.empty = os.path.join(self._root, "empty")
        Path(self.empty).touch()

    @contextmanager
    def directory(self) -> Iterator[str]:
        """Make a directory for the block."""
        path = os.path.join(self._root, str(next(self._numbers)))
        os.mkdir(path)
        os.chmod(path, 0o1777)
        try:
            yield path
        finally:
            _remove(path)

    def close(self) -> None:
        """Remove everything."""
        _remove(self._root)


def inputs_of(task: Task, linked: Callable[[str], bool]) -> tuple[Input, ...]:
    """Return the task's inputs; `linked` tells, of an input's real path, whether it is reached by a link."""
    if task.inputs_copied:
        return ()
    work, real_work = f"{task.container_directory}/work/", os.path.realpath(task.work)
    inputs = []
    for mount in task.inputs:
        host = os.path.realpath(mount.host)
        target = f"{real_work}/{mount.container.rstrip('/').removeprefix(work)}"
        inputs.append(Input(host, target, mount.directory, linked(host)))
    return tuple(inputs)


@contextmanager
def laid_out(inputs: tuple[Input, ...], work: str) -> Iterator[None]:
    """Have links or mount points where the command expects its inputs.

    They are gone afterwards: what a mount point leaves is an empty file, which an output that links to an
    input would turn into without a word. Where a command copied or moved a link, the input itself is copied.
    """
    try:
        for item in inputs:
            os.makedirs(os.path.dirname(item.target), exist_ok=True)
            if item.linked:
                os.symlink(item.host, item.target)
            elif item.directory:
                os.makedirs(item.target, exist_ok=True)
            else:
                Path(item.target).touch()
        yield
    finally:
        for item in inputs:
            with suppress(OSError):
                _take_away(item)
        for parent in _parents(inputs, work):
            with suppress(OSError):
                os.rmdir(parent)
    _copy_what_links_stand_for({item.host for item in inputs if item.linked}, work)


def call_it_work(task: Task) -> None:
    """Have the attempt's working directory found as `work`, the name by which the command knows it.

    A retry's is `work2`: the first attempt's moves to `work1`, and `work` becomes a link.
    """
    name = task.directory / "work"
    if task.work == name:
        return
    if name.is_symlink():
        name.unlink()
    elif name.exists():
        name.rename(task.directory / "work1")
    name.symlink_to(task.work.name)


def _parents(inputs: tuple[Input, ...], work: str) -> list[str]:
    """Return the directories between the working directory and the inputs, the innermost first."""
    parents = set()
    for item in inputs:
        parent = os.path.dirname(item.target)
        while len(parent) > len(work) and parent not in parents:
            parents.add(parent)
            parent = os.path.dirname(parent)
    return sorted(parents, reverse=True)


def _take_away(item: Input) -> None:
    if item.linked:
        if os.path.islink(item.target):
            os.unlink(item.target)
    elif item.directory:
        os.rmdir(item.target)
    elif os.path.getsize(item.target) == 0:
        os.unlink(item.target)


def _copy_what_links_stand_for(hosts: set[str], work: str) -> None:
    """Replace what `cp -r` or `mv` made of a linked input: without links it would be the input's content."""
    if not hosts:
        return
    for directory, subdirectories, files in os.walk(work):
        for name in (*subdirectories, *files):
            path = os.path.join(directory, name)
            if os.path.islink(path) and (host := os.readlink(path)) in hosts:
                os.unlink(path)
                if os.path.isdir(host):
                    shutil.copytree(host, path, symlinks=True)
                else:
                    shutil.copy2(host, path)


def _remove(path: str) -> None:
    shutil.rmtree(path, ignore_errors=True)
    if not os.path.lexists(path):
        return
    for directory, subdirectories, _ in os.walk(path):  # some tools leave directories that cannot be written
        for subdirectory in subdirectories:
            with suppress(OSError):
                os.chmod(os.path.join(directory, subdirectory), 0o700)
    shutil.rmtree(path, ignore_errors=True)
