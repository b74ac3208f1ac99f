"""Sends a run in the cloud through its perils: whoever watches it is brought back until it has ended."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import psutil

from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings
from tests.fakes.cut_line import Line, network_line
from tests.simulator.cloud import Cloud, until
from tests.simulator.cloud_runs import Machine, Said, head_of

from .perils import Blow, Peril, Perils

__all__ = ["Passage", "Waters", "sail", "waters"]

_WORKFLOW = Path(__file__).parent / "crossing.wdl"
_PATIENCE = 150.0
"""Seconds for which one command may follow the run; one that hangs has failed."""
_MOST_COMMANDS = 8
_MOST_WAITED = 60.0
"""Seconds for something to strike."""
GONE_WITHIN = 60.0
"""Seconds in which nothing of a run that has ended is to be left."""

_machines = count(1)


@dataclass(frozen=True)
class Waters:
    """A deployment, and the lines to it."""

    simulation: Simulation
    cloud: Cloud
    laptop: Machine
    laptops: Line
    heads: Line

    def elsewhere(self) -> Machine:
        """Return a machine that knows nothing of what others have done."""
        directory = self.laptop.directory.parent / f"elsewhere{next(_machines)}"
        directory.mkdir()
        return Machine(directory, {**self.laptop.environment, "XDG_STATE_HOME": str(directory / "state")})

    def executions(self) -> dict[str, str]:
        """Return the status of every run there has been, by its id."""
        states = self.cloud.client("stepfunctions")
        pages = states.get_paginator("list_executions").paginate(stateMachineArn=self.machine)
        return {each["name"]: each["status"] for page in pages for each in page["executions"]}

    @property
    def machine(self) -> str:
        """The ARN of the machine of runs."""
        machines = self.cloud.client("stepfunctions").list_state_machines()["stateMachines"]
        (arn,) = [each["stateMachineArn"] for each in machines if each["name"].endswith("-run")]
        return str(arn)

    def stop(self, run: str) -> str:
        """Stop a run's execution, as somebody at the console does; return which that was."""
        arn = f"{self.machine.replace(':stateMachine:', ':execution:')}:{run}"
        self.cloud.client("stepfunctions").stop_execution(executionArn=arn, cause="enough")
        return run

    def left_of(self, run: str) -> list[str]:
        """Return what there still is of a run: its ECS tasks, and processes."""
        ecs = self.cloud.client("ecs")
        (cluster,) = ecs.list_clusters()["clusterArns"]
        starters = (run, f"{run}/head")
        tasks = [arn for by in starters for arn in ecs.list_tasks(cluster=cluster, startedBy=by)["taskArns"]]
        return tasks + [str(process) for process in _processes_of(run)]

    def directory_of(self, run: str) -> Path:
        """Return the run's directory on the shared disk."""
        (directory,) = self.simulation.files.glob(f"*/**/runs/{run}")
        return directory


@contextmanager
def waters(simulator: Any, settings: Settings, directory: Path, *options: str) -> Iterator[Waters]:
    """Make a deployment on a simulator of its own. `simulator` starts one with settings."""
    with ExitStack() as stack:
        ports: list[int] = []
        heads, heads_port = stack.enter_context(network_line(lambda: ports[0]))
        laptops, laptops_port = stack.enter_context(network_line(lambda: ports[0]))
        told = replace(settings, tasks_endpoint=f"http://127.0.0.1:{heads_port}")
        simulation = stack.enter_context(simulator(told))
        ports.append(simulation.port)
        keys = simulation.environment
        cloud = stack.enter_context(
            Cloud.at(simulation.address, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])
        )
        line = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{laptops_port}"}
        laptop = Machine.new(simulation, directory / "laptop", line)
        made = laptop("up", "--yes", *options)
        assert made.status == 0, made.err
        yield Waters(simulation, cloud, laptop, laptops, heads)


