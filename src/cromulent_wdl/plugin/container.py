"""The only subclass of miniwdl's `TaskContainer`: it asks a backend and translates the answer."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from WDL import Error, Type, Value
from WDL._util import NOTICE_LEVEL, VERBOSE_LEVEL, StructuredLogMessage
from WDL.runtime import config
from WDL.runtime.task_container import TaskContainer

from ..backends.seam import Backend, Cancellation
from ..clock import SYSTEM
from ..errors import CromulentError
from ..model import (
    Ending,
    Event,
    Mount,
    Outcome,
    Resources,
    Task,
    TaskEnded,
    TaskImage,
    TaskPlaced,
    TaskStarted,
    TaskWaiting,
)
from . import session
from .cache import remember_image
from .endings import exception_of
from .linked_outputs import linked_input

__all__ = ["CromulentContainer"]


class CromulentContainer(TaskContainer):
    """Runs one WDL task by the backend that the settings choose."""

    @classmethod
    def global_init(cls, cfg: config.Loader, logger: logging.Logger) -> None:
        """Do nothing: miniwdl's once-per-class flag is inherited by subclasses, so our session initialises itself."""

    @classmethod
    def detect_resource_limits(cls, cfg: config.Loader, logger: logging.Logger) -> dict[str, int]:
        """Return the most that one task can get of the backend."""
        cores, memory = _backend(session.session(cfg, os.getcwd())).limits()
        return {"cpu": cores, "mem_bytes": memory}

    names_image = False
    """Whether the WDL or its caller asked for an image; the task coroutine knows and says so."""
    outcome: Outcome | None = None
    """How the last attempt ended."""

    def __init__(self, cfg: config.Loader, run_id: str, host_dir: str) -> None:
        super().__init__(cfg, run_id, host_dir)
        self._session = session.session(cfg, host_dir)
        self._backend = _backend(self._session)
        self.container_dir = self._backend.container_directory(Path(host_dir))
        self._inputs_copied = False
        self._images: tuple[str, ...] = ()

    def copy_input_files(self, logger: logging.Logger) -> None:
        """Copy inputs into the working directory, as miniwdl does; they need no mounts then."""
        super().copy_input_files(logger)
        self._inputs_copied = True

    def reset(self, logger: logging.Logger) -> None:
        """Make ready for another attempt, in a new working directory."""
        super().reset(logger)
        self._inputs_copied = False

    def process_runtime(self, logger: logging.Logger, runtime_eval: dict[str, Value.Base]) -> None:
        """Evaluate the runtime section as miniwdl does, keeping all candidates where it names several images."""
        super().process_runtime(logger, runtime_eval)
        value = runtime_eval.get("container", runtime_eval.get("docker"))
        if "docker" in self.runtime_values and isinstance(value, Value.Array):
            self._images = tuple(str(item.coerce(Type.String()).value) for item in value.value)
        elif "docker" in self.runtime_values:
            self._images = (self.runtime_values["docker"],)
        self._apply_network_guard(logger)

    def host_path(self, container_path: str, inputs_only: bool = False) -> str | None:
        """Map an output's path to the host.

        Where a task sees the host's own paths, the working directory is known by its physical name too, which is what
        `pwd -P` in it answers; and what links to an input is that input under another name.
        """
        if self.container_dir != self.host_dir or inputs_only:
            return super().host_path(container_path, inputs_only)
        logical = os.path.join(self.container_dir, "work")
        if os.path.isabs(container_path):
            physical = os.path.realpath(self._work)
            if container_path.startswith(physical + "/") and not container_path.startswith(logical + "/"):
                container_path = logical + container_path[len(physical) :]
        relative = container_path.removeprefix(logical + "/")
        if container_path not in self.input_path_map_rev and not os.path.isabs(relative):
            linked = linked_input(relative, str(self._work), self.input_path_map)
            if linked is not None:
                return linked
        return super().host_path(container_path, inputs_only)

    def _run(self, logger: logging.Logger, terminating: Callable[[], bool], command: str) -> int:
        Path(self.host_dir, "command").write_text(command, encoding="utf-8", errors="surrogateescape")
        for stream in (self._stdout, self._stderr):
            self.touch_mount_point(str(stream))
        task = self._task()
        report = _Reporter(task, self.host_dir, logger)
        with ExitStack() as cleanup:
            follow = None
            if logger.isEnabledFor(VERBOSE_LEVEL):
                follow = cleanup.enter_context(self.poll_stderr_context(logger))
            cancelled = cleanup.enter_context(self._session.pulse.watching(terminating, follow))
            report.running = lambda: cleanup.enter_context(self.task_running_context())
            self._pause(cancelled, report)
            self.outcome = self._attempt(task, cancelled, report)
        report.ended(self.outcome)
        if self.outcome.ending is not Ending.OK:
            self.last_exit_code = self.outcome.exit_code
            raise exception_of(self.outcome, str(self._stderr), str(self._stdout))
        return self.outcome.exit_code or 0

    def _pause(self, cancelled: Cancellation, report: _Reporter) -> None:
        """Wait before another attempt, longer each time: what failed for a passing reason may pass."""
        first = self._session.settings.retry_pause
        if self.try_counter == 1 or first == 0:
            return
        seconds = min(_LONGEST_PAUSE, first * 2 ** min(self.try_counter - 2, 16))
        report.waiting(f"attempt {self.try_counter} begins in {seconds:g} s")
        over = threading.Event()
        with cancelled.calling(over.set):
            over.wait(seconds)

    def _attempt(self, task: Task, cancelled: Cancellation, report: _Reporter) -> Outcome:
        refusal = self._backend.refusal(task)
        if refusal is not None:
            return Outcome(Ending.REFUSED, message=refusal)
        report.placed(self._backend.name, self._session.choice.why)
        outcome = self._backend.run(task, cancelled, report)
        if outcome.exit_code is None or outcome.ending in (Ending.STOPPED, Ending.LOST):
            return outcome
        accepted = self.success_exit_code(outcome.exit_code)
        if accepted:
            return Outcome(Ending.OK, outcome.exit_code, "", outcome.usage)
        if outcome.ending is Ending.OK:  # status 0, where the task wants another
            return Outcome(Ending.FAILED, outcome.exit_code, "the command ended with status 0", outcome.usage)
        return outcome

    @property
    def _work(self) -> Path:
        return Path(self.host_work_dir())  # type: ignore[no-untyped-call]

    @property
    def _stdout(self) -> Path:
        return Path(self.host_stdout_txt())  # type: ignore[no-untyped-call]

    @property
    def _stderr(self) -> Path:
        return Path(self.host_stderr_txt())  # type: ignore[no-untyped-call]

    def _task(self) -> Task:
        values = self.runtime_values
        defaults = self.cfg["task_runtime"].get_dict("defaults")
        images = self._images or tuple(filter(None, [defaults.get("docker")]))
        active = session.find(self.host_dir)
        return Task(
            run_id=active.run_id if active else os.path.basename(self.host_dir),
            call=active.call_path(self.host_dir) if active else self.run_id,
            name=self.run_id,
            attempt=self.try_counter,
            directory=Path(self.host_dir),
            work=self._work,
            command=Path(self.host_dir, "command"),
            stdout=self._stdout,
            stderr=self._stderr,
            container_directory=self.container_dir,
            shell=self.cfg["task_runtime"]["command_shell"],
            inputs=tuple(
                Mount(Path(host.rstrip("/")), inside.rstrip("/"), directory=host.endswith("/"))
                for host, inside in self.input_path_map.items()
            ),
            inputs_copied=self._inputs_copied,
            images=() if "inlineDockerfile" in values else images,
            names_image=self.names_image,
            dockerfile=values.get("inlineDockerfile"),
            resources=Resources(
                cpu=values.get("cpu", 0),
                memory=values.get("memory_reservation", 0),
                memory_limit=values.get("memory_limit", 0),
                gpu=values.get("gpu", False),
            ),
            environment={name: str(value) for name, value in values.get("env", {}).items()},
            as_user=self.cfg["task_runtime"].get_bool("as_user"),
            return_ownership=self.cfg["file_io"].get_bool("chown"),
            network=values.get("docker_network"),
            privileged=values.get("privileged", False),
        )

    def _apply_network_guard(self, logger: logging.Logger) -> None:
        network = self.runtime_values.get("docker_network")
        if network and network not in self.cfg["docker_swarm"].get_list("allow_networks"):
            logger.warning(
                StructuredLogMessage(
                    "runtime.docker_network ignored; the network's name must appear in the JSON list of configuration"
                    " [docker_swarm] allow_networks / environment MINIWDL__DOCKER_SWARM__ALLOW_NETWORKS",
                    docker_network=network,
                )
            )
            del self.runtime_values["docker_network"]


