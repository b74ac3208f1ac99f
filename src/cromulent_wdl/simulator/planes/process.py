"""The `process` data plane: a container's command runs on this machine, in bubblewrap, without its image.

It sees this machine's programs and the task's volumes. Neither cpu nor memory nor storage is limited, and the
network is this machine's (ledger).
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable
from functools import partial

from ...errors import CromulentError
from ..ecs.seam import ContainerExit, Launch, RunningTask, Watcher
from .log_lines import ship
from .process_start import Child, spawn
from .surroundings import CannotStart, Surroundings
from .volumes import prepare

__all__ = ["ProcessPlane", "SandboxMissing"]

_Done = Callable[["_ProcessTask"], None]


class SandboxMissing(CromulentError):
    """The `process` data plane has no bubblewrap that works."""


class ProcessPlane:
    """Runs each task on a thread of its own."""

    def __init__(self, surroundings: Surroundings) -> None:
        _require_bubblewrap()
        self._surroundings = surroundings
        self._lock = threading.Lock()
        self._tasks: set[_ProcessTask] = set()

    def start(self, launch: Launch, watcher: Watcher) -> RunningTask:
        """Begin to run a task."""
        task = _ProcessTask(launch, watcher, self._surroundings)
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

    def _forget(self, task: _ProcessTask) -> None:
        with self._lock:
            self._tasks.discard(task)


class _ProcessTask:
    """One task: its thread starts the containers and, since they die with it, stays until all have ended."""

    def __init__(self, launch: Launch, watcher: Watcher, surroundings: Surroundings) -> None:
        self._launch = launch
        self._watcher = watcher
        self._surroundings = surroundings
        self._own = surroundings.directory / "tasks" / launch.task_id
        self._lock = threading.Lock()
        self._children: list[Child] = []
        self._stopped = False
        self._thread: threading.Thread | None = None

    def begin(self, done: _Done) -> None:
        self._thread = threading.Thread(target=self._run, args=(done,), name=self._launch.task_id, daemon=True)
        self._thread.start()

    def join(self) -> None:
        assert self._thread is not None  # it was begun
        self._thread.join()

    def stop(self, patience: float | None) -> None:
        """Send SIGTERM now, and SIGKILL when the patience of the task or of the stop timeout is over."""
        with self._lock:
            self._stopped = True
            children = list(self._children)
        for child in children:
            grace = child.plan.stop_timeout if patience is None else min(child.plan.stop_timeout, patience)
            if grace:
                child.terminate()
                self._surroundings.timers.after(grace, child.kill)
            else:
                child.kill()

    def _run(self, done: _Done) -> None:
        try:
            self._own.mkdir(parents=True)
            self._watcher.pulling()
            self._watcher.pulled({})
            self._start_all()
        except CannotStart as refusal:
            self.stop(0.0)
            self._watcher.failed(str(refusal))
        finally:
            for child in self._children:
                child.wait()
            shutil.rmtree(self._own, ignore_errors=True)
            done(self)

    def _start_all(self) -> None:
        volumes = prepare(self._launch, self._surroundings.directory, self._own)
        given = self._surroundings.environment(self._launch)
        for plan in self._launch.containers:
            with self._lock:
                if self._stopped:
                    raise CannotStart("Task stopped before it started")
                self._children.append(spawn(self._launch, plan, volumes, given))
        self._watcher.started({child.plan.name: str(child.pid) for child in self._children})
        listeners = [threading.Thread(target=self._listen, args=(child,), daemon=True) for child in self._children]
        for listener in listeners:
            listener.start()
        for listener in listeners:
            listener.join()

    def _listen(self, child: Child) -> None:
        """Send a container's lines, and report its end when it has said all."""
        ship(iter(partial(child.read, 65536), b""), self._launch.place, child.plan.log, self._surroundings)
        self._watcher.exited(child.plan.name, ContainerExit(child.wait()))


def _require_bubblewrap() -> None:
    try:
        subprocess.run(["bwrap", "--ro-bind", "/", "/", "--unshare-pid", "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SandboxMissing(
            "the process data plane needs bubblewrap, which does not work here",
            hint="install bubblewrap, or use --data-plane container or play",
        ) from error
