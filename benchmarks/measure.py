"""Runs commands in turn and measures each: CPU time, wall time, memory."""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cromulent_wdl.clock import SYSTEM

__all__ = ["Command", "Failed", "Sample", "Samples", "in_turn", "once"]

TIMEOUT = 1800.0
MEMORY = Path("/dev/shm")
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "USER", "DOCKER_HOST")
"""Little of our own environment, so that figures do not depend on whose it is."""


class Failed(Exception):
    """A command did not do its work, so its time says nothing."""


@dataclass(frozen=True)
class Command:
    """One way to do a piece of work. `{place}` in its arguments and environment is a directory made for each run."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    shows: str = ""
    """What standard output has if the work was done."""
    status: int | None = 0
    """How it must exit; None for anyhow."""
    in_memory: bool = False
    """Whether the place is in memory, so that the disk is not measured."""
    one_core: bool = False
    """Whether to keep to one core, so that the waiting of threads for each other is not measured."""


@dataclass(frozen=True)
class Sample:
    """One run: seconds of CPU of the process and of all that it waited for, seconds of wall time, bytes at most."""

    cpu: float
    wall: float
    memory: int
    noted: Mapping[str, float] = field(default_factory=dict)
    """What the command measured itself and left in `note.json`."""


@dataclass(frozen=True)
class Samples:
    """All runs of one command; each figure is a median."""

    runs: tuple[Sample, ...]

    @property
    def cpu(self) -> float:
        """Return seconds of CPU time."""
        return statistics.median(run.cpu for run in self.runs)

    @property
    def wall(self) -> float:
        """Return seconds of wall time."""
        return statistics.median(run.wall for run in self.runs)

    @property
    def memory(self) -> float:
        """Return the highest memory in bytes."""
        return statistics.median(run.memory for run in self.runs)

    def noted(self, name: str) -> float:
        """Return what the command measured itself."""
        return statistics.median(run.noted[name] for run in self.runs)


def in_turn(commands: Sequence[Command], repetitions: int, *, warm: bool = True) -> dict[str, Samples]:
    """Run all commands once unmeasured if `warm`, then each `repetitions` times: in turn, and back again.

    Raises Failed.
    """
    if warm:
        for command in commands:
            _run(command)
    samples: dict[str, list[Sample]] = {command.name: [] for command in commands}
    for repetition in range(repetitions):
        for command in commands if repetition % 2 == 0 else reversed(commands):
            samples[command.name].append(_run(command))
            _show_progress(command.name, samples[command.name][-1])
    return {name: Samples(tuple(runs)) for name, runs in samples.items()}


def once(command: Command) -> Sample:
    """Run a command a single time, where one run is long enough. Raises Failed."""
    sample = _run(command)
    _show_progress(command.name, sample)
    return sample


def _run(command: Command) -> Sample:
    in_memory = command.in_memory and os.access(MEMORY, os.W_OK)
    place = Path(tempfile.mkdtemp(prefix="benchmark-", dir=MEMORY if in_memory else None))
    try:
        return _run_in(place, command)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _run_in(place: Path, command: Command) -> Sample:
    inherited = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    given = {name: text.replace("{place}", str(place)) for name, text in command.environment.items()}
    begun = SYSTEM.monotonic()
    with open(place / "stdout", "wb") as stdout, open(place / "stderr", "wb") as stderr:
        process = subprocess.Popen(
            [text.replace("{place}", str(place)) for text in command.arguments],
            cwd=place,
            env=inherited | given,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=_keep_to_one_core if command.one_core else None,
        )
        with _ended_in_time(process.pid):
            _, status, usage = os.wait4(process.pid, 0)
    wall = SYSTEM.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    output = (place / "stdout").read_text(errors="replace")
    if command.status not in (None, process.returncode) or command.shows not in output:
        said = (place / "stderr").read_text(errors="replace").strip() or output
        raise Failed(f"{command.name} ended with status {process.returncode}: {' '.join(said.split())[-300:]}")
    note = place / "note.json"
    noted = json.loads(note.read_text()) if note.exists() else {}
    return Sample(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024, noted)


def _keep_to_one_core() -> None:
    if sys.platform == "linux":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


@contextmanager
def _ended_in_time(process: int) -> Iterator[None]:
    """Kill the process and its group if the block takes too long."""

    def kill() -> None:
        with suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)

    timer = threading.Timer(TIMEOUT, kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _show_progress(name: str, sample: Sample) -> None:
    print(f"  {name:44} {sample.cpu:8.2f} s CPU {sample.wall:8.2f} s", file=sys.stderr, flush=True)
