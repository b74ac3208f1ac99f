"""The benchmarks' own arithmetic, and how they run commands."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from benchmarks.figures import Row, as_json, table
from benchmarks.measure import Command, Failed, Sample, Samples, in_turn

RATIO = Row(1, "start", "s", 0.5, "peer", 2.0, 0.25)


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (RATIO, "ok"),
        (Row(1, "start", "s", 0.51, "peer", 2.0, 0.25), "short"),
        (Row(8, "memory", "MiB", 250, limit=250), "ok"),
        (Row(8, "memory", "MiB", 251, limit=250), "short"),
        (Row(7, "toil", "s", 1, "toil", 70), ""),
        (Row(5, "docker", missing="no Docker"), "short"),
        (Row(7, "cwltool", "s", limit=0.45, missing="not installed"), "short"),
        (Row(8, "abort", "s", 1, limit=2, missing="only 3 of 5 tasks were reached"), "short"),
    ],
)
def test_a_row_knows_whether_it_meets_its_goal(row: Row, verdict: str) -> None:
    assert row.verdict == verdict
    assert as_json([row])[0]["verdict"] == verdict


def test_the_table_has_a_line_a_row_and_says_what_is_missing() -> None:
    lines = table([RATIO, Row(5, "many tasks", missing="no Docker")]).splitlines()
    assert lines[1].split() == ["1", "start", "0.5", "s", "2", "s", "peer", "0.25", "≤", "0.25", "ok"]
    assert lines[2].split() == ["5", "many", "tasks", "short"]
    assert lines[3] == "goal 5, many tasks: no Docker"


def test_figures_are_medians() -> None:
    samples = Samples(tuple(Sample(cpu, cpu * 2, int(cpu), {"mine": cpu}) for cpu in (9.0, 1.0, 2.0)))
    assert (samples.cpu, samples.wall, samples.memory, samples.noted("mine")) == (2.0, 4.0, 2, 2.0)


def python(name: str, code: str, **options: object) -> Command:
    return Command(name, [sys.executable, "-c", code], **options)  # type: ignore[arg-type]


def test_commands_run_in_turn_and_back_each_in_a_place_of_its_own(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = f"import os; open({str(log)!r}, 'a').write(os.environ['WHO'] + os.getcwd()[-8:] + ' '); print(os.listdir())"
    commands = [python(who, code, environment={"WHO": who}, shows="stdout") for who in ("a", "b")]
    found = in_turn(commands, 2)
    assert [len(found[who].runs) for who in ("a", "b")] == [2, 2]
    assert all(run.cpu > 0 and run.wall > 0 and run.memory > 1 << 20 for run in found["a"].runs)
    entries = log.read_text().split()
    assert [entry[0] for entry in entries] == ["a", "b", "a", "b", "b", "a"]
    assert len({entry[1:] for entry in entries}) == 6


def test_a_command_that_does_not_do_its_work_is_no_result() -> None:
    with pytest.raises(Failed, match="broken ended with status 3: sorry"):
        in_turn([python("broken", "import sys; print('sorry', file=sys.stderr); sys.exit(3)")], 1)
    with pytest.raises(Failed, match="idle ended with status 0: nothing"):
        in_turn([python("idle", "print('nothing')", shows="outputs")], 1)


def test_what_a_command_measures_itself_is_taken_along() -> None:
    code = "import json; json.dump({'seconds': 1.5}, open('note.json', 'w')); raise SystemExit(1)"
    found = in_turn([python("noting", code, status=None)], 1, warm=False)
    assert found["noting"].noted("seconds") == 1.5
