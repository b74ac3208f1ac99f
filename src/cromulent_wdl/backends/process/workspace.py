"""A task's place on disk: where the command finds its working directory, its inputs and room for temporary files."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..inputs import Input

__all__ = ["Scratch", "laid_out"]


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
    with suppress(OSError):
        os.rmdir(path)  # few tasks leave anything
        return
    shutil.rmtree(path, ignore_errors=True)
    if not os.path.lexists(path):
        return
    for directory, subdirectories, _ in os.walk(path):  # some tools leave directories that cannot be written
        for subdirectory in subdirectories:
            with suppress(OSError):
                os.chmod(os.path.join(directory, subdirectory), 0o700)
    shutil.rmtree(path, ignore_errors=True)
