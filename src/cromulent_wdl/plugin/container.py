"""The only subclass of miniwdl's `TaskContainer`: it asks a backend and translates the answer."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from itertools import starmap
from pathlib import Path

from WDL import Error, Tree, Type, Value
from WDL._util import NOTICE_LEVEL, VERBOSE_LEVEL, StructuredLogMessage
from WDL.runtime import config
from WDL.runtime.task_container import TaskContainer

from ..backends.retries import Again, Allowances
from ..backends.seam import Backend, Cancellation
from ..errors import CromulentError
from ..model import Ending, Mount, Outcome, Resources, Task
from ..storage.layout import attempt_directory, stream_file
from . import session
from .attempt_numbers import AttemptNumbers
from .endings import exception_of, judged
from .linked_outputs import linked_input
from .repeats import Repeats, granted
from .reporting import Reporter
from .runtime_values import IN_CLOUD, architecture_of, disk_of, guard_network, timeout_of

__all__ = ["CromulentContainer"]


class CromulentContainer(TaskContainer):
    """Runs one WDL task by the backend that the settings choose."""

    @classmethod
    def global_init(cls, cfg: config.Loader, logger: logging.Logger) -> None:
        """Do nothing: miniwdl's once-per-class flag is inherited by subclasses, so our session initialises itself."""

    @classmethod
    def detect_resource_limits(cls, cfg: config.Loader, logger: logging.Logger) -> dict[str, int]:
        """Return the most that one task can get of the backend."""
        cores, memory = _backend(session.session(cfg, os.curdir)).limits()
        return {"cpu": cores, "mem_bytes": memory}

    names_image = False
    """Whether the WDL or its caller asked for an image; the task coroutine knows and says so."""
    secrets: tuple[tuple[str, str], ...] = ()
    """The task's, which the coroutine knows by the task's name; see Task."""
    outcome: Outcome | None = None
    """How the last attempt ended."""

    def __init__(self, cfg: config.Loader, run_id: str, host_dir: str) -> None:
        self._session = session.session(cfg, host_dir)
        self._backend = _backend(self._session)
        self._numbers = AttemptNumbers(host_dir, elastic=self._backend.elastic)
        if self._numbers.begun:  # links to the outputs of a call whose result is not kept; miniwdl makes them anew
            shutil.rmtree(os.path.join(host_dir, "out"), ignore_errors=True)
        super().__init__(cfg, run_id, host_dir)
        self.container_dir = self._backend.container_directory(Path(host_dir))
        self._inputs_copied = False
        self._retries = 0
        """How often the engine has begun anew."""
        self._images: tuple[str, ...] = ()
        self._disk, self._timeout, self._architecture = 0, 0.0, ""
        self._repeats = Repeats(Allowances(), elastic=False)

    def copy_input_files(self, logger: logging.Logger) -> None:
        """Copy inputs into the working directory, as miniwdl does; they need no mounts then."""
        super().copy_input_files(logger)
        self._inputs_copied = True

    def reset(self, logger: logging.Logger) -> None:
        """Make ready for another attempt, in a new working directory."""
        self._numbers.renew()
        super().reset(logger)
        self._inputs_copied = False
        self._retries += 1

    def process_runtime(self, logger: logging.Logger, runtime_eval: dict[str, Value.Base]) -> None:
        """Evaluate the runtime section as miniwdl does, keeping all candidates where it names several images."""
        super().process_runtime(logger, runtime_eval)
        value = runtime_eval.get("container", runtime_eval.get("docker"))
        if "docker" in self.runtime_values and isinstance(value, Value.Array):
            self._images = tuple(str(item.coerce(Type.String()).value) for item in value.value)
        elif "docker" in self.runtime_values:
            self._images = (self.runtime_values["docker"],)
        guard_network(self.runtime_values, self.cfg, logger)
        if self._backend.elastic:
            self._process_for_cloud(runtime_eval)
        self._count_repeats()

    def _process_for_cloud(self, runtime_eval: dict[str, Value.Base]) -> None:
        """Heed what only a cloud does, and have miniwdl not say that it is ignored."""
        self._disk, self._architecture = disk_of(runtime_eval), architecture_of(runtime_eval)
        asked = timeout_of(runtime_eval)
        self._timeout = self._session.settings.task_timeout if asked is None else asked
        self.runtime_values.update({key: runtime_eval[key].json for key in IN_CLOUD if key in runtime_eval})

    def _count_repeats(self) -> None:
        """Go on counting where an earlier head of the run was when it died."""
        active, elastic = session.find(self.host_dir), self._backend.elastic
        allowances = granted(self.runtime_values, self._session.settings, elastic=elastic)
        earlier = active.ended_before(self.host_dir) if active else {}
        self._repeats = Repeats(allowances, elastic=elastic, earlier=earlier, begun=self._numbers.begun)
        self._repeats.leave_to_engine(self.runtime_values)

    def build_task_runtime_info_struct(self, logger: logging.Logger, run_id: str, task: Tree.Task) -> None:
        """Tell the task's own expressions what it gets where it declares nothing, which is not all there is."""
        declared, defaults = self.runtime_values, self._backend.defaults
        if self._backend.elastic:
            self.runtime_values = {"cpu": defaults.cpu, "memory_reservation": defaults.memory, **declared}
        super().build_task_runtime_info_struct(logger, run_id, task)
        self.runtime_values = declared

    def host_work_dir(self) -> str:
        """Return the attempt's working directory; attempts of earlier heads count."""
        return os.path.join(self.host_dir, attempt_directory(self._number))

    def host_stdout_txt(self) -> str:
        """Return the attempt's standard output."""
        return os.path.join(self.host_dir, stream_file("stdout", self._number))

    def host_stderr_txt(self) -> str:
        """Return the attempt's standard error."""
        return os.path.join(self.host_dir, stream_file("stderr", self._number))

    @property
    def _number(self) -> int:
        return self._numbers.of(self.try_counter)

    def host_path(self, container_path: str, inputs_only: bool = False) -> str | None:
        """Map an output's path to the host.

        Where a task sees the host's own paths, the working directory is known by its physical name too, which is what
        `pwd -P` in it answers; and what links to an input is that input under another name.
        """
        if self.container_dir != self.host_dir or inputs_only:
            return super().host_path(container_path, inputs_only)
        logical = os.path.join(self.container_dir, "work")
        if os.path.isabs(container_path) and not container_path.startswith(logical + "/"):
            physical = os.path.realpath(self.host_work_dir())
            if container_path.startswith(physical + "/"):
                container_path = logical + container_path[len(physical) :]
        relative = container_path.removeprefix(logical + "/")
        if container_path not in self.input_path_map_rev and not os.path.isabs(relative):
            linked = linked_input(relative, self.host_work_dir(), self.input_path_map)
            if linked is not None:
                return linked
        return super().host_path(container_path, inputs_only)

    def _run(self, logger: logging.Logger, terminating: Callable[[], bool], command: str) -> int:
        repeated: Again | None = None
        while True:
            repeated = self._lay_out(logger, terminating, command) or repeated
            self.outcome = outcome = self._once(logger, terminating, repeated)
            repeated = self._repeats.after(outcome)
            if repeated is None or self._backend.refusal(self._task()) is not None:
                break
            self._renew(logger)
        if outcome.ending is not Ending.OK:
            self.last_exit_code = outcome.exit_code
            final = self._repeats.final(outcome.ending)
            raise exception_of(outcome, self.host_stderr_txt(), self.host_stdout_txt(), final=final)
        return outcome.exit_code or 0

    def _lay_out(self, logger: logging.Logger, terminating: Callable[[], bool], command: str) -> Again | None:
        """Have the attempt's command and streams in its directory, or an earlier head's attempt in its place.

        Returns how it repeats an earlier head's, if it does.
        """

        def agreed() -> bool:
            task = self._task()
            with self._session.pulse.watching(terminating) as cancelled:
                return self._backend.takes_over(task, command, cancelled, Reporter(task, self.host_dir, logger))

        taken = self._numbers.take_over(agreed)
        if not taken:
            with open(os.path.join(self.host_dir, "command"), "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(command)
            for stream in (self.host_stdout_txt(), self.host_stderr_txt()):
                Path(stream).touch(exist_ok=False)
        return self._repeats.begin(anew=not taken)

    def _once(self, logger: logging.Logger, terminating: Callable[[], bool], repeated: Again | None) -> Outcome:
        task = self._task()
        report = Reporter(task, self.host_dir, logger)
        with ExitStack() as cleanup:
            follow = None
            if logger.isEnabledFor(VERBOSE_LEVEL):
                follow = cleanup.enter_context(self.poll_stderr_context(logger))
            cancelled = cleanup.enter_context(self._session.pulse.watching(terminating, follow))
            report.running = lambda: cleanup.enter_context(self.task_running_context())
            if repeated is not None:
                logger.log(NOTICE_LEVEL, StructuredLogMessage("task again", why=repeated.why))
                report.waiting(repeated.why)
                cancelled.wait(repeated.pause)
            else:
                self._pause(cancelled, report)
            outcome = self._attempt(task, cancelled, report)
        report.ended(outcome)
        return outcome

    def _renew(self, logger: logging.Logger) -> None:
        """Make ready for another attempt of our own accord, as the engine does of its."""
        copied, temporary = self._inputs_copied, os.path.isdir(os.path.join(self.host_work_dir(), _TEMPORARY))
        self._numbers.renew()
        super().reset(logger)
        self._inputs_copied = False
        if copied:
            self.copy_input_files(logger)
        if temporary:
            os.mkdir(os.path.join(self.host_work_dir(), _TEMPORARY), mode=0o770)

    def _pause(self, cancelled: Cancellation, report: Reporter) -> None:
        """Wait before another attempt of the engine's, longer each time: what failed for a passing reason may pass."""
        first = self._session.settings.retry_pause
        if not self._retries or first == 0:
            return
        seconds = first * min(_LONGEST_PAUSE, 2 ** min(self._retries - 1, 16))
        report.waiting(f"attempt {self.try_counter} begins in {seconds:g} s")
        cancelled.wait(seconds)

    def _attempt(self, task: Task, cancelled: Cancellation, report: Reporter) -> Outcome:
        refusal = self._backend.refusal(task)
        if task.secrets and not self._backend.elastic:
            refusal = "it is to get a secret, and secrets reach tasks on Fargate only"
        if refusal is not None:
            return Outcome(Ending.REFUSED, message=refusal)
        report.placed(self._backend.name, self._session.choice.why)
        return judged(self._backend.run(task, cancelled, report), self.success_exit_code)

    def _task(self) -> Task:
        values = self.runtime_values
        active = session.find(self.host_dir)
        task = Task(
            run_id=active.run_id if active else os.path.basename(self.host_dir),
            call=active.call_path(self.host_dir) if active else self.run_id,
            name=self.run_id,
            attempt=self._number,
            directory=Path(self.host_dir),
            work=Path(self.host_work_dir()),
            command=Path(self.host_dir, "command"),
            stdout=Path(self.host_stdout_txt()),
            stderr=Path(self.host_stderr_txt()),
            container_directory=self.container_dir,
            shell=self.cfg["task_runtime"]["command_shell"],
            inputs=tuple(starmap(_mount, self.input_path_map.items())),
            inputs_copied=self._inputs_copied,
            images=() if "inlineDockerfile" in values else self._images,
            names_image=self.names_image,
            dockerfile=values.get("inlineDockerfile"),
            resources=self._resources(),
            environment={name: str(value) for name, value in values.get("env", {}).items()},
            secrets=self.secrets,
            as_user=self.cfg["task_runtime"].get_bool("as_user"),
            return_ownership=self.cfg["file_io"].get_bool("chown"),
            network=values.get("docker_network"),
            privileged=values.get("privileged", False),
            run_directory=active.directory if active else Path(self.host_dir),
            architecture=self._architecture,
            timeout=self._timeout,
        )
        return self._repeats.applied(task)

    def _resources(self) -> Resources:
        values = self.runtime_values
        return Resources(
            cpu=values.get("cpu", 0),
            memory=values.get("memory_reservation", 0),
            memory_limit=values.get("memory_limit", 0),
            gpu=values.get("gpu", False),
            disk=self._disk,
        )


_LONGEST_PAUSE = 60
"""Times the first."""
_TEMPORARY = "_miniwdl_tmpdir"
"""miniwdl's directory for temporary files within the working directory, where it is to have one."""


def _mount(host: str, inside: str) -> Mount:
    return Mount(Path(host.rstrip("/")), inside.rstrip("/"), directory=host.endswith("/"))


def _backend(of: session.Session) -> Backend:
    try:
        return of.choice.backend
    except CromulentError as error:
        raise Error.RuntimeError(f"{error} ({error.hint})" if error.hint else str(error)) from error