_LONGEST_PAUSE = 30.0


class _Reporter:
    """Sends an attempt's events to the run's journal, to miniwdl's log, and to the call cache."""

    def __init__(self, task: Task, host_dir: str, logger: logging.Logger) -> None:
        self._task = task
        self._host_dir = host_dir
        self._logger = logger
        self._run = session.find(host_dir)
        self._waited = False
        self.running: Callable[[], object] = lambda: None
        """Called when the command starts; counts the task in miniwdl's status bar."""

    def __call__(self, event: Event) -> None:
        if isinstance(event, TaskStarted):
            self.running()
            self._logger.info(StructuredLogMessage("task running", where=event.where))
        elif isinstance(event, TaskWaiting):
            self._waited = True
            self._logger.info(StructuredLogMessage("task waiting", why=event.why))
        elif isinstance(event, TaskImage):
            remember_image(self._host_dir, event.image, event.digest)
            self._logger.info(StructuredLogMessage("task image", image=event.image, digest=event.digest))
            if (
                self._task.dockerfile is not None and not self._waited
            ):  # in miniwdl's words, for those who look for them
                self._logger.log(
                    NOTICE_LEVEL, StructuredLogMessage("docker build cached", tag=event.image, id=event.digest)
                )
        if self._run is not None:
            self._run.record(event)

    def waiting(self, why: str) -> None:
        self(TaskWaiting(SYSTEM.now(), self._task.call, self._task.attempt, why))

    def placed(self, backend: str, why: str) -> None:
        task = self._task
        needs = task.resources
        self(
            TaskPlaced(SYSTEM.now(), task.call, task.attempt, backend, why, needs.cpu, needs.memory, needs.memory_limit)
        )

    def ended(self, outcome: Outcome) -> None:
        task = self._task
        self(
            TaskEnded(
                SYSTEM.now(),
                task.call,
                task.attempt,
                outcome.ending,
                outcome.exit_code,
                outcome.message,
                outcome.usage,
            )
        )


def _backend(of: session.Session) -> Backend:
    try:
        return of.choice.backend
    except CromulentError as error:
        raise Error.RuntimeError(f"{error} ({error.hint})" if error.hint else str(error)) from error
