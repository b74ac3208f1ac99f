"""The live view: what it shows of many calls in little room."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from cromulent_wdl.cli import ui
from cromulent_wdl.cli.failure import Failure
from cromulent_wdl.cli.live import LiveView
from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.model import (
    CallEnded,
    CallQueued,
    CallStarted,
    EcsTaskLaunched,
    Ending,
    RunStarted,
    TaskEnded,
    TaskStarted,
    TaskWaiting,
)

WIDTH, HEIGHT = 80, 24


@pytest.fixture
def view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LiveView:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.setenv("LINES", str(HEIGHT))
    return LiveView("align  20261122_190411_align  here", tmp_path, "align")


def shown(view: LiveView) -> list[str]:
    console = Console(file=io.StringIO(), width=WIDTH, height=HEIGHT)
    with console.capture() as printed:
        console.print(view)
    return [line.rstrip() for line in printed.get().splitlines()]


class Terminal(io.StringIO):
    """Says that it is one, and knows what stands on it in the end."""

    def isatty(self) -> bool:
        return True

    def screen(self) -> list[str]:
        lines, row = [""], 0
        for plain, move in re.findall(r"([^\x1b\r\n]+)|(\x1b\[[?\d;]*[A-Za-z]|\n)", self.getvalue()):
            if move == "\n":
                row += 1
                lines += [""] * (row + 1 - len(lines))
            elif move.endswith("A"):
                row -= int(move[2:-1])
            elif move == "\x1b[2K":
                lines[row] = ""
            else:
                lines[row] += plain
        return [line.rstrip() for line in lines if line.strip()]


def begin(view: LiveView, directory: Path, call: str, says: str = "") -> None:
    (directory / call).mkdir()
    (directory / call / "stderr.txt").write_text(says)
    view(CallQueued(1.0, call, "align"))
    view(CallStarted(2.0, call, "align", call))
    view(TaskStarted(3.0, call, 1, "here"))


def test_long_words_are_cut_and_the_rest_stays_readable(view: LiveView, tmp_path: Path) -> None:
    begin(view, tmp_path, "align", "reading\n" + "many words " * 50 + "\n\n")
    lines = shown(view)
    assert all(len(line) <= WIDTH for line in lines)
    assert lines[1].split()[:2] == ["●", "align"]
    assert "many words" in lines[1]
    assert lines[1].endswith("…")


def test_a_long_name_leaves_room_for_words(view: LiveView, tmp_path: Path) -> None:
    begin(view, tmp_path, "long_" * 30, "last words")
    assert "last words" in shown(view)[1]


def test_of_a_long_name_the_end_is_shown_which_tells_it_from_others(view: LiveView, tmp_path: Path) -> None:
    for number in range(3):
        begin(view, tmp_path, f"{'outer_' * 8}[7].{'inner_' * 5}[{number}]")
    assert [line.split()[1][-8:] for line in shown(view)[1:]] == ["nner_[0]", "nner_[1]", "nner_[2]"]


def test_how_long_it_has_taken_is_shown_whatever_the_run_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    (heading, *_) = shown(LiveView("a_long_name_" * 9, tmp_path, "a_long_name"))
    assert heading.endswith("…  0:00") and len(heading) <= WIDTH


def test_what_a_run_on_fargate_has_cost_so_far_stands_in_the_heading(
    view: LiveView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    begin(view, tmp_path, "align")
    assert "$" not in shown(view)[0]
    hour_ago = SYSTEM.now() - 3600
    view(EcsTaskLaunched(hour_ago, "align", 1, "arn:1", "on_demand", "us-east-1", "X86_64", 4.0, 8 << 30))
    told = re.search(r"about \$(\d\.\d{4})$", shown(view)[0])
    # 4 x 0.04048 + 8 x 0.004445, and what the seconds cost that have gone by since
    assert told is not None and 0.1974 < float(told[1]) < 0.2


def test_of_many_calls_those_that_matter_are_shown(view: LiveView, tmp_path: Path) -> None:
    for number in range(100):
        begin(view, tmp_path, f"t[{number:03}]")
        if number < 90:
            view(CallEnded(10.0 + number, f"t[{number:03}]", Ending.OK))
    view(TaskEnded(200.0, "t[004]", 1, Ending.FAILED, 3, "the command ended with status 3"))
    view(CallEnded(200.0, "t[004]", Ending.FAILED, "the command ended with status 3"))
    view(CallQueued(200.0, "merge", "merge"))
    view(TaskWaiting(200.0, "t[099]", 1, "waiting for 2 cores"))
    lines = shown(view)
    calls = [line.split()[1] for line in lines[1:-1]]
    assert len(lines) <= HEIGHT
    assert calls[0] == "t[004]"
    assert calls[-10:] == [f"t[{number:03}]" for number in range(90, 100)]
    assert "t[089]" in calls, "the latest of those that are done"
    assert "t[000]" not in calls
    assert "waiting for 2 cores" in lines[-2]
    assert lines[-1].split(", ") == ["  89 done", "1 failed", "9 running", "2 waiting"]


def test_a_failure_is_told_with_what_stays_done(
    view: LiveView, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(view, tmp_path, "index")
    view(CallEnded(4.0, "index", Ending.OK))
    begin(view, tmp_path, "align")
    view(CallQueued(4.0, "merge", "merge"))
    view.failed(Failure(Ending.FAILED, "task command failed with exit status 3", "align", 3, "", ("oh",)))
    told = capsys.readouterr().err
    assert "align failed at align: task command failed with exit status 3\n  | oh\n" in told
    assert "1 call is done; run the same command again" in told
    assert [line.split()[0] for line in shown(view)[1:]] == ["✔", "■", "■"]


def test_a_question_takes_the_place_of_the_table_which_goes_on_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.setenv("LINES", str(HEIGHT))
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with LiveView("align  here", tmp_path, "align") as view:
        begin(view, tmp_path, "align", "reading")
        with view.aside():
            assert terminal.screen() == []
            ui.note("Stop the run? n")
    question, heading, row = terminal.screen()
    assert question == "Stop the run? n" and heading.startswith("align  here") and row.split()[:2] == ["●", "align"]


def test_the_clock_is_that_of_the_run_also_for_who_comes_later(view: LiveView) -> None:
    for began in (SYSTEM.now() - 3600, SYSTEM.now()):  # and another head of it
        view(RunStarted(began, "r", "align", "workflow", "", 1, "h", "process"))
        assert re.search(r"  1:0\d:\d\d$", shown(view)[0])


def test_a_subworkflow_makes_way_for_its_own_calls(view: LiveView, tmp_path: Path) -> None:
    view(CallQueued(1.0, "lane[0]", "lane"))
    assert "lane[0]" in "\n".join(shown(view))
    begin(view, tmp_path, "lane[0].align")
    view(CallEnded(4.0, "lane[0].align", Ending.OK))
    view(CallEnded(5.0, "lane[0]", Ending.OK))

    assert [line.split()[:2] for line in shown(view)[1:]] == [["✔", "lane[0].align"]]
