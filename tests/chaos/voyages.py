"""Sends a run through a storm, and gathers what is left of it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cromulent_wdl.model import CallEnded, EcsTaskLaunched, Ending, Event, RunEnded, RunStarted
from cromulent_wdl.runs.journal import JournalReader
from cromulent_wdl.storage.layout import JOURNAL
from tests.programs import ended
from tests.simulator.fargate import Lab

from .storms import Storm

__all__ = ["Voyage", "sail"]

_HERE = Path(__file__).parent
_PLAYED = _HERE.parents[1] / "benchmarks" / "workflows" / "numbers.wdl"
_PATIENCE = 150.0
"""Seconds for one head; a run that hangs has failed."""


@dataclass(frozen=True)
class Voyage:
    """A run that has ended, the last of its heads of itself."""

    directory: Path
    status: int
    stdout: str
    stderr: str
    killed: int
    """How many heads were killed before they had ended."""

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs; empty where the run failed."""
        outputs: dict[str, Any] = json.loads(self.stdout)["outputs"] if self.status == 0 else {}
        return outputs

    @property
    def events(self) -> list[Event]:
        """The journal."""
        return list(JournalReader(self.directory / JOURNAL).new())

    @property
    def ending(self) -> Ending:
        """How the run ended, as the journal has it."""
        return [event for event in self.events if isinstance(event, RunEnded)][-1].ending

    def done_again(self) -> set[str]:
        """Return the calls that had ended well under one head and were launched anew by a later one."""
        ended: set[str] = set()
        before: set[str] = set()
        again: set[str] = set()
        for event in self.events:
            if isinstance(event, RunStarted):
                before = set(ended)
            elif isinstance(event, CallEnded) and event.ending is Ending.OK:
                ended.add(event.call)
            elif isinstance(event, EcsTaskLaunched) and event.call in before:
                again.add(event.call)
        return again


def sail(lab: Lab, storm: Storm) -> Voyage:
    """Run the storm's workflow, killing heads at the storm's moments, until one ends by itself."""
    run = lab.mount / "run"
    ledger = run / "ledger"
    ledger.mkdir(parents=True)
    ledger.chmod(0o777)
    run.chmod(0o777)
    workflow = [str(_HERE / "chaos.wdl"), f"ledger={ledger}"] if storm.real else [str(_PLAYED)]
    arguments = ["run", *workflow, f"count={storm.tasks}", "--dir", f"{run}/."]
    settings = {} if storm.real else {"result_wait": "0"}
    lab.afflict(*storm.faults)
    try:
        return _voyage(storm, run, partial(lab.start, *arguments, **settings))
    finally:
        lab.afflict()  # what looks afterwards is not to be struck


def _voyage(storm: Storm, run: Path, start: Callable[[], subprocess.Popen[str]]) -> Voyage:
    killed = 0
    for moment in (*storm.kills, _PATIENCE):
        head = start()
        try:
            stdout, stderr = head.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            head.send_signal(signal.SIGKILL)
            ended(head)
            assert moment != _PATIENCE, f"the run hangs: {run}"
            killed += 1
            continue
        break
    return Voyage(run, head.returncode, stdout, stderr, killed)
