"""How a whole `cromulent run` ends when somebody ends it, seen from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cromulent_wdl.clock import SYSTEM
from tests.programs import ended, on_a_terminal

SLOW = """
version 1.1
workflow slow {
  call quick { input: text = "a" }
  call wait { input: text = quick.out }
  output { String out = wait.out }
}
task quick {
  input { String text }
  command <<< echo ~{text} >>>
  output { String out = read_string(stdout()) }
}
task wait {
  input { String text }
  command <<<
    echo "waiting now" >&2
    [ -e "$GATE" ] || { setsid sleep 971 & sleep 971; }
    echo ~{text}
  >>>
  output { String out = read_string(stdout()) }
}
"""

COMMAND = (sys.executable, "-m", "cromulent_wdl", "run", "slow.wdl", "--backend", "process", "--env")


@pytest.fixture(autouse=True)
def leave_nothing(tmp_path: Path) -> Iterator[None]:
    yield
    for run in RUNS:
        run.process.kill()
        ended(run.process)
        run.stderr.close()
    RUNS.clear()


OPEN = {"CROMULENT_SANDBOX": "never"}
"""So that tasks can see the gate, which is in a temporary directory, and leave strays; a sandbox ends with its task."""
RUNS: list[Run] = []


class Run:
    """A `cromulent run` in the background, in a process group of its own."""

    def __init__(self, place: Path, *arguments: str) -> None:
        self.place = place
        (place / "slow.wdl").write_text(SLOW)
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("CROMULENT_", "MINIWDL_"))
        }
        homes = {"XDG_STATE_HOME": str(place / "state"), "XDG_CACHE_HOME": str(place / "cache")} | OPEN
        self.stderr = open(place / "stderr.txt", "w")
        self.process = subprocess.Popen(
            [*COMMAND, f"GATE={place}/gate", *arguments],
            cwd=place,
            env=inherited | homes,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.stderr,
            start_new_session=True,
            text=True,
        )
        RUNS.append(self)

    def until_waiting(self) -> Run:
        eventually(lambda: len(sleepers(self.place)) >= 2)
        return self

    def end(self) -> tuple[int, str, str]:
        out, _ = self.process.communicate(timeout=60)
        self.stderr.close()
        return self.process.returncode, out, (self.place / "stderr.txt").read_text()


def sleepers(place: Path) -> list[int]:
    """Return the commands of this test that still sleep, whoever is their parent."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() == "sleep" and process.environ().get("GATE") == f"{place}/gate":
                found.append(process.pid)
        except psutil.Error:
            pass
    return found


def guardians(place: Path) -> list[int]:
    """Return the guardians of this test's heads."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(word.startswith(f"{place}/state/") for word in process.cmdline()):
                found.append(process.pid)
        except psutil.Error:
            pass
    return found


def eventually(true: object) -> None:
    end = SYSTEM.monotonic() + 60
    while not true():  # type: ignore[operator]
        assert SYSTEM.monotonic() < end
        SYSTEM.sleep(0.05)


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_says_how_to_go_on_and_the_next_run_does(tmp_path: Path, signal_: int) -> None:
    run = Run(tmp_path).until_waiting()
    run.process.send_signal(signal_)
    status, out, err = run.end()
    assert status == 130
    assert out == ""
    assert "slow was stopped." in err
    assert "run the same command again" in err
    assert sleepers(tmp_path) == []
    (tmp_path / "gate").touch()
    status, out, err = Run(tmp_path).end()
    assert status == 0
    assert json.loads(out)["outputs"]["slow.out"] == "a"
    assert "✔ quick  from the call cache" in err
    assert "✔ wait  0:0" in err


def test_after_kill_9_nothing_is_left_and_the_next_run_says_what_was(tmp_path: Path) -> None:
    run = Run(tmp_path).until_waiting()
    run.process.kill()
    run.end()
    eventually(lambda: not sleepers(tmp_path))
    eventually(lambda: not guardians(tmp_path))  # it looks once more before it tells what it did
    (tmp_path / "gate").touch()
    status, _, err = Run(tmp_path).end()
    assert status == 0
    assert "cleaned up after run" in err
    assert "processes" in err
    assert "cleaned up" not in Run(tmp_path).end()[2]


def test_on_a_terminal_calls_are_shown_in_place(tmp_path: Path) -> None:
    (tmp_path / "slow.wdl").write_text(SLOW)
    (tmp_path / "gate").touch()
    homes = {
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "TERM": "xterm",
    } | OPEN
    environment = os.environ | homes | OPEN | {"NO_COLOR": "", "LINES": "24", "COLUMNS": "80"}
    command = [*COMMAND, f"GATE={tmp_path}/gate"]
    with on_a_terminal(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as terminal:
        text = terminal.rest()
        out, _ = ended(terminal.process)
    assert terminal.process.returncode == 0
    assert json.loads(out)["outputs"]["slow.out"] == "a"
    assert "\x1b[" in text
    last = text[text.rindex("slow  20") :]
    assert "✔" in last
    assert "quick" in last
    assert "wait" in last
