"""The process backend: lays out a task, starts its command, waits, and says how it ended."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from ...model import Ending, Outcome, Resources, Task, TaskStarted, TaskWaiting, Usage
from ..heads import MARK, scratch_prefix
from ..inputs import Input, call_it_work, inputs_of
from ..ledger import Ledger, ReservationCancelled
from ..seam import Cancellation, Report
from ..verdict import STOPPED, Evidence, failed_preparation, is_full, tail, verdict
from ..workplace import Workplace
from .capacity import cores_and_memory
from .environment import command_environment, home_in_sandbox
from .limits import MemoryGroup, MemoryLimits
from .running import Command, End
from .sandbox import Sandbox, View, arguments, find_sandbox
from .stopping import Stopper
from .supervision import supervise
from .workspace import Scratch, laid_out

__all__ = ["ProcessBackend"]

_MANY_INPUTS = 600
"""Above this, inputs that the sandbox shows anyway are linked: the time for mounts grows with their square."""


class ProcessBackend:
    """Runs tasks as processes of this machine."""

    name = "process"
    uses_images = False
    elastic = False
    defaults = Resources()

    def __init__(self, workplace: Workplace, *, allow_images: bool) -> None:
        settings = workplace.settings
        found = "switched off" if settings.sandbox == "never" else find_sandbox()
        self._sandbox = found if isinstance(found, Sandbox) else None
        self._missing = "" if isinstance(found, Sandbox) or settings.sandbox != "always" else found
        self.description = f"processes {'in bubblewrap' if self._sandbox else f'without a sandbox: {found}'}"
        self._head = workplace.head
        home = home_in_sandbox(os.environ) if self._sandbox else {}
        self._inherited = command_environment(os.environ, home, workplace.head.id)
        self._clock = workplace.clock
        self._allow_images = allow_images
        self._ledger = Ledger(workplace.head, *cores_and_memory(), workplace.clock)
        self._limits = MemoryLimits(workplace.head, workplace.clock)
        self._stopper = Stopper(settings.stop_grace, workplace.clock)
        self._scratch = Scratch(scratch_prefix(workplace.head.id))

    def container_directory(self, directory: Path) -> str:
        """Return the directory itself: a command sees this machine's own paths."""
        return str(directory)

    def image_digest(self, reference: str) -> str | None:
        """Return None: images mean nothing here."""
        return None

    def refusal(self, task: Task) -> str | None:
        """Return in one sentence why this task cannot run here, or None."""
        if self._missing:
            return f"setting sandbox is 'always', but {self._missing}"
        if task.dockerfile is not None:
            return "its image is built from an inline Dockerfile, which takes Docker or Podman"
        if task.names_image and not self._allow_images:
            image = task.images[0] if task.images else "of its own"
            return f"it names an image ({image}), which takes Docker or Podman; --backend process runs it without"
        return None

    def directory_refusal(self, directory: Path, name: str) -> str | None:
        """Return None: any directory will do."""
        return None

    def resume(self, directory: Path) -> None:
        """Do nothing: the dead head's guardian has ended what it left, or the next head's sweep."""

    def takes_over(self, task: Task, command: str, cancelled: Cancellation, report: Report) -> bool:
        """Return False: what a dead head began has ended with it."""
        return False

    def limits(self) -> tuple[int, int]:
        """Return the cores and the bytes of memory that one task can get at most."""
        return self._ledger.cores, self._ledger.memory

    def run(self, task: Task, cancelled: Cancellation, report: Report) -> Outcome:
        """Run one attempt to its end, blocking the calling thread."""
        if cancelled:
            return STOPPED
        environment = {**self._inherited, **task.environment, MARK: self._head.id}
        problem = self._shell_problem(task.shell.split(), environment.get("PATH", os.defpath))
        if problem:
            return Outcome(Ending.NO_SHELL, message=problem)

        def waiting(why: str) -> None:
            report(TaskWaiting(self._clock.now(), task.call, task.attempt, why))

        try:
            with self._ledger.reserve(task.resources, cancelled, waiting, task.call):
                return self._attempt(task, environment, cancelled, report)
        except ReservationCancelled:
            return STOPPED
        except OSError as error:
            return failed_preparation(error)

    def close(self) -> None:
        """Remove what temporary files there are."""
        self._scratch.close()

    def _shell_problem(self, shell: Sequence[str], path: str) -> str:
        program = shutil.which(shell[0], path=path) if shell else None
        if program is None:
            return f"the shell '{' '.join(shell)}' is not on this machine"
        if self._sandbox and any(map(self._sandbox.places.cover, (program, os.path.realpath(program)))):
            return f"the shell '{program}' lies where the sandbox hides it"
        return ""

    def _attempt(self, task: Task, environment: Mapping[str, str], cancelled: Cancellation, report: Report) -> Outcome:
        self._head.guard()
        call_it_work(task)
        many = len(task.inputs) > _MANY_INPUTS
        linked = partial(self._is_linked, os.path.realpath(task.directory)) if many else self._is_never_mounted
        inputs = inputs_of(task, linked)
        work = os.path.realpath(task.work)  # once: it looks at each directory above
        with (
            laid_out(inputs, work),
            self._scratch.directory() as scratch,
            self._limits.group(task.resources.memory_limit) as group,
        ):
            command = self._command(task, environment, self._view(task, work, inputs, scratch, group))
            command = replace(command, joining=group.joining if group else ())

            def started(pid: int) -> None:
                report(TaskStarted(self._clock.now(), task.call, task.attempt, str(pid)))

            began = self._clock.monotonic()
            end = supervise(command, cancelled, started, self._stopper, self._clock)
            seconds = self._clock.monotonic() - began
            return verdict(_evidence(task, end, group, self._sandbox is not None), _usage(end, group, seconds))

    def _command(self, task: Task, environment: Mapping[str, str], view: View) -> Command:
        line = (*task.shell.split(), "../command")
        work = Path(task.container_directory, "work")
        if self._sandbox is None:
            self._head.expect_strays()
            environment = {"TMPDIR": view.scratch, **environment, "PWD": str(work)}
            return Command(line, work, task.stdout, task.stderr, environment)
        sandbox = partial(arguments, self._sandbox, view)
        return Command(line, work, task.stdout, task.stderr, environment, sandbox)

    def _view(self, task: Task, work: str, inputs: tuple[Input, ...], scratch: str, group: MemoryGroup | None) -> View:
        real = os.path.dirname(work)
        read_only = [(str(task.command), f"{real}/command")]
        read_only += [group.as_own] if group else []
        read_only += [(item.host, item.target) for item in inputs if not item.linked]
        return View(
            directory=task.container_directory,
            work=work,
            scratch=scratch,
            empty=self._scratch.empty,
            inputs=tuple(read_only),
            gpu=task.resources.gpu,
        )

    def _is_never_mounted(self, _: str) -> bool:
        return self._sandbox is None

    def _is_linked(self, own: str, path: str) -> bool:
        """Whether the command sees the path anyway; its call's own directory it does not see."""
        return self._sandbox is None or not (path.startswith(f"{own}/") or self._sandbox.places.cover(path))


def _evidence(task: Task, end: End, group: MemoryGroup | None, sandboxed: bool) -> Evidence:
    kills = group.kills() if group else 0
    if end.exit_code == 0:
        return Evidence(0, end.stopped, memory_kills=kills)
    return Evidence(
        exit_code=end.exit_code,
        stopped=end.stopped,
        sandboxed=sandboxed,
        sandbox_failure=end.sandbox_failure,
        memory_kills=kills,
        memory_limit=task.resources.memory_limit,
        stderr_tail=tail(task.stderr),
        disk_full=is_full(task.work),
    )


def _usage(end: End, group: MemoryGroup | None, seconds: float) -> Usage:
    peak = group.peak() if group else None
    return Usage(
        memory_peak=end.memory_peak if peak is None else peak,
        cpu_seconds=round(end.cpu_seconds, 3),
        seconds=round(seconds, 2),
        source="rusage" if peak is None else "cgroup",
    )
