"""Sends a run through a storm, and gathers what is left of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.model import CallCached, CallEnded, EcsTaskLaunched, Ending, Event, RunEnded, RunStarted
from cromulent_wdl.runs.journal import JournalReader
from cromulent_wdl.storage.layout import JOURNAL
from tests.programs import PATIENCE, kill
from tests.simulator.fargate import Lab

from .storms import Kill, Storm

__all__ = ["Voyage", "sail"]

_HERE = Path(__file__).parent
_PLAYED = _HERE.parents[1] / "benchmarks" / "workflows" / "numbers.wdl"
_IMAGE = f"ubuntu@sha256:{'0' * 64}"
"""Processes have none, so any will do."""
_PATIENCE = 150.0
"""Seconds for all heads of a run, which take some twenty. One that hangs is asked where before its test is ended."""
_LOOK = 0.01
_TOLD = 3000
"""Characters of a head's standard error in the story of a voyage that went wrong."""
_LINES = 25
"""Of its journal."""


@dataclass(frozen=True)
class Head:
    """One head of a run, which has ended."""

    status: int
    """Negative if it was killed, or hung."""
    lasted: float
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return f"--- a head: status {self.status} after {self.lasted:.1f} s\n{self.stderr[-_TOLD:]}"


@dataclass(frozen=True)
class Voyage:
    """A run that has ended."""

    storm: Storm
    directory: Path
    heads: tuple[Head, ...]
    """All but the last were killed."""

    @property
    def status(self) -> int:
        """The last head's exit status."""
        return self.heads[-1].status

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs; empty where the run failed."""
        outputs: dict[str, Any] = json.loads(self.heads[-1].stdout)["outputs"] if self.status == 0 else {}
        return outputs

    @property
    def events(self) -> list[Event]:
        """The journal."""
        file = self.directory / JOURNAL
        return list(JournalReader(file).new()) if file.exists() else []

    @property
    def ending(self) -> Ending | None:
        """How the run ended, as the journal has it."""
        last = self.events[-1:]
        return next((event.ending for event in last if isinstance(event, RunEnded)), None)

    def done_again(self) -> set[str]:
        """Return the calls that had ended well under one head and of which a later one started another ECS task."""
        ended: set[str] = set()
        before: set[str] = set()
        started: set[str] = set()
        again: set[str] = set()
        for event in self.events:
            if isinstance(event, RunStarted):
                before = set(ended)
            elif isinstance(event, CallEnded) and event.ending is Ending.OK:
                ended.add(event.call)
            elif isinstance(event, EcsTaskLaunched):
                if event.call in before and event.task not in started:
                    again.add(event.call)
                started.add(event.task)  # which is told again by a head that takes it over
        return again

    def untold(self) -> set[str]:
        """Return the calls that ended well of which the journal knows no ECS task, and so no costs."""
        ended = {event.call for event in self.events if isinstance(event, CallEnded) and event.ending is Ending.OK}
        return ended - {event.call for event in self.events if isinstance(event, EcsTaskLaunched)}

    @property
    def summary(self) -> str:
        """Return how long each head lived, how the run ended, and how many calls the last one had not to do."""
        cached = sum(isinstance(event, CallCached) for event in self.events)
        return f"{', '.join(f'{head.lasted:.1f}' for head in self.heads)} s: {self.ending}, {cached} cached"

    def __str__(self) -> str:
        """Tell all that is needed to understand what went wrong."""
        file = self.directory / JOURNAL
        journal = file.read_text().splitlines() if file.exists() else []
        told = [f"storm {self.storm}", *map(str, self.storm.faults), *map(str, self.storm.kills)]
        told += [*map(str, self.heads), f"--- ended: {self.ending}; the journal's last of {len(journal)} lines:"]
        return "\n".join([*told, *journal[-_LINES:]])


def sail(lab: Lab, storm: Storm) -> Voyage:
    """Run the storm's workflow, killing heads at the storm's moments, until one ends by itself."""
    run = lab.mount / "run"
    ledger = run / "ledger"
    ledger.mkdir(parents=True)
    ledger.chmod(0o777)
    run.chmod(0o777)
    workflow = [str(_HERE / "chaos.wdl"), f"ledger={ledger}", f"image={_IMAGE}"] if storm.real else [str(_PLAYED)]
    arguments = ["run", *workflow, f"count={storm.tasks}", "--dir", f"{run}/."]
    settings = {} if storm.real else {"result_wait": "0"}
    lab.afflict(*storm.faults, seed=storm.seed)
    try:
        heads = _voyage(storm, run / JOURNAL, partial(_Afloat, lab, arguments, settings))
    finally:
        lab.afflict()  # what looks afterwards is not to be struck
    voyage = Voyage(storm, run, tuple(heads))
    assert voyage.status != -signal.SIGABRT, f"the run took more than {_PATIENCE:g} s\n{voyage}"
    return voyage


class _Afloat:
    """A head that runs."""

    def __init__(self, lab: Lab, arguments: list[str], settings: dict[str, str], number: int) -> None:
        self._began = SYSTEM.monotonic()
        self._said = lab.home / f"head-{number}.out", lab.home / f"head-{number}.err"
        with self._said[0].open("w") as stdout, self._said[1].open("w") as stderr:
            command = [sys.executable, "-m", "cromulent_wdl", *arguments]
            environment = lab.environment(**settings)
            self._process = subprocess.Popen(command, env=environment, cwd=lab.mount, stdout=stdout, stderr=stderr)

    def ends_within(self, seconds: float) -> bool:
        """Wait; return whether it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, seconds))
        return self._process.returncode is not None

    def ended(self, by: signal.Signals | None) -> Head:
        """Return it as it has ended, by a signal if one is given."""
        if by is not None:
            self._process.send_signal(by)
            self._process.wait(PATIENCE)
        stdout, stderr = (each.read_text() for each in self._said)
        return Head(self._process.returncode, SYSTEM.monotonic() - self._began, stdout, stderr)

    def give_up(self) -> None:
        """Have nothing of it run, whatever has happened."""
        kill(self._process)


def _voyage(storm: Storm, journal: Path, start: Callable[[int], _Afloat]) -> list[Head]:
    heads: list[Head] = []
    latest = SYSTEM.monotonic() + _PATIENCE
    for moment in (*storm.kills, None):
        head = start(len(heads))
        try:
            if moment is None:
                over = head.ends_within(latest - SYSTEM.monotonic())
            else:
                over = _until(head, journal, moment, latest)
            end = None if over else signal.SIGABRT if moment is None else signal.SIGKILL
            heads.append(head.ended(end))
        finally:
            head.give_up()
        if over:
            break
    return heads


def _until(head: _Afloat, journal: Path, moment: Kill, latest: float) -> bool:
    """Wait for the moment; return whether the head has ended before it."""
    size = _size(journal)
    while _size(journal) - size < moment.growth and SYSTEM.monotonic() < latest:
        if head.ends_within(_LOOK):
            return True
    return head.ends_within(moment.seconds)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
