"""Workflows on Fargate: a simulator that runs tasks as processes, our command as a user types it."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import stat
from pathlib import Path

import pytest

from cromulent_wdl.model import Ending, RunEnded, TaskEnded
from cromulent_wdl.pricing.card import shipped
from cromulent_wdl.pricing.costs import CostFold
from cromulent_wdl.reports.attempts import given
from cromulent_wdl.runs.journal import JournalReader
from cromulent_wdl.runs.status import fold
from cromulent_wdl.storage.layout import FARGATE_RUN
from cromulent_wdl.units import GIB
from tests.programs import ended

from .cloud import until
from .fargate import Lab

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_md5sum_of_a_file_of_the_host(lab: Lab) -> None:
    file = lab.home / "it's a file.txt"
    file.write_text("ACGT\n")
    ran = lab.run("run", str(EXAMPLES / "md5sum/md5sum.wdl"), f"file={file}", "--dir", str(lab.mount))
    expected = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    assert ran.outputs["md5sum.checksum"] == expected
    assert Path(ran.outputs["md5sum.checksum_file"]).read_text() == f"{expected}  {file.name}\n"
    assert [task["stopCode"] for task in lab.tasks()] == ["EssentialContainerExited"]


WIDE = """
version 1.1
workflow wide {
  input { Int width }
  scatter (i in range(width)) { call one { input: i = i } }
  call sum { input: files = one.file }
  output { Int total = sum.total }
}
task one {
  input { Int i }
  command <<< sleep 0.5; echo said >&2; echo ~{i} > number >>>
  output { File file = "number" }
  runtime { cpu: 1 memory: "1.5 GB" }
}
task sum {
  input { Array[File] files }
  command <<< cat ~{sep(" ", files)} | awk '{ total += $1 } END { print total }' >>>
  output { Int total = read_int(stdout()) }
}
"""


ALL_AT_ONCE = "touch ../../began-~{i}; until [ $(ls -d ../../began-* | wc -l) = 20 ]; do sleep 0.1; done"


def test_plain_miniwdl_runs_many_calls_at_once(lab: Lab) -> None:
    (lab.mount / "wide.wdl").write_text(WIDE.replace("sleep 0.5", ALL_AT_ONCE))
    ran = lab.run("run", "--verbose", "--dir", str(lab.mount), "--as-me", "wide.wdl", "width=20", module="WDL")
    assert ran.outputs == {"wide.total": 190}
    assert ran.stderr.count("said") >= 20
    assert len({task["taskDefinitionArn"] for task in lab.tasks()}) == 1


def test_after_kill_9_a_new_head_takes_over_what_runs_and_does_nothing_twice(lab: Lab) -> None:
    (lab.mount / "wide.wdl").write_text(WIDE.replace("sleep 0.5", "sleep 4"))
    arguments = ("run", "wide.wdl", "width=4", "--dir", "run/.", "--no-cache")
    head = lab.start(*arguments)
    until(lambda: len([task for task in lab.tasks() if task["lastStatus"] in ("RUNNING", "STOPPED")]) == 4)
    head.kill()
    ended(head)
    first = {task["taskArn"] for task in lab.tasks()}
    ran = lab.run(*arguments)
    assert ran.outputs == {"wide.total": 6}
    assert len(first) == 4
    assert len(lab.tasks()) == 5  # the sum is new
    events = list(JournalReader(ran.directory / "journal.jsonl").new())
    calls = fold(events).calls.values()
    assert {given(call.attempts[-1]) for call in calls if call.name == "one"} == {(1.0, 2 * GIB)}
    costs = CostFold()
    for event in events:
        costs.add(event)
    assert [bill.wasted for bill in costs.costs(shipped().rates, 0.0).bills] == [""] * 5
    assert {task["stopCode"] for task in lab.tasks()} == {"EssentialContainerExited"}


def test_after_kill_9_what_had_ended_meanwhile_is_not_done_again(lab: Lab) -> None:
    (lab.mount / "wide.wdl").write_text(WIDE)
    arguments = ("run", "wide.wdl", "width=3", "--dir", "run/.", "--no-cache")
    head = lab.start(*arguments)
    until(lambda: len([task for task in lab.tasks() if task["lastStatus"] in ("RUNNING", "STOPPED")]) >= 3)
    head.kill()
    ended(head)
    until(lambda: not lab.live())
    ran = lab.run(*arguments)
    assert ran.outputs == {"wide.total": 3}
    assert len(lab.tasks()) == 4
    assert stat.S_IMODE((ran.directory / FARGATE_RUN).stat().st_mode) == 0o600  # it has a key


def test_after_kill_9_what_would_be_done_otherwise_is_stopped_and_begun_anew(lab: Lab) -> None:
    (lab.mount / "wide.wdl").write_text(WIDE.replace("sleep 0.5", "sleep 100"))
    arguments = ("run", "wide.wdl", "width=2", "--dir", "run/.", "--no-cache")
    head = lab.start(*arguments)
    until(lambda: len([task for task in lab.tasks() if task["lastStatus"] == "RUNNING"]) == 2)
    head.kill()
    ended(head)
    (lab.mount / "wide.wdl").write_text(WIDE)
    ran = lab.run(*arguments)
    assert ran.outputs == {"wide.total": 1}
    codes = sorted(task["stopCode"] for task in lab.tasks())
    assert codes == ["EssentialContainerExited"] * 3 + ["UserInitiated"] * 2


def test_after_kill_9_what_the_workflow_has_no_more_is_stopped_and_waited_for(lab: Lab) -> None:
    (lab.mount / "wide.wdl").write_text(WIDE.replace("sleep 0.5", "sleep 100"))
    head = lab.start("run", "wide.wdl", "width=3", "--dir", "run/.", "--no-cache")
    until(lambda: len([task for task in lab.tasks() if task["lastStatus"] == "RUNNING"]) == 3)
    head.kill()
    ended(head)
    (lab.mount / "wide.wdl").write_text(WIDE)
    assert lab.run("run", "wide.wdl", "width=1", "--dir", "run/.", "--no-cache").outputs == {"wide.total": 0}
    assert not lab.live()
    assert [task["stopCode"] for task in lab.tasks()].count("UserInitiated") == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["cromulent_wdl", "WDL"])
def test_row_54_a_signal_stops_what_runs_and_what_is_being_launched(
    lab: Lab, module: str, number: signal.Signals
) -> None:
    (lab.mount / "wide.wdl").write_text(WIDE.replace("sleep 0.5", "sleep 100"))
    head = lab.start("run", "wide.wdl", "width=40", "--dir", str(lab.mount), module=module)
    until(lambda: any(task["lastStatus"] == "RUNNING" for task in lab.tasks()))
    head.send_signal(number)
    _, said = head.communicate(timeout=60)
    assert head.returncode not in (0, 70), said
    assert not lab.live(), said
    assert {container.get("exitCode") for task in lab.tasks() for container in task["containers"]}.isdisjoint({0})


def test_reap_lists_and_stops_what_a_dead_run_left_and_no_other(lab: Lab) -> None:
    (lab.mount / "wide.wdl").write_text(WIDE.replace("sleep 0.5", "sleep 100"))
    heads = [lab.start("run", "wide.wdl", "width=2", "--dir", f"{name}/.") for name in ("dead", "alive")]
    until(lambda: len([task for task in lab.tasks() if task["lastStatus"] == "RUNNING"]) == 4)
    second = lab.run("run", "wide.wdl", "width=2", "--dir", "alive/.")
    assert second.status == 2
    heads[0].kill()
    ended(heads[0])
    listed = lab.run("reap", "--json", "--dry-run")
    left = {Path(each["directory"]).name: each["standing"] for each in json.loads(listed.stdout)}
    assert left == {"dead": "dead", "alive": "alive"}
    for command in ("status", "why"):
        told = lab.run(command, str(lab.mount / "dead"))
        assert "cromulent reap" in told.stdout + told.stderr
    asked = lab.run("reap")
    assert (asked.status, asked.stderr.splitlines()[-2]) == (2, "nobody is there to be asked")
    reaped = lab.run("reap", "--yes")
    assert reaped.status == 0, reaped.stderr
    until(lambda: len(lab.live()) == 2)
    heads[1].terminate()
    _, stderr = heads[1].communicate(timeout=60)
    assert heads[1].returncode == 130, stderr
    assert not lab.live()


def test_what_is_wrong_is_told_before_anything_is_started(lab: Lab) -> None:
    elsewhere = lab.run("run", str(EXAMPLES / "md5sum/md5sum.wdl"), f"file={__file__}", "--dir", str(lab.home))
    assert elsewhere.status == 2
    assert "is not on the deployment's file system" in elsewhere.stderr
    assert not list(lab.home.glob("*_md5sum"))
    deep = ("run", str(EXAMPLES / "md5sum/md5sum.wdl"), f"file={__file__}", "--dir", str(lab.mount / "a/b/c"))
    for module in ("cromulent_wdl", "WDL"):
        ran = lab.run(*deep, module=module)
        assert ran.status == 2
        assert "5 directories deep, and EFS takes 4 at most" in ran.stderr
    missing = lab.run("run", str(EXAMPLES / "md5sum/md5sum.wdl"), f"file={__file__}", deployment="nosuch")
    assert missing.status == 2
    assert "there is no deployment 'nosuch'" in missing.stderr
    assert lab.tasks() == []


LIMITED = """
version 1.1
task limited {
  input { String memory = "1 GiB" }
  command <<< sleep 100 >>>
  runtime { memory: memory  disks: "local-disk 30 SSD"  zones: "us-east-1a" }
}
"""


def test_row_17_a_time_limit_of_the_command_line_and_a_run_without_spot(lab: Lab) -> None:
    (lab.mount / "limited.wdl").write_text(LIMITED)
    ran = lab.run("run", "limited.wdl", "--task-timeout", "1s", "--dir", "run/.", spot="false")
    assert ran.status not in (0, 70)
    assert "limited failed: stopped when its time limit of" in ran.stderr
    assert "ignored runtime settings (keys: ['zones'])" in ran.stderr
    [task] = lab.tasks()
    assert (task["capacityProviderName"], task["lastStatus"]) == ("FARGATE", "STOPPED")


@pytest.mark.parametrize("module", ["cromulent_wdl", "WDL"])
def test_what_no_size_holds_is_refused_with_the_nearest(lab: Lab, module: str) -> None:
    (lab.mount / "limited.wdl").write_text(LIMITED)
    ran = lab.run("run", "limited.wdl", "memory=500 GiB", "--dir", str(lab.mount), module=module)
    assert ran.status not in (0, 70)
    assert "no size of Fargate holds" in ran.stderr and "nearest" in ran.stderr
    assert lab.tasks() == []


RETRIED = """
version 1.1
task hard {
  command <<< sleep 1; echo fine > out >>>
  output { File out = "out" }
  runtime { memory: "2 GiB" preemptible: 1 maxRetries: 1 }
}
"""


def test_row_22_losses_are_repeated_in_fresh_directories_and_one_attempts_outputs_are_used(lab: Lab) -> None:
    lost = "case $(pwd -P) in */work2) sleep 60;; esac"
    (lab.mount / "hard.wdl").write_text(RETRIED.replace("sleep 1", lost))
    lab.afflict(
        {"kind": "eni_timeout", "times": 1},
        {"kind": "spot_interruption", "provider": "FARGATE_SPOT", "after": 0.4, "warning": 0.1, "on": [2]},
        {"kind": "out_of_memory", "provider": "FARGATE", "times": 1},
    )
    ran = lab.run("run", "hard.wdl", "--dir", "run/.", "--verbose")
    out = Path(ran.outputs["hard.out"])
    assert out.read_text() == "fine\n"
    assert out.resolve().parent.name == "work4"
    said = [line for line in ran.stderr.splitlines() if "task again" in line]
    assert ["network interface" in said[0], "now on demand" in said[1], "again with 4 GiB" in said[2]] == [True] * 3
    assert len(said) == 3
    events = [json.loads(line) for line in (lab.mount / "run/journal.jsonl").read_text().splitlines()]
    ended = [event["ending"] for event in events if event["event"] == "task_ended"]
    assert ended == ["network", "spot", "oom", "ok"]
    places = [(event["place"], event["memory"] >> 30) for event in events if event["event"] == "ecs_task_launched"]
    assert places == [("spot", 2), ("spot", 2), ("on_demand", 2), ("on_demand", 4)]


def test_an_ending_of_the_clouds_does_not_use_up_the_tasks_retries(lab: Lab) -> None:
    (lab.mount / "hard.wdl").write_text(RETRIED.replace("echo fine > out", "exit 7"))
    ran = lab.run("run", "hard.wdl", "--dir", "run/.")
    assert ran.status == 7
    assert len(lab.tasks()) == 2  # the first, and maxRetries
    (lab.mount / "hard.wdl").write_text(RETRIED)
    lab.afflict({"kind": "pull_not_found"})
    ran = lab.run("run", "hard.wdl", "--dir", "run2/.")
    assert ran.status == 2
    assert "the image is not there" in ran.stderr
    assert len(lab.tasks()) == 3  # it would not be there for another attempt either


FAILS_FAST = """
version 1.1
workflow fails {
  scatter (i in range(3)) { call one { input: i = i } }
}
task one {
  input { Int i }
  command <<<
    touch ../../began-~{i}
    until [ $(ls -d ../../began-* | wc -l) = 3 ]; do sleep 0.1; done
    [ ~{i} = 1 ] && exit 9
    sleep 100
  >>>
}
"""


def test_row_54_the_failure_of_one_call_stops_the_others(lab: Lab) -> None:
    (lab.mount / "fails.wdl").write_text(FAILS_FAST)
    ran = lab.run("run", "fails.wdl")
    assert ran.status == 9
    assert sorted(task["stopCode"] for task in lab.tasks()) == [
        "EssentialContainerExited",
        "UserInitiated",
        "UserInitiated",
    ]
    assert not lab.live()


@pytest.mark.parametrize("cache", [("--no-cache",), ()])
def test_a_run_that_had_ended_is_not_done_again_in_its_directory(lab: Lab, cache: tuple[str, ...]) -> None:
    (lab.mount / "wide.wdl").write_text(WIDE)
    arguments = ("run", "wide.wdl", "width=3", "--dir", "run/.", *cache)
    assert lab.run(*arguments).outputs == {"wide.total": 3}
    again = lab.run(*arguments)
    assert again.outputs == {"wide.total": 3}
    assert len(lab.tasks()) == 4


KNOWS_ITSELF = """
version 1.2
task knows {
  command <<< echo "~{task.cpu} ~{task.memory}" >>>
  output { String said = read_string(stdout()) }
}
"""


def test_a_task_that_declares_nothing_knows_what_it_gets(lab: Lab) -> None:
    (lab.mount / "knows.wdl").write_text(KNOWS_ITSELF)
    assert lab.run("run", "knows.wdl").outputs == {"knows.said": f"1.000000 {2 * 1024**3}"}
    lab.run("run", "knows.wdl", default_cpu="0.25", default_memory="512")
    assert sorted((task["cpu"], task["memory"]) for task in lab.tasks()) == [("1024", "2048"), ("256", "512")]


CHAIN = """
version 1.1
workflow chain {
  call one
  call two { input: after = one.n }
}
task one { command <<< true >>> output { Int n = 1 } runtime { cpu: 1 memory: "2 GiB" } }
task two { input { Int after } command <<< true >>> output { Int n = after } runtime { cpu: 1 memory: "2 GiB" } }
"""


def test_a_run_that_has_cost_as_much_as_it_may_launches_no_more(lab: Lab) -> None:
    (lab.mount / "chain.wdl").write_text(CHAIN)
    arguments = ("run", "chain.wdl", "--dir", "run/.")  # of which each task costs $0.00034, a minute of it
    ran = lab.run(*arguments, "--max-cost", "0.0003")
    assert ran.status == 2
    assert re.search(r"stopped launching: \$0\.000\d+ of \$0\.000300 spent", ran.stderr), ran.stderr
    assert len(lab.tasks()) == 1 and not lab.live()
    events = list(JournalReader(lab.mount / "run/journal.jsonl").new())
    assert [event.ending for event in events if isinstance(event, TaskEnded)] == [Ending.OK, Ending.BUDGET]
    assert isinstance(events[-1], RunEnded) and (events[-1].ending, events[-1].call) == (Ending.BUDGET, "two")
    again = lab.run(*arguments, "--max-cost", "0.0003")  # what the run has cost, it has cost
    assert again.status == 2 and len(lab.tasks()) == 1
    assert lab.run(*arguments, "--max-cost", "0.5").outputs == {"chain.one.n": 1, "chain.two.n": 1}
    assert len(lab.tasks()) == 2
