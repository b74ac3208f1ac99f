from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import psutil
import pytest

from cromulent_wdl.backends import carriers
from cromulent_wdl.backends.aftermath import CleanedUp, sweep
from cromulent_wdl.backends.heads import ENGINES, INFO, MARK, Head, HeadInfo, scratch_prefix
from cromulent_wdl.backends.leases import LEASE, Machine
from cromulent_wdl.backends.strays import strays
from cromulent_wdl.errors import EngineUnavailable
from cromulent_wdl.storage.layout import FARGATE_RUN
from tests.fakes.clocks import FakeClock
from tests.fakes.killed_heads import sleeping
from tests.fakes.waiting import eventually

DAY = 86_400.0


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Head]:
    with closing(Head.open("20261122_190411_align", tmp_path)) as opened:
        yield opened


def no_containers(head: str, kind: str, address: str) -> int:
    raise AssertionError("this head used no engine")


def dead_entry(identity: str = "feedfacefeedface", started: float = 1000.0, temporary: str = "") -> Path:
    machine = Machine()
    entry = machine.directory / identity
    entry.mkdir()
    (entry / LEASE).touch()
    info = HeadInfo("a_dead_run", "/runs/a", 1, started, temporary)
    (entry / INFO).write_text(json.dumps(msgspec.structs.asdict(info)))
    machine.close()
    return entry


def marked_process(identity: str, script: str = "sleep 600") -> subprocess.Popen[bytes]:
    return subprocess.Popen(["/bin/sh", "-c", script], env={**os.environ, MARK: identity}, start_new_session=True)


def test_a_head_says_who_it_is(head: Head, tmp_path: Path) -> None:
    info = HeadInfo.read(head.entry)
    assert (info.run_id, info.directory, info.pid) == ("20261122_190411_align", str(tmp_path), os.getpid())


def test_every_head_has_an_id_of_its_own(head: Head, tmp_path: Path) -> None:
    with closing(Head.open("20261122_190411_align", tmp_path)) as another:
        assert another.id != head.id


def test_closing_leaves_nothing_and_may_be_repeated(tmp_path: Path) -> None:
    head = Head.open("a_run", tmp_path)
    head.guard()
    head.close()
    head.close()
    assert not head.entry.exists()
    assert not [child for child in psutil.Process().children() if str(head.entry) in child.cmdline()]


def test_closing_asks_marked_processes_to_end_where_some_may_be(tmp_path: Path) -> None:
    head = Head.open("a_run", tmp_path)
    asked, ready = tmp_path / "asked", tmp_path / "ready"
    process = marked_process(head.id, f"trap 'touch {asked}; exit' TERM; touch {ready}; while :; do sleep 0.1; done")
    assert eventually(ready.exists)
    head.expect_strays()
    head.close()
    process.wait(30)
    assert asked.exists()


@pytest.mark.skipif(not os.path.exists("/proc/self/environ"), reason="there is only one way here")
def test_both_ways_find_the_processes_with_the_mark(head: Head) -> None:
    marked, other = marked_process(head.id, "exec sleep 600"), marked_process(f"{head.id}0", "exec sleep 600")
    try:
        assert eventually(lambda: carriers.carriers(head.id) == {marked.pid})
        assert carriers._by_psutil(head.id) == {marked.pid}
    finally:
        for process in (marked, other):
            process.kill()
            process.wait(30)


def test_an_unreadable_entry_has_an_empty_run_id(tmp_path: Path) -> None:
    (tmp_path / INFO).write_text('{"run_id": "half')
    assert HeadInfo.read(tmp_path).run_id == ""


def test_the_guardian_starts_once_and_again_when_it_was_killed(head: Head) -> None:
    head.guard()
    head.guard()
    first = guardian_of(head)
    assert os.getsid(first.pid) == first.pid, "the terminal's Ctrl-C would reach it"
    first.kill()
    psutil.wait_procs([first], timeout=30)
    head.guard()
    assert guardian_of(head).pid != first.pid


def guardian_of(head: Head) -> psutil.Process:
    """Return the head's guardian, which has its own command line only a moment after it was started."""
    found: list[psutil.Process] = []

    def look() -> bool:
        found[:] = [child for child in psutil.Process().children() if str(head.entry) in child.cmdline()]
        return bool(found)

    assert eventually(look)
    (guardian,) = found
    return guardian


def test_the_guardian_stays_small(head: Head) -> None:
    head.guard()
    guardian = guardian_of(head)
    assert eventually(lambda: guardian.status() == psutil.STATUS_SLEEPING)
    assert guardian.memory_info().rss < 16 << 20


def test_the_guardian_does_not_carry_the_mark_of_a_head_that_we_are_a_task_of(
    head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MARK, "outer")
    head.guard()
    guardian = guardian_of(head)
    assert MARK not in guardian.environ()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # forking with threads is the point
def test_a_forked_child_has_none_of_it(head: Head) -> None:
    head.guard()
    child = os.fork()
    if child == 0:
        head.close()
        try:
            os.fstat(head.lease)  # by which it would hold the lock after its parent's death
        except OSError:
            os._exit(0 if head.entry.exists() else 1)
        os._exit(2)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert sweep(no_containers) == () and head.entry.exists(), "the child's end let go of the lock"


