"""ECS tasks that live on after their run: found by their scripts' paths, which lead to the run's directory and lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ...aws.decode import EcsTask
from .headship import is_led
from .survivors import run_of

__all__ = ["Left", "Standing", "left_by_runs"]


class Standing(str, Enum):
    """What is known of a run's head."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"
    """Its directory is not on a file system that this machine has."""


@dataclass(frozen=True)
class Left:
    """The ECS tasks of one run."""

    run: str
    """Its name in ECS."""
    directory: Path
    standing: Standing
    tasks: tuple[EcsTask, ...]


def left_by_runs(tasks: Sequence[EcsTask], is_here: Callable[[Path], bool]) -> tuple[Left, ...]:
    """Return the tasks of attempts, by run; what else is in the cluster is passed over.

    `is_here` tells whether a path, which need not exist any more, lies on the deployment's files as we have them.
    """
    runs: dict[tuple[str, Path], list[EcsTask]] = {}
    for task in tasks:
        directory = run_of(task)
        if directory is not None and not task.over:
            runs.setdefault((task.started_by, directory), []).append(task)
    return tuple(
        Left(run, directory, _standing(directory, is_here), tuple(found))
        for (run, directory), found in sorted(runs.items())
    )


def _standing(directory: Path, is_here: Callable[[Path], bool]) -> Standing:
    if not is_here(directory):
        return Standing.UNKNOWN
    return Standing.ALIVE if is_led(directory) else Standing.DEAD
