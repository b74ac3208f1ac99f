"""One head leads a run: known by a lock, which ends with the process that has it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cromulent_wdl.aws.decode import EcsTask
from cromulent_wdl.backends.fargate.errand import Asked
from cromulent_wdl.backends.fargate.gate import Cancelled
from cromulent_wdl.backends.fargate.headship import Headship, is_led
from cromulent_wdl.backends.fargate.reaping import Standing, left_by_runs
from cromulent_wdl.errors import UsageError
from cromulent_wdl.storage.layout import HEAD_LOCK
from tests.fakes.clocks import FakeClock
from tests.programs import running

LEADER = """
import sys
from pathlib import Path
from cromulent_wdl.backends.fargate.errand import Asked
from cromulent_wdl.backends.fargate.gate import Cancelled
from cromulent_wdl.backends.fargate.headship import Headship
headship = Headship.take(Path(sys.argv[1]), 0.0)
print("leads", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def test_a_second_head_on_the_same_machine_is_refused_at_once(run: Path) -> None:
    first = Headship.take(run, 0.0)
    clock = FakeClock()
    assert is_led(run)
    with pytest.raises(UsageError, match=f"process {os.getpid()} on {socket.gethostname()}"):
        Headship.take(run, 600.0, clock)
    assert clock.slept == []
    first.leave()
    assert not is_led(run)
    Headship.take(run, 0.0).leave()


def test_a_head_on_a_machine_that_vanished_is_waited_for(run: Path) -> None:
    first = Headship.take(run, 0.0)
    (run / HEAD_LOCK).write_text(json.dumps({"host": "another", "pid": 1}))

    def vanish() -> None:
        if len(clock.slept) == 3:
            first.leave()

    clock = FakeClock(asleep=vanish)
    second = Headship.take(run, 600.0, clock)
    assert len(clock.slept) == 3
    second.leave()


def test_who_waits_for_it_is_told_once_and_may_be_stopped(run: Path) -> None:
    first, told = Headship.take(run, 0.0), list[str]()
    (run / HEAD_LOCK).write_text(json.dumps({"host": "another", "pid": 1}))
    clock = FakeClock()
    with pytest.raises(Cancelled):
        Headship.take(run, 600.0, clock, 0.5, Asked(lambda: len(clock.slept) == 3, told.append))
    assert told == ["process 1 on another led the run, and may be alive: for 600 s at most"]
    first.leave()
    Headship.take(run, 0.0).leave()


def test_it_is_not_waited_for_longer_than_the_setting_says(run: Path) -> None:
    first = Headship.take(run, 0.0)
    (run / HEAD_LOCK).write_text("nothing that could be read")
    with pytest.raises(UsageError, match="another host"):
        Headship.take(run, 2.0, FakeClock())
    first.leave()


def test_a_killed_head_leads_no_more_and_its_tasks_are_left(run: Path) -> None:
    command = [sys.executable, "-c", LEADER, str(run)]
    with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as head:
        assert head.stdout is not None
        assert head.stdout.readline() == b"leads\n"
        task = EcsTask("t", status="RUNNING", command=(f"{run}/.cromulent/attempts/a-1/script",), started_by="run-1")
        others = [EcsTask("head", status="RUNNING"), EcsTask("x", status="RUNNING", command=("/bin/true",))]
        [left] = left_by_runs([task, *others], lambda _: True)
        assert (left.run, left.directory, left.standing, left.tasks) == ("run-1", run, Standing.ALIVE, (task,))
        head.kill()
    assert left_by_runs([task], lambda _: True)[0].standing is Standing.DEAD
    assert left_by_runs([task], lambda _: False)[0].standing is Standing.UNKNOWN
