"""The `play` data plane: nothing runs; a script says when containers end and how. Ten thousand tasks, no thread."""

from __future__ import annotations

import hashlib
import random
import threading
from functools import lru_cache

from ..ecs.seam import ContainerExit, ContainerPlan, Launch, RunningTask, Watcher
from ..ecs.timers import Timers
from .play_script import PlayRule, PlayScript

__all__ = ["PlayPlane"]

_TERMINATED, _KILLED = 143, 137


class PlayPlane:
    """Plays tasks on the engine's own timers."""

    def __init__(self, timers: Timers, script: PlayScript | None = None) -> None:
        self._timers = timers
        self._script = script or PlayScript()

    def start(self, launch: Launch, watcher: Watcher) -> RunningTask:
        """Begin to play a task."""
        chances = random.Random(f"{self._script.seed}/{launch.task_id}")
        played = _Played(launch, watcher, self._timers, self._script.rule(launch.family), chances)
        self._timers.after(0, played.pull)
        return played

    def close(self) -> None:
        """Do nothing: what is played ends with the timers."""


class _Played:
    """One task that is played. Its chances come from its id, so they do not depend on the order of events."""

    __slots__ = ("_alive", "_chances", "_launch", "_lock", "_rule", "_stopped", "_timers", "_watcher")

    def __init__(
        self, launch: Launch, watcher: Watcher, timers: Timers, rule: PlayRule, chances: random.Random
    ) -> None:
        self._launch = launch
        self._watcher = watcher
        self._timers = timers
        self._rule = rule
        self._chances: random.Random | None = chances
        self._lock = threading.Lock()
        self._alive: set[str] | None = None
        """The containers that run; None before they started."""
        self._stopped = False

    def pull(self) -> None:
        self._watcher.pulling()
        assert self._chances is not None  # until it has run
        self._timers.after(self._rule.draw_pull(self._chances), self._run)

    def stop(self, patience: float | None) -> None:
        """Let the containers end as SIGTERM, or after their stop timeout SIGKILL, ends them."""
        with self._lock:
            first, self._stopped = not self._stopped, True
            alive = [each for each in self._launch.containers if each.name in (self._alive or ())]
            not_started = self._alive is None
        if not_started and first:
            self._timers.after(0, lambda: self._watcher.failed("Task stopped before it started"))
        for container in alive:
            self._stop_container(container, patience)

    def _run(self) -> None:
        chances, self._chances = self._chances, None
        assert chances is not None  # it runs once
        containers = self._launch.containers
        with self._lock:
            if self._stopped:
                return
            self._alive = {container.name for container in containers}
        self._watcher.pulled({container.name: _digest(container.image) for container in containers})
        self._watcher.started({container.name: f"{self._launch.task_id}-{container.name}" for container in containers})
        for container in containers:
            seconds, code = self._rule.draw(container, chances)
            self._end_after(seconds, container.name, code)

    def _stop_container(self, container: ContainerPlan, patience: float | None) -> None:
        if not self._rule.ignores_sigterm:
            self._end_after(0, container.name, _TERMINATED)
            return
        grace = container.stop_timeout if patience is None else min(container.stop_timeout, patience)
        self._end_after(grace, container.name, _KILLED)

    def _end_after(self, seconds: float, container: str, code: int) -> None:
        self._timers.after(seconds, lambda: self._end(container, code))

    def _end(self, container: str, code: int) -> None:
        with self._lock:
            if self._alive is None or container not in self._alive:
                return
            self._alive.remove(container)
        self._watcher.exited(container, ContainerExit(code))


@lru_cache(maxsize=1024)
def _digest(image: str) -> str:
    return "sha256:" + hashlib.sha256(image.encode()).hexdigest()