def test_a_head_that_lives_is_not_swept(head: Head) -> None:
    process = marked_process(head.id)
    assert sweep(no_containers) == ()
    assert head.entry.exists() and process.poll() is None
    process.kill()
    process.wait(60)


def test_the_sweep_ends_processes_with_their_descendants_and_groups() -> None:
    entry = dead_entry()
    child_without_mark = f"setsid env -u {MARK} sh -c 'sleep 600 & sleep 601'"
    orphan_without_mark = f"env -u {MARK} sh -c 'sleep 602 &'"
    process = marked_process(entry.name, f"setsid sleep 603 & {child_without_mark} & {orphan_without_mark}; sleep 604")
    assert eventually(lambda: sleeping(entry.name) == {"600", "601", "602", "603", "604"})
    assert len(strays(entry.name)) == 7
    (cleaned,) = sweep(no_containers)
    assert (cleaned.run_id, cleaned.directory, cleaned.processes, cleaned.containers) == ("a_dead_run", "/runs/a", 7, 0)
    process.wait(30)
    assert strays(entry.name) == []
    assert not entry.exists()
    assert sweep(no_containers) == ()


def test_the_sweep_kills_what_does_not_heed_sigterm(tmp_path: Path) -> None:
    entry = dead_entry()
    process = marked_process(entry.name, f"trap '' TERM; touch {tmp_path}/ready; while :; do sleep 1; done")
    assert eventually((tmp_path / "ready").exists)
    sweep(no_containers)
    process.wait(30)


def test_the_sweep_leaves_processes_of_other_heads_alone() -> None:
    entry = dead_entry()
    process = marked_process("another")
    sweep(no_containers)
    assert not entry.exists() and process.poll() is None
    process.kill()
    process.wait(60)


def test_the_sweep_removes_containers_on_the_engines_that_the_head_used(tmp_path: Path) -> None:
    head = Head.open("a_run", tmp_path)
    head.uses_engine("docker", "unix:///run/docker.sock")
    head.uses_engine("docker", "unix:///run/docker.sock")
    head.uses_engine("podman", "unix:///run/podman.sock")
    engines = (head.entry / ENGINES).read_text()
    head.close()
    entry = dead_entry()
    (entry / ENGINES).write_text(engines + '["docker", "torn')
    asked: list[tuple[str, str, str]] = []

    def remove(*of: str) -> int:
        asked.append((of[0], of[1], of[2]))
        return 2

    (cleaned,) = sweep(remove)
    assert asked == [
        (entry.name, "docker", "unix:///run/docker.sock"),
        (entry.name, "podman", "unix:///run/podman.sock"),
    ]
    assert cleaned.containers == 4


def test_an_engine_that_does_not_answer_is_asked_again_for_a_day() -> None:
    entry = dead_entry(started=1000.0)
    (entry / ENGINES).write_text('["docker", "unix:///nowhere"]\n')

    def remove(*_: str) -> int:
        raise EngineUnavailable("nobody there")

    (cleaned,) = sweep(remove, FakeClock(1000.0 + DAY / 2))
    assert not cleaned.complete and entry.exists()
    assert sweep(remove, FakeClock(1000.0 + DAY / 2)) == (), "it was said before"
    assert sweep(remove, FakeClock(1001.0 + DAY)) == ()
    assert not entry.exists()


def test_the_sweep_removes_temporary_files(tmp_path: Path) -> None:
    entry = dead_entry(temporary=str(tmp_path))
    left = tmp_path / f"{scratch_prefix(entry.name)}abc" / "1"
    left.mkdir(parents=True)
    sweep(no_containers)
    assert not left.parent.exists()


@pytest.mark.parametrize(
    ("cleaned", "sentence"),
    [
        (CleanedUp("X", "", 3, 1), "cleaned up after run X: 3 processes, 1 container"),
        (CleanedUp("X", "", 1, 0), "cleaned up after run X: 1 process"),
        (CleanedUp("X", "", 0, 2), "cleaned up after run X: 2 containers"),
        (CleanedUp("X", "", 0, 0), "run X was killed, and left nothing behind"),
        (
            CleanedUp("X", "", 1, 0, complete=False),
            "cleaned up after run X: 1 process, an engine that it used does not answer, and will be asked again",
        ),
    ],
)
def test_what_was_cleaned_up_is_a_sentence(cleaned: CleanedUp, sentence: str) -> None:
    assert str(cleaned) == sentence


def test_of_a_run_on_fargate_it_is_not_said_that_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / FARGATE_RUN).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / FARGATE_RUN).touch()
    rest = "what it started on Fargate may still run: its next head takes that over"
    assert str(CleanedUp("X", str(tmp_path))) == f"run X was killed; {rest}"
    assert str(CleanedUp("X", str(tmp_path), 1)) == f"cleaned up after run X: 1 process; {rest}"


def test_an_interpreter_that_is_not_to_be_had_means_no_guardian(head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", None)
    head.guard()
    assert not [child for child in psutil.Process().children() if str(head.entry) in child.cmdline()]
