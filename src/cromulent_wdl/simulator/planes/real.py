"""What the data planes that really run tasks have in common: a thread a task, from its volumes to its last line.

What differs is behind `Runner`: how images are fetched and how a container is started.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Protocol

from ...errors import CromulentError
from ..ecs.seam import ContainerExit, ContainerPlan, Launch, RunningTask, Watcher
from .disks import Disk
from .log_lines import ship
from .surroundings import CannotStart, Places, Surroundings
from .volumes import prepare

__all__ = ["Child", "RealPlane", "Runner"]


class Child(Protocol):
    """A container that was started."""

    plan: ContainerPlan
    runtime_id: str

    def output(self) -> Iterable[tuple[int, bytes]]:
        """Yield what it says until its end, with the number of the stream by which it says it."""

    def wait(self) -> ContainerExit:
        """Block until it has ended; it may be asked again."""

    def terminate(self) -> None:
        """Send SIGTERM to its main process; an ended one is fine."""

    def kill(self) -> None:
        """Kill all of it; an ended one is fine."""

    def discard(self) -> None:
        """Remove what is left of it once it has ended."""


class Runner(Protocol):
    """How containers are run."""

    def fetch(self, launch: Launch, stopped: Future[None]) -> Mapping[str, str]:
        """Fetch all images, unless stopped, and return the digest of each container's; raises CannotStart."""

    def spawn(self, launch: Launch, plan: ContainerPlan, places: Places) -> Child:
        """Start a container; raises CannotStart. The calling thread stays until it has ended."""

    def close(self) -> None:
        """Let go of what is held."""


class RealPlane:
    """A data plane that runs each task on a thread of its own."""

    def __init__(self, runner: Runner, surroundings: Surroundings) -> None:
        self._runner = runner
        self._surroundings = surroundings
        self._lock = threading.Lock()
        self._tasks: set[_RealTask] = set()

    def start(self, launch: Launch, watcher: Watcher) -> RunningTask:
        """Begin to run a task."""
        task = _RealTask(launch, watcher, self._runner, self._surroundings)
        with self._lock:
            self._tasks.add(task)
        task.begin(self._forget)
        return task

    def close(self) -> None:
        """Kill what runs, and wait until it is gone."""
        with self._lock:
            running = list(self._tasks)
        for task in running:
            task.stop(0.0)
        for task in running:
            task.join()
        self._runner.close()

    def _forget(self, task: _RealTask) -> None:
        with self._lock:
            self._tasks.discard(task)


class _RealTask:
    """One task, and its thread."""

    def __init__(self, launch: Launch, watcher: Watcher, runner: Runner, surroundings: Surroundings) -> None:
        self._launch = launch
        self._watcher = watcher
        self._runner = runner
        self._surroundings = surroundings
        self._own = surroundings.directory / "tasks" / launch.task_id
        self._lock = threading.Lock()
        self._children: list[Child] = []
        self._stopped: Future[None] = Future()
        self._disk: Disk | None = None
        self._thread: threading.Thread | None = None

    def begin(self, done: Callable[[_RealTask], None]) -> None:
        self._thread = threading.Thread(target=self._run, args=(done,), name=self._launch.task_id, daemon=True)
        self._thread.start()

    def join(self) -> None:
        assert self._thread is not None  # it was begun
        self._thread.join()

    def stop(self, patience: float | None) -> None:
        """Send SIGTERM now, and SIGKILL when the stop timeout or the patience is over."""
        with self._lock:
            if not self._stopped.done():
                self._stopped.set_result(None)
            children = list(self._children)
        for child in children:
            grace = child.plan.stop_timeout if patience is None else min(child.plan.stop_timeout, patience)
            if grace:
                child.terminate()
                self._surroundings.timers.after(grace, child.kill)
            else:
                child.kill()

    def _run(self, done: Callable[[_RealTask], None]) -> None:
        try:
            self._own.mkdir(parents=True)
            self._start_all(self._places())
            self._await_all()
        except (CannotStart, CromulentError) as refusal:
            self.stop(0.0)
            self._watcher.failed(str(refusal))
        finally:
            for child in self._children:
                child.wait()
                child.discard()
            if self._disk is not None and self._surroundings.disks is not None:
                self._surroundings.disks.remove(self._disk)
            shutil.rmtree(self._own, ignore_errors=True)
            done(self)

    def _places(self) -> Places:
        """Make the task's disk, where disks can be made, and its volumes."""
        if self._surroundings.disks is not None:
            self._disk = self._surroundings.disks.make(self._own, self._launch.storage)
        scratch = self._own / "volumes" if self._disk is None else self._disk.volumes
        return Places(prepare(self._launch, self._surroundings.files, scratch), self._disk)

    def _start_all(self, places: Places) -> None:
        self._watcher.pulling()
        self._watcher.pulled(self._runner.fetch(self._launch, self._stopped))
        for plan in self._launch.containers:
            with self._lock:
                if self._stopped.done():
                    raise CannotStart("Task stopped before it started")
                self._children.append(self._runner.spawn(self._launch, plan, places))
        self._watcher.started({child.plan.name: child.runtime_id for child in self._children})

    def _await_all(self) -> None:
        listeners = [threading.Thread(target=self._listen, args=(child,), daemon=True) for child in self._children]
        for listener in listeners:
            listener.start()
        for listener in listeners:
            listener.join()

    def _listen(self, child: Child) -> None:
        """Send a container's lines, and report its end when it has said all."""
        ship(child.output(), self._launch.place, child.plan.log, self._surroundings)
        self._watcher.exited(child.plan.name, child.wait())
