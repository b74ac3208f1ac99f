import os
import subprocess
import sys
from pathlib import Path

import pytest

from cromulent_wdl.errors import RunNotFound
from cromulent_wdl.model import Ending, RunEnded, RunStarted
from cromulent_wdl.runs.find import find_run
from cromulent_wdl.runs.head import is_alive
from cromulent_wdl.runs.index import Entry, entries, register
from cromulent_wdl.runs.journal import JournalWriter
from cromulent_wdl.runs.status import State
from cromulent_wdl.runs.watch import Watch
from cromulent_wdl.storage import layout
from tests.fakes.journals import beginning, failed_run, make_run, run_under_way
from tests.programs import running


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def _entry(run_id: str, parent: str = "/runs") -> Entry:
    return Entry(run_id, Path(parent) / run_id, 0.0)


LISTED = [_entry("20261122_190411_align"), _entry("20261122_180000_align"), _entry("20261121_120000_qc")]


def test_runs_are_listed_the_newest_first_wherever_they_are(tmp_path: Path) -> None:
    assert entries() == []
    one, other = tmp_path / "a" / "run", tmp_path / "b" / "run"
    for directory in (one, other):
        directory.mkdir(parents=True)
        assert register(directory)
    assert [entry.directory for entry in entries()] == [other, one]
    assert {entry.run_id for entry in entries()} == {"run"}
    assert register(one)
    assert [entry.directory for entry in entries()] == [one, other], "one was begun again"


def test_a_run_whose_directory_is_gone_is_taken_off_the_list(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    register(tmp_path / "run")
    (tmp_path / "run").rmdir()
    assert entries() == []
    assert os.listdir(layout.runs_directory()) == []


def test_heads_register_side_by_side(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from cromulent_wdl.runs.index import entries, register\n"
        "for i in range(20):\n"
        "    path = Path(sys.argv[1]) / f'{sys.argv[2]}{i}'; path.mkdir(); assert register(path); entries()"
    )
    heads = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path), name]) for name in "xyz"]
    assert [head.wait(60) for head in heads] == [0, 0, 0]
    assert len(entries()) == 60


def test_a_list_that_cannot_be_written_fails_no_run(state: Path, tmp_path: Path) -> None:
    state.write_text("a file where the directory should be")
    assert register(tmp_path) is False


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("last", "20261122_190411_align"),
        ("20261122_180000_align", "20261122_180000_align"),
        ("20261122_18", "20261122_180000_align"),
        ("20261121", "20261121_120000_qc"),
    ],
)
def test_a_run_is_found_by_what_people_call_it(name: str, found: str) -> None:
    assert find_run(name, LISTED) == Path("/runs") / found


def test_a_run_is_found_by_its_directory_on_the_list_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "run", [beginning(1.0)], listed=False)
    monkeypatch.chdir(tmp_path)
    assert find_run("run", []) == find_run(str(tmp_path / "run"), LISTED) == tmp_path / "run"
    monkeypatch.chdir(tmp_path / "run")
    assert find_run(".", LISTED) == tmp_path / "run"


def test_a_whole_run_id_is_not_taken_for_the_beginning_of_another() -> None:
    assert find_run("run", [_entry("run2"), _entry("run")]) == Path("/runs/run")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("2026112", r"'2026112' fits 3 runs:\n  20261122_190411_align  /runs\n"),
        ("", "there is no run ''"),
        ("align", r"there is no run 'align'; did you mean:\n  20261122_190411_align"),
        ("20261121_120000_qd", r"did you mean:\n.*  20261121_120000_qc"),
        ("xyz", "there is no run 'xyz'$"),
    ],
)
def test_what_is_no_run_is_told_with_what_was_meant_perhaps(name: str, said: str) -> None:
    with pytest.raises(RunNotFound, match=f"(?s){said}") as raised:
        find_run(name, LISTED)
    assert raised.value.exit_status == 2
    assert raised.value.hint


def test_runs_of_the_same_id_are_told_apart_by_their_directories() -> None:
    twins = [_entry("run", "/one"), _entry("run", "/other")]
    with pytest.raises(RunNotFound, match=r"fits 2 runs:\n  run  /one\n  run  /other"):
        find_run("run", twins)


def test_many_matches_are_not_all_listed() -> None:
    with pytest.raises(RunNotFound, match="and 15 more"):
        find_run("run", [_entry(f"run{number}") for number in range(20)])


def test_a_directory_that_is_no_run_and_a_machine_without_runs(tmp_path: Path) -> None:
    with pytest.raises(RunNotFound, match=r"it has no journal\.jsonl"):
        find_run(str(tmp_path), LISTED)
    with pytest.raises(RunNotFound, match="no run yet") as raised:
        find_run("last", [])
    assert raised.value.hint is not None and "cromulent run" in raised.value.hint


def test_a_head_lives_while_its_process_does() -> None:
    with running([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        started = beginning(_start_of(process.pid) + 1, pid=process.pid)
        assert is_alive(started)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(started), "dead, though its parent has not taken note"
    assert not is_alive(started)


def _start_of(pid: int) -> float:
    import psutil

    return float(psutil.Process(pid).create_time())


def test_another_process_with_the_heads_number_is_not_the_head() -> None:
    assert not is_alive(beginning(_start_of(os.getpid()) - 3600))


def test_a_head_on_another_machine_is_taken_to_live() -> None:
    assert is_alive(RunStarted(1.0, "r", "n", "task", "s", 1, "elsewhere", "docker"))


def test_watching_a_run_reads_on_and_sees_its_head_go(tmp_path: Path) -> None:
    directory, alive = make_run(tmp_path / "run", run_under_way(1.0), listed=False), True
    watch = Watch(directory, head_alive=lambda started: alive)
    assert watch.status().state is State.RUNNING
    alive = False
    assert watch.status().state is State.LOST


def test_the_last_words_of_a_head_that_has_just_gone_are_heard(tmp_path: Path) -> None:
    directory = make_run(tmp_path / "run", failed_run(1.0)[:-1], listed=False)

    def ends_meanwhile(started: RunStarted) -> bool:
        JournalWriter(directory / layout.JOURNAL).append(RunEnded(2.0, Ending.OK))
        return False

    assert Watch(directory, head_alive=ends_meanwhile).status().state is State.OK


def test_a_run_can_be_watched_without_its_calls(tmp_path: Path) -> None:
    directory = make_run(tmp_path / "run", failed_run(1.0), listed=False)
    status = Watch(directory, of_run_only=True).status()
    assert (status.state, status.calls) == (State.FAILED, {})
