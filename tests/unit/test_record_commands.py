import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cromulent_wdl.cli import logs, ls, status
from cromulent_wdl.errors import RunNotFound, UsageError
from cromulent_wdl.model import CallEnded, CallQueued, Ending, Event, RunEnded, TaskPlaced, TaskStarted
from cromulent_wdl.runs.journal import JournalWriter
from cromulent_wdl.storage import layout
from tests.fakes.journals import beginning, failed_run, make_run, run_under_way
from tests.programs import running

RUN = "20261122_190411_align"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def invoke(command: click.Command, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def _words(line: str) -> str:
    return " ".join(line.split())


def _under_way() -> list[Event]:
    """Return the journal of a run whose head is this process."""
    import psutil

    return run_under_way(psutil.Process().create_time() + 1)


def test_ls_without_runs_says_how_to_start() -> None:
    result = invoke(ls.command)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "cromulent run hello.wdl" in result.stderr
    assert invoke(ls.command, "--json").stdout == "[]\n"


def test_ls_shows_how_each_run_is_doing_the_newest_first(place: Path) -> None:
    make_run(place / "a" / RUN, failed_run(1.0))
    make_run(place / "b" / "done", [beginning(1.0), RunEnded(8.0, Ending.OK)])
    make_run(place / "c" / "lost", [beginning(1.0, pid=2**22 + 1)])
    make_run(place / "d" / "stopped", [beginning(1.0), RunEnded(3601.0, Ending.STOPPED)])
    make_run(place / "e" / "running", _under_way())
    (make_run(place / "f" / "broken", []) / layout.JOURNAL).write_text('{"v":2,"event":"run_started"}\n')
    lines = invoke(ls.command).stdout.splitlines()
    assert [re.sub(r"\d+:[\d:]+ ~/e", "TIME ~/e", _words(line)) for line in lines] == [
        "RUN STATE TOOK IN",
        "? broken unreadable ~/f",
        "● running running TIME ~/e",
        "■ stopped stopped 1:00:00 ~/d",
        "✘ lost lost ~/c",
        "✔ done ok 0:07 ~/b",
        f"✘ {RUN} failed at align[0] 1:11 ~/a",
    ]


def test_ls_shows_as_many_runs_as_asked_and_says_how_many_more_there_are(place: Path) -> None:
    for number in range(25):
        make_run(place / f"run{number}", [beginning(1.0)])
    usual = invoke(ls.command)
    assert len(usual.stdout.splitlines()) == 21
    assert usual.stderr == "5 older: cromulent ls --all\n"
    few = invoke(ls.command, "-n", "2")
    assert [_words(line).split()[1] for line in few.stdout.splitlines()[1:]] == ["run24", "run23"]
    every = invoke(ls.command, "--all")
    assert (len(every.stdout.splitlines()), every.stderr) == (26, "")


def test_ls_as_json(place: Path) -> None:
    make_run(place / RUN, failed_run(1.0))
    assert json.loads(invoke(ls.command, "--json").stdout) == [
        {
            "run": RUN,
            "directory": str(place / RUN),
            "state": "failed",
            "removed": None,
            "name": "align",
            "started": 1.0,
            "ended": 72.0,
            "elapsed": 71.0,
            "message": "align[0] ran out of memory (4 GiB)",
            "call": "align[0]",
        }
    ]


def test_status_of_a_failed_run_says_why_and_what_to_type_next(place: Path) -> None:
    make_run(place / RUN, failed_run(1.0))
    result = invoke(status.command, "last")
    assert [_words(line) for line in result.stdout.splitlines()] == [
        f"align {RUN} failed, on Docker 1:11",
        "✔ index 0:07 1 core, 512 MiB of 2 GiB bwa:0.7.17",
        "✘ align[0] 1:00 2 cores, 4 GiB of 4 GiB attempt 2, ran out of memory (4 GiB)",
        "■ align[1] 1:00 2 cores, 4 GiB",
        "■ align[2] was not begun",
        "✔ summary.count from the call cache",
        "5 calls: 1 ok, 1 cached, 1 failed, 2 stopped",
        f"in ~/{RUN}",
        "why align[0] ran out of memory (4 GiB)",
    ]
    assert [_words(line) for line in result.stderr.splitlines()] == [
        f"more cromulent why {RUN}",
        f"log cromulent logs {RUN} 'align[0]'",
        "again the same command goes on from here: what was done stays done",
    ]


def test_status_of_a_run_under_way_says_what_waits_for_what(place: Path) -> None:
    make_run(place / RUN, _under_way())
    result = invoke(status.command, RUN[:10])
    rows = {_words(line).split()[1]: _words(line) for line in result.stdout.splitlines()}
    assert rows["align[1]"].endswith("2 cores, 4 GiB 2 cores, which align[0] has")
    assert rows["align[2]"] == "○ align[2]"
    assert "5 calls: 1 queued, 1 running, 1 waiting, 1 ok, 1 cached" in result.stdout
    assert _words(result.stderr) == f"log cromulent logs {RUN} -f"


def test_status_of_a_run_whose_head_is_gone(place: Path) -> None:
    events = run_under_way(1.0)
    make_run(place / RUN, [beginning(1.0, pid=2**22 + 1), *events[1:]], listed=False)
    result = invoke(status.command, str(place / RUN))
    assert "lost: its head is gone without a word" in result.stdout
    assert "goes on from here" in result.stderr


def test_status_of_a_large_run_shows_what_matters_and_how_to_see_the_rest(place: Path) -> None:
    events: list[Event] = [beginning(1.0)]
    for number in range(100):
        events += [CallQueued(2.0, f"a[{number}]", "a"), CallEnded(3.0, f"a[{number}]", Ending.OK)]
    events += [CallEnded(4.0, "a[77]", Ending.OOM, "ran out of memory")]
    make_run(place / RUN, [*events, RunEnded(5.0, Ending.OOM, "x", "a[77]")])
    result = invoke(status.command, "last")
    shown = [line for line in result.stdout.splitlines() if line.lstrip()[0] in "✔✘"]
    assert len(shown) == 30
    assert any("a[77]" in line for line in shown)
    assert "100 calls: 99 ok, 1 failed; 70 not shown" in result.stdout
    assert f"all cromulent status {RUN} --all" in _words(result.stderr)
    assert len([line for line in invoke(status.command, "last", "--all").stdout.splitlines() if "a[" in line]) == 100


def test_status_as_json(place: Path) -> None:
    make_run(place / RUN, failed_run(1.0))
    record = json.loads(invoke(status.command, "last", "--json").stdout)
    assert (record["state"], record["elapsed"], record["call"]) == ("failed", 71.0, "align[0]")
    assert record["counts"] == {"ok": 1, "failed": 1, "stopped": 2, "cached": 1}
    calls = {call["call"]: call for call in record["calls"]}
    assert calls["align[0]"]["directory"] == str(place / RUN / "call-align-0")
    first, second = calls["align[0]"]["attempts"]
    assert (first["ending"], first["exit_code"], first["usage"]["memory_peak"]) == ("oom", 137, 4 << 30)
    assert (second["attempt"], second["cpu"], second["memory"]) == (2, 2, 4 << 30)


def test_status_of_nothing_says_how_to_start() -> None:
    with pytest.raises(RunNotFound, match="no run yet"):
        invoke(status.command, "last")


def test_status_before_the_first_event(place: Path) -> None:
    make_run(place / RUN, [])
    assert "has only just begun" in invoke(status.command, "last").stdout
    assert json.loads(invoke(status.command, "last", "--json").stdout)["calls"] == []


def _with_logs(place: Path, events: list[Event]) -> Path:
    directory = make_run(place / RUN, events)
    (directory / "workflow.log").write_text("the whole run\n")
    (directory / "call-align-0").mkdir()
    for name in ("stderr", "stderr2", "stdout", "stdout2"):
        (directory / "call-align-0" / f"{name}.txt").write_bytes(f"{name} caf".encode() + b"\xe9\n")
    return directory


def test_logs_of_a_run_and_of_its_calls_are_printed_byte_for_byte(place: Path) -> None:
    _with_logs(place, failed_run(1.0))
    assert invoke(logs.command).stdout == "the whole run\n"
    assert invoke(logs.command, RUN).stdout == "the whole run\n"
    assert invoke(logs.command, "last", "align[0]").stdout_bytes == b"stderr2 caf\xe9\n"
    assert invoke(logs.command, "last", "align[0]", "--stdout").stdout_bytes == b"stdout2 caf\xe9\n"


def test_logs_of_a_call_that_wrote_nothing_and_of_none(place: Path) -> None:
    _with_logs(place, failed_run(1.0))
    silent = invoke(logs.command, "last", "index")
    assert (silent.exit_code, silent.stdout) == (0, "")
    assert silent.stderr == "index has written nothing to standard error\n"
    assert invoke(logs.command, "last", "align[2]", "--stdout").stderr.endswith("nothing to standard output\n")
    with pytest.raises(RunNotFound, match="fits 3 calls"):
        invoke(logs.command, "last", "align")
    with pytest.raises(UsageError, match="--stdout is about a call"):
        invoke(logs.command, "--stdout")


def test_logs_of_a_run_that_is_over_do_not_wait(place: Path) -> None:
    _with_logs(place, failed_run(1.0))
    assert invoke(logs.command, "last", "-f").stdout == "the whole run\n"
    assert invoke(logs.command, "last", "align[0]", "-f").stdout_bytes == b"stderr2 caf\xe9\n"


def test_following_a_call_goes_through_its_attempts_to_its_end(place: Path) -> None:
    directory = _with_logs(place, _under_way())
    stderr = directory / "call-align-0" / "stderr.txt"
    stderr.write_text("one\n")
    command = [sys.executable, "-m", "cromulent_wdl", "logs", "last", "align[0]", "--follow"]
    writer = JournalWriter(directory / layout.JOURNAL)
    with running(command, stdout=subprocess.PIPE) as process:
        guard = threading.Timer(60, os.kill, (process.pid, signal.SIGKILL))
        guard.start()
        assert process.stdout is not None
        assert process.stdout.readline() == b"one\n"
        with stderr.open("a") as file:
            file.write("two\n")
        assert process.stdout.readline() == b"two\n"
        writer.append(TaskPlaced(50.0, "align[0]", 2, "docker", "again"))
        writer.append(TaskStarted(51.0, "align[0]", 2, "c2ffee"))
        assert process.stdout.readline() == b"stderr2 caf\xe9\n"
        writer.append(CallEnded(60.0, "align[0]", Ending.OK))
        assert process.stdout.read() == b""
        assert process.wait(60) == 0
        guard.cancel()
