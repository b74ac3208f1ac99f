import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cromulent_wdl.backends.fargate.sizes import Size
from cromulent_wdl.cli.main import run as cromulent
from cromulent_wdl.model import (
    CallCached,
    CallStarted,
    EcsTaskLaunched,
    Ending,
    Event,
    RunStarted,
    TaskEnded,
    TaskPlaced,
    TaskStarted,
    Usage,
)
from cromulent_wdl.pricing.card import shipped
from cromulent_wdl.reports.tuning import Advice, Use, advice_of, overrides_of, uses_of
from cromulent_wdl.runs.status import fold
from cromulent_wdl.units import GIB
from tests.fakes.journals import beginning, make_run

RATES = shipped().rates("us-east-1")


def _task(call: str, cpu: int, memory: int, usage: Usage, ending: Ending = Ending.OK, attempt: int = 1) -> list[Event]:
    return [
        CallStarted(2.0, call, call, "call"),
        TaskPlaced(2.0, call, attempt, "docker", "x", cpu, memory),
        TaskStarted(3.0, call, attempt, "c"),
        TaskEnded(9.0, call, attempt, ending, usage=usage),
    ]


def _advice(*tasks: list[Event]) -> dict[str, Advice]:
    status = fold([beginning(1.0), *(event for task in tasks for event in task)])
    found = {use.name: advice_of(use, RATES) for use in uses_of([status])}
    return {name: advice for name, advice in found.items() if advice is not None}


def test_the_highest_use_of_all_calls_of_a_name_decides_with_a_margin() -> None:
    # peaks of 2 and 4 GiB: 5 GiB with a quarter more; 1.4 cores busy at most: 2; 2 vCPU may have 5 GB
    tasks = [
        _task("align[0]", 8, 32 * GIB, Usage(2 * GIB, 360.0, 3600.0, "cgroup")),
        _task("align[1-7]", 8, 32 * GIB, Usage(4 * GIB, 5040.0, 3600.0, "cgroup")),
    ]
    advice = _advice(*tasks)["align"]
    assert (advice.before, advice.after) == (Size(8192, 32 * 1024), Size(2048, 5 * 1024))
    # two hours: 8 x 0.04048 + 32 x 0.004445 = 0.46608 against 2 x 0.04048 + 5 x 0.004445 = 0.103185, an hour
    assert advice.dollars == pytest.approx(2 * (0.46608 - 0.103185), rel=1e-6)
    assert advice.part == pytest.approx(0.778611, rel=1e-4)
    assert overrides_of("w", [advice]) == {"w.align.runtime.cpu": 2, "w.align.runtime.memory": "5 GiB"}


def test_what_was_enough_is_not_raised_and_what_was_too_near_is() -> None:
    assert not _advice(_task("a", 4, 8 * GIB, Usage(7 * GIB, 100.0, 25.0)))["a"].changes
    assert _advice(_task("a", 4, 8 * GIB, Usage(8 * GIB, 100.0, 25.0)))["a"].after == Size(4096, 10 * 1024)


def test_what_ran_out_of_memory_gets_half_as_much_again() -> None:
    advice = _advice(_task("a", 1, 4 * GIB, Usage(4 * GIB, 50.0, 50.0), Ending.OOM))["a"]
    assert advice.after == Size(1024, 6 * 1024) and advice.dollars < 0


def test_what_nobody_measured_stays_as_it_is() -> None:
    assert _advice(_task("a", 1, 4 * GIB, Usage())) == {}
    only_cpu = _advice(_task("a", 4, 8 * GIB, Usage(cpu_seconds=90.0, seconds=100.0)))["a"]
    assert only_cpu.after == Size(1024, 8 * 1024), "memory was not measured"
    assert _advice(_task("a", 2, 4 * GIB, Usage(GIB, 0.1, 0.2)))["a"].after.cpu == 2048, "too short to tell"


def test_disk_is_given_back_where_it_was_measured() -> None:
    use = Use("a", 1, 3600.0, 1, 2 * GIB, 150 * GIB, 0.5, GIB, 30 * GIB)
    advice = advice_of(use, RATES)
    assert advice is not None and (advice.before.disk, advice.after.disk) == (150, 38)
    assert overrides_of("", [advice])["a.runtime.disks"] == "local-disk 38 SSD"
    nearly = advice_of(replace(use, disk_used=149 * GIB), RATES)
    assert nearly is not None and nearly.after.disk == 150, "it was enough"


def test_the_disk_of_a_task_on_fargate_is_what_it_was_given() -> None:
    begun, placed, started, ended = _task("a", 1, 2 * GIB, Usage(GIB, 9.0, 10.0, "cgroup", 30 * GIB))
    launched = EcsTaskLaunched(2.5, "a", 1, "arn", "spot", "us-east-1", "X86_64", 1.0, 2 * GIB, 100)
    (advice,) = _advice([begun, placed, launched, started, ended]).values()
    assert (advice.before.disk, advice.after.disk) == (100, 38)


def test_what_no_size_holds_is_left_alone() -> None:
    assert _advice(_task("a", 64, 8 * GIB, Usage(GIB, 50.0, 50.0))) == {}


def test_the_command_prints_a_table_and_inputs_that_run_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    task = _task("align[0]", 8, 32 * GIB, Usage(4 * GIB, 5040.0, 3600.0, "cgroup"))
    for name in ("one", "two"):
        make_run(tmp_path / name, [beginning(1.0, name), *task])
    assert cromulent(["tune", "one", "two"]) == 0
    out = capsys.readouterr().out
    assert "8 vCPU 32 GiB  2 vCPU 5 GiB  $0.7258 (78%)" in out and "in all $0.7258 in 2 runs" in out
    assert cromulent(["tune", "--json", str(tmp_path / "one")]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "align.align.runtime.cpu": 2,
        "align.align.runtime.memory": "5 GiB",
    }


def test_runs_of_different_workflows_are_not_thrown_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    make_run(tmp_path / "one", [beginning(1.0, "one")])
    make_run(tmp_path / "two", [RunStarted(1.0, "two", "other", "workflow", "/o.wdl", 1, "h", "docker")])
    assert cromulent(["tune", "one", "two"]) == 2
    assert "different workflows: align, other" in capsys.readouterr().err


def test_a_run_that_came_from_the_cache_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    make_run(tmp_path / "one", [beginning(1.0, "one"), CallCached(2.0, "align", "align", "../zero/call-align")])
    assert cromulent(["tune", "one"]) == 0
    said = capsys.readouterr()
    assert said.out == "no task has run: 1 call came from the call cache\n"
    assert "run it again with --no-cache" in said.err


def test_the_inputs_are_taken_by_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "w.wdl"
    source.write_text(
        'version 1.1\ntask t { command <<< : >>> runtime { cpu: 2 memory: "4 GB" } }\nworkflow w { call t as align }\n'
    )
    (advice,) = _advice(_task("align", 2, 4 * GIB, Usage(GIB, 50.0, 100.0))).values()
    inputs = tmp_path / "tuned.json"
    inputs.write_text(json.dumps(overrides_of("w", [advice])))
    arguments = ["run", source, "-i", inputs, "--backend", "process", "--no-cache", "--dir", tmp_path]
    # In a process of its own: it makes miniwdl faster, and other tests want it as it is.
    subprocess.run([sys.executable, "-m", "cromulent_wdl", *map(str, arguments)], check=True, timeout=60)
    journal = next(tmp_path.glob("2*/journal.jsonl")).read_text()
    assert '"cpu":1,"memory":2147483648' in journal
