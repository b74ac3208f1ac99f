"""What a call has been granted, and has used up, when its head is killed: the next one goes on counting."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cromulent_wdl.model import EcsTaskLaunched, Ending, TaskEnded
from cromulent_wdl.runs.journal import JournalReader
from cromulent_wdl.storage.layout import JOURNAL
from tests.programs import kill

from .cloud import until
from .fargate import Lab

ONE = """
version 1.1
task one { command <<< COMMAND >>> runtime { docker: "busybox" memory: "2 GiB" preemptible: 2 } }
"""
RUN = ("run", "one.wdl", "--dir", "run/.", "--no-cache")


def lose_and_kill(lab: Lab, fault: dict[str, Any], command: str = "true") -> Path:
    """Kill a run's head when its first attempt has met with the fault and there is no room for the second."""
    (lab.mount / "one.wdl").write_text(ONE.replace("COMMAND", command))
    lab.afflict(fault, {"kind": "capacity", "on": list(range(2, 1000))})
    head, journal = lab.start(*RUN), lab.mount / "run" / JOURNAL
    until(lambda: journal.exists() and endings(journal) and "Capacity is unavailable" in journal.read_text())
    kill(head)
    return journal


def endings(journal: Path) -> list[Ending]:
    return [event.ending for event in JournalReader(journal).new() if isinstance(event, TaskEnded)]


@pytest.mark.parametrize("next_begun", [True, False])
def test_row_28_memory_is_doubled_once_however_many_heads_there_are(lab: Lab, next_begun: bool) -> None:
    journal = lose_and_kill(lab, {"kind": "out_of_memory", "times": 1})
    if not next_begun:  # as where the head dies a moment before
        shutil.rmtree(journal.parent / "work2")
        for stream in ("stdout2.txt", "stderr2.txt"):
            (journal.parent / stream).unlink()
    lab.afflict({"kind": "out_of_memory"})
    ran = lab.run(*RUN)
    assert ran.status not in (0, 70)
    assert "killed for memory: it had 4 GiB" in ran.stderr
    assert sorted(task["memory"] for task in lab.tasks()) == ["2048", "4096"]
    assert set(endings(journal)) == {Ending.OOM}
    said = [json.loads(line).get("why", "") for line in journal.read_text().splitlines()]
    assert sum("again with 4 GiB" in why for why in said) == 2, "by each head"


def test_row_19_a_task_is_lost_on_spot_no_oftener_than_was_granted(lab: Lab) -> None:
    loss = {"kind": "spot_interruption", "after": 0.4, "warning": 0.1}
    journal = lose_and_kill(lab, loss, "case $(pwd -P) in */work4) ;; *) sleep 60 ;; esac")
    lab.afflict(loss)
    assert lab.run(*RUN).status == 0
    assert endings(journal) == [Ending.SPOT, Ending.SPOT, Ending.OK]
    launches = [event for event in JournalReader(journal).new() if isinstance(event, EcsTaskLaunched)]
    assert [event.place for event in launches] == ["spot", "spot", "on_demand"]
