"""How processes without a sandbox are stopped and what is left of them: nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from cromulent_wdl.backends.heads import Head
from cromulent_wdl.backends.process import ProcessBackend
from cromulent_wdl.backends.seam import Cancellation
from cromulent_wdl.backends.workplace import Workplace
from cromulent_wdl.config import Settings
from cromulent_wdl.model import Ending, Outcome, Resources, Task, TaskStarted, TaskWaiting
from tests.fakes.process_tasks import Events, process_task
from tests.fakes.waiting import eventually


@pytest.fixture
def head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Head]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with closing(Head.open("a_run", tmp_path)) as opened:
        yield opened


@pytest.fixture
def backend(head: Head) -> Iterator[ProcessBackend]:
    settings = Settings(sandbox="never", stop_grace=0.2)
    with closing(ProcessBackend(Workplace(settings, head), allow_images=False)) as made:
        yield made


class Runner(threading.Thread):
    """Runs a task in a thread of its own."""

    def __init__(self, backend: ProcessBackend, task: Task) -> None:
        super().__init__(daemon=True)
        self.backend, self.task = backend, task
        self.cancelled, self.events = Cancellation(), Events()
        self.outcome: Outcome | None = None
        self.start()

    def run(self) -> None:
        self.outcome = self.backend.run(self.task, self.cancelled, self.events)

    @property
    def pid(self) -> int:
        assert eventually(lambda: self.events.of(TaskStarted))
        (event,) = self.events.of(TaskStarted)
        assert isinstance(event, TaskStarted)
        return int(event.where)

    def end(self) -> Outcome:
        self.join(30)
        assert self.outcome is not None, "the task does not end"
        return self.outcome


def alive(pid_file: Path) -> bool:
    try:
        return psutil.Process(int(pid_file.read_text())).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_cancelled_task_is_asked_to_end(backend: ProcessBackend, tmp_path: Path) -> None:
    command = "trap 'echo bye; exit 0' TERM; touch ready; while :; do sleep 0.05; done"
    runner = Runner(backend, process_task(tmp_path / "call", command))
    assert eventually((tmp_path / "call/work/ready").exists)
    runner.cancelled.cancel()
    assert runner.end().ending is Ending.STOPPED
    assert (tmp_path / "call/stdout.txt").read_text() == "bye\n"


def test_a_cancelled_task_that_does_not_heed_is_killed(backend: ProcessBackend, tmp_path: Path) -> None:
    command = "trap '' TERM; sleep 600 & echo $! > child; touch ready; while :; do sleep 0.05; done"
    runner = Runner(backend, process_task(tmp_path / "call", command))
    assert eventually((tmp_path / "call/work/ready").exists)
    runner.cancelled.cancel()
    outcome = runner.end()
    assert (outcome.ending, outcome.exit_code) == (Ending.STOPPED, 137)
    assert not alive(tmp_path / "call/work/child")


def test_many_tasks_are_stopped_at_once(backend: ProcessBackend, tmp_path: Path) -> None:
    runners = [Runner(backend, process_task(tmp_path / f"call{n}", "trap '' TERM; sleep 600")) for n in range(20)]
    pids = [runner.pid for runner in runners]
    for runner in runners:
        runner.cancelled.cancel()
    assert {runner.end().ending for runner in runners} == {Ending.STOPPED}
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_task_cancelled_before_it_starts_never_does(backend: ProcessBackend, tmp_path: Path) -> None:
    cancelled, events = Cancellation(), Events()
    cancelled.cancel()
    outcome = backend.run(process_task(tmp_path / "call", "touch started"), cancelled, events)
    assert outcome.ending is Ending.STOPPED and events == []
    assert not (tmp_path / "call/work/started").exists()


def test_what_a_finished_command_left_in_the_background_is_ended(backend: ProcessBackend, tmp_path: Path) -> None:
    task = process_task(tmp_path / "call", "sleep 600 & echo $! > child")
    assert backend.run(task, Cancellation(), Events()).ending is Ending.OK
    assert not alive(tmp_path / "call/work/child")


def test_what_went_into_a_session_of_its_own_is_ended_with_the_head(
    backend: ProcessBackend, head: Head, tmp_path: Path
) -> None:
    task = process_task(
        tmp_path / "call", "setsid sh -c 'echo $$ > child; sleep 600' & until test -s child; do :; done"
    )
    backend.run(task, Cancellation(), Events())
    head.close()
    assert not alive(task.work / "child")


def test_a_report_that_fails_leaves_no_process(backend: ProcessBackend, tmp_path: Path) -> None:
    pids = []

    def fail(event: object) -> None:
        assert isinstance(event, TaskStarted)
        pids.append(int(event.where))
        raise RuntimeError("the journal's disk is full")

    with pytest.raises(RuntimeError):
        backend.run(process_task(tmp_path / "call", "sleep 600"), Cancellation(), fail)
    assert not psutil.pid_exists(pids[0])


def test_a_task_waits_for_cores_and_says_so_and_can_be_cancelled_meanwhile(
    backend: ProcessBackend, tmp_path: Path
) -> None:
    cores = Resources(cpu=backend.limits()[0])
    first = Runner(backend, process_task(tmp_path / "first", "sleep 600", resources=cores))
    assert first.pid
    second = Runner(backend, process_task(tmp_path / "second", "touch started", resources=cores))
    assert eventually(lambda: second.events.of(TaskWaiting))
    (event,) = second.events
    assert isinstance(event, TaskWaiting) and "(first has" in event.why
    second.cancelled.cancel()
    assert second.end().ending is Ending.STOPPED
    assert not (tmp_path / "second/work/started").exists()
    first.cancelled.cancel()
    first.end()