@dataclass
class Passage:
    """One run's way, and what it came to."""

    waters: Waters
    arguments: tuple[str, ...]
    known: frozenset[str]
    """Runs that there were before."""
    said: list[tuple[tuple[str, ...], Said]] = field(default_factory=list)
    """Every command that followed it, and what that said; of one that was killed, nothing."""
    struck: list[str] = field(default_factory=list)
    """The blows that met something."""
    left: list[str] = field(default_factory=list)
    """What was still there of a run a minute after its end."""
    watcher: subprocess.Popen[str] | None = None
    watching: tuple[str, ...] = ()

    @property
    def runs(self) -> dict[str, str]:
        """The runs that it took, with their executions' status, the first one first."""
        return {run: status for run, status in sorted(self.waters.executions().items()) if run not in self.known}

    def watch(self) -> None:
        """Follow the run from where nothing is known of it, or start it where it has not been started."""
        runs = self.runs
        if not runs:
            self._start(self.waters.laptop, ("run", *self.arguments, "--on", "aws"))
        elif runs[last := list(runs)[-1]] == "ABORTED":
            self._start(self.waters.elsewhere(), ("rerun", last))
        else:
            self._start(self.waters.elsewhere(), ("attach", last))

    def _start(self, machine: Machine, command: tuple[str, ...]) -> None:
        self.watching = command
        self.watcher = machine.start(*command)

    def ended(self, patience: float = _PATIENCE) -> Said:
        """Return what the watcher said, once it has ended."""
        assert self.watcher is not None
        try:
            out, err = self.watcher.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            self.watcher.send_signal(signal.SIGKILL)
            out, err = self.watcher.communicate(timeout=10)
            raise AssertionError(f"{self.watching} hangs: {err}\n{self}") from None
        said = Said(self.watcher.returncode, out, err)
        self.said.append((self.watching, said))
        return said

    def clear(self, run: str) -> None:
        """Wait until nothing of a run is left, and note what is after a minute."""
        with suppress(AssertionError):
            until(lambda: not self.waters.left_of(run), GONE_WITHIN)
        self.left += self.waters.left_of(run)

    def __str__(self) -> str:
        told = [f"$ {' '.join(command)}\n{said.err}{said.out}[{said.status}]" for command, said in self.said]
        logs = [f"log of {run}:\n{self.waters.laptop('logs', run).out}" for run in self.runs]
        return "\n".join([str(self.runs), *self.struck, *told, *logs])


def sail(waters: Waters, perils: Perils, *inputs: str) -> Passage:
    """Run the workflow through its perils to its end, and return how that was."""
    cargo = waters.laptop.write("cargo.txt", f"cargo of {perils.seed}\n")
    arguments = (str(_WORKFLOW), f"cargo={cargo}", *inputs)
    passage = Passage(waters, arguments, frozenset(waters.executions()))
    passage.watch()
    try:
        for peril in perils.blows:
            _befall(passage, peril)
        for _ in range(_MOST_COMMANDS):
            if passage.ended().status == 0:
                break
            for run, status in passage.runs.items():
                if status == "ABORTED":
                    passage.clear(run)
            passage.watch()
    finally:
        waters.laptops.mend()
        waters.heads.mend()
        assert passage.watcher is not None
        if passage.watcher.poll() is None:
            passage.watcher.kill()
            passage.watcher.communicate(timeout=10)
    for run in passage.runs:
        passage.clear(run)
    return passage


def _befall(passage: Passage, peril: Peril) -> None:
    """Wait for what is to be struck, and so many seconds more, and strike."""
    if peril.blow in (Blow.HEAD_CUT_OFF, Blow.STOPPED):
        _await(lambda: bool(passage.runs))
    elif peril.blow is Blow.HEAD_KILLED:
        _await(lambda: any(map(head_of, passage.runs)))
    SYSTEM.sleep(peril.after)
    if what := _strike(passage, peril):
        passage.struck.append(f"{SYSTEM.now():.1f} {peril.blow.value}: {what}")


def _await(there: Callable[[], bool]) -> None:
    """Wait for a while; what has ended already, or never comes, is no longer struck."""
    with suppress(AssertionError):
        until(there, _MOST_WAITED)


def _strike(passage: Passage, peril: Peril) -> str:
    """Do what is to be done, and return in words what it met, if anything."""
    waters = passage.waters
    if peril.blow is Blow.WATCHER_KILLED:
        assert passage.watcher is not None
        passage.watcher.send_signal(signal.SIGKILL)
        killed = passage.ended(10)
        passage.watch()
        return passage.said[-1][0][0] if killed.status == -signal.SIGKILL else ""
    if peril.blow is Blow.HEAD_KILLED:
        return ", ".join(filter(None, map(_kill_head, passage.runs)))
    if peril.blow is Blow.STOPPED:
        return ", ".join(waters.stop(run) for run, status in passage.runs.items() if status == "RUNNING")
    return _cut(waters.heads if peril.blow is Blow.HEAD_CUT_OFF else waters.laptops, peril)


def _kill_head(run: str) -> str:
    head = head_of(run)
    if head is None:
        return ""
    with suppress(psutil.NoSuchProcess):
        head.send_signal(signal.SIGKILL)
    return str(head.pid)


def _cut(line: Line, peril: Peril) -> str:
    if peril.silent:
        line.hold()
    else:
        line.cut()
    SYSTEM.sleep(peril.length)
    line.mend()
    return f"{'silent' if peril.silent else 'refused'} for {peril.length} s"


def _processes_of(run: str) -> Iterator[psutil.Process]:
    """Yield the processes, in containers or not, that are a run's head or one of its tasks."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and (
                process.environ().get("RUN_ID") == run or any(f"/runs/{run}" in word for word in process.cmdline())
            ):
                yield process
