"""What an earlier head of the run left running: ECS tasks, by the key of the attempt that each runs."""

from __future__ import annotations

import threading
from pathlib import Path, PurePosixPath
from typing import Protocol

from ...aws.decode import EcsTask
from ...aws.ecs import Seen
from ...storage.layout import ATTEMPTS

__all__ = ["Survivors", "is_of", "key_of", "run_of"]


class Cluster(Protocol):
    """What is asked of ECS."""

    def started_by(self, name: str) -> tuple[str, ...]:
        """Return the ARNs of the tasks that were started under this name and are to run."""

    def describe_all(self, arns: tuple[str, ...]) -> Seen:
        """Look at any number of tasks."""


class Survivors:
    """Those of one run. Each is taken once; what nobody takes is stopped at the end."""

    def __init__(self, cluster: Cluster, name: str, directory: Path) -> None:
        self._cluster = cluster
        self._name = name
        self._directory = directory.name
        """Of the run. Its name in ECS is read from a file that its tasks can write; it is to lead to no other run's."""
        self._lock = threading.Lock()
        self._left: dict[str, list[EcsTask]] = {}

    def find(self) -> None:
        """Ask ECS what runs under the run's name. Raises AwsError."""
        arns = self._cluster.started_by(self._name) if self._name else ()
        found: dict[str, list[EcsTask]] = {}
        for task in self._cluster.describe_all(arns).tasks if arns else ():
            if is_of(task, self._directory) and not task.over:
                found.setdefault(key_of(task), []).append(task)
        with self._lock:
            self._left = found

    def has(self, key: str) -> bool:
        """Whether the attempt of this key runs."""
        with self._lock:
            return key in self._left

    def take(self, key: str) -> tuple[EcsTask, ...]:
        """Take the tasks that run the attempt of this key; more than one only where a launch was repeated."""
        with self._lock:
            return tuple(self._left.pop(key, ()))

    def take_call(self, prefix: str) -> tuple[EcsTask, ...]:
        """Take the tasks of all attempts whose keys begin so."""
        with self._lock:
            keys = [key for key in self._left if key.startswith(prefix)]
            return tuple(task for key in keys for task in self._left.pop(key))

    def take_rest(self) -> tuple[EcsTask, ...]:
        """Take all that nobody has taken."""
        return self.take_call("")


def key_of(task: EcsTask) -> str:
    """Return the key of the attempt that an ECS task runs, by the directory of its script; nothing for another task."""
    return PurePosixPath(task.command[-1]).parent.name if task.command else ""


def is_of(task: EcsTask, directory: str) -> bool:
    """Whether an ECS task runs an attempt of a run whose directory has this name; a head in the cloud runs none."""
    run = run_of(task)
    return run is not None and run.name == directory


def run_of(task: EcsTask) -> Path | None:
    """Return the run directory in the path of a task's script: RUN/.cromulent/attempts/KEY/script."""
    if not task.command:
        return None
    attempts = Path(task.command[-1]).parent.parent
    tail = Path(ATTEMPTS)
    if attempts.parts[-len(tail.parts) :] != tail.parts:
        return None
    return Path(*attempts.parts[: -len(tail.parts)])
