"""Where a command that sees its call's directory under the host's own path finds its inputs."""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec

from ..model import Task

__all__ = ["Input", "call_it_work", "inputs_of"]


class Input(msgspec.Struct, frozen=True):
    """An input and the real path at which the command expects it."""

    host: str
    """Its real path."""
    target: str
    directory: bool
    linked: bool
    """Reached by a symbolic link; otherwise the sandbox mounts it there."""


def inputs_of(task: Task, linked: Callable[[str], bool]) -> tuple[Input, ...]:
    """Return the task's inputs; `linked` tells, of an input's real path, whether it is reached by a link."""
    if task.inputs_copied or not task.inputs:
        return ()
    work, real_work = f"{task.container_directory}/work/", os.path.realpath(task.work)
    inputs = []
    for mount in task.inputs:
        host = os.path.realpath(mount.host)
        target = f"{real_work}/{mount.container.rstrip('/').removeprefix(work)}"
        inputs.append(Input(host, target, mount.directory, linked(host)))
    return tuple(inputs)


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
