import dataclasses
import json
from pathlib import Path

import pytest

from cromulent_wdl.model import (
    CallEnded,
    CallQueued,
    CallStarted,
    Ending,
    Event,
    RunEnded,
    TaskEnded,
    TaskPlaced,
    TaskStarted,
    TaskWaiting,
)
from cromulent_wdl.reports.advice import Circumstances, happened, tries
from cromulent_wdl.reports.evidence import gather
from cromulent_wdl.reports.explanation import Explanation, Fact, lines_of
from cromulent_wdl.reports.graph import Call, Graph
from cromulent_wdl.reports.waiting import explain_waits
from cromulent_wdl.reports.why import Subject, explain_call, explain_run, root_of
from cromulent_wdl.runs.status import fold
from tests.fakes.journals import beginning, failed_run, run_under_way


def _subject(directory: Path, events: list[Event], *, alive: bool = True) -> Subject:
    return Subject(directory, fold(events, head_alive=alive), "last")


def _text(explanation: Explanation) -> str:
    return "\n".join(lines_of(explanation))


@pytest.mark.parametrize("ending", Ending)
@pytest.mark.parametrize("cloud", [True, False])
def test_there_are_words_and_something_to_do_for_every_ending(ending: Ending, cloud: bool) -> None:
    circumstances = Circumstances(ending, "last", "align[7]", cloud=cloud, memory=8 << 30, directory="/runs/x")
    assert happened(ending, None)
    assert any("cromulent " in text for text in tries(circumstances))


def test_the_root_is_explained_and_not_what_was_stopped_because_of_it(tmp_path: Path) -> None:
    subject = _subject(tmp_path, failed_run(100.0))
    text = _text(explain_run(subject))
    assert text.startswith("align failed: align[0] ran out of memory, twice.\n")
    assert "cromulent rerun last --runtime 'align.memory=8 GiB'" in text
    assert "align[1]" not in text, "it was only stopped"
    assert _text(explain_call(subject, subject.status.calls["align[1]"])).startswith(
        "align[1] was stopped because align[0] failed."
    )


def test_without_the_runs_last_word_the_first_failure_is_the_root() -> None:
    events = [event for event in failed_run(100.0) if not isinstance(event, RunEnded)]
    events[-2:-2] = [CallStarted(60.0, "z", "z", "call-z"), CallEnded(160.0, "z", Ending.FAILED)]
    root = root_of(fold(events))
    assert root is not None and root.path == "z"


def test_nothing_is_wider_than_a_terminal_but_what_is_to_be_copied(tmp_path: Path) -> None:
    words = "why " * 60
    explanation = Explanation(words, (Fact("because", words), Fact("x", words)), (words,))
    assert max(map(len, lines_of(explanation))) <= 80
    long = "cromulent rerun 20261122_190411_align --runtime 'a_long_name.of_a_call.memory=128 GiB' --backend x"
    assert f"  try          {long}" in lines_of(Explanation("x.", (), (long,)))


def _call(directory: Path, name: str, inputs: dict[str, object], stderr: str = "", command: str = "") -> None:
    place = directory / name
    place.mkdir()
    (place / "inputs.json").write_text(json.dumps(inputs))
    (place / "stderr.txt").write_text(stderr)
    (place / "command").write_text(command)


def _scatter(number: int, at: float) -> list[Event]:
    call = f"a[{number}]"
    return [CallStarted(at, call, "a", f"call-a-{number}"), TaskPlaced(at, call, 1, "docker", "x")]


@pytest.fixture
def scattered(tmp_path: Path) -> tuple[Path, list[Event]]:
    sizes = [10, 12, 500]
    for number, size in enumerate(sizes):
        reads = tmp_path / f"{number}.fq"
        reads.write_bytes(b"x" * size)
        _call(
            tmp_path,
            f"call-a-{number}",
            {"reads": str(reads), "reference": "/ref", "api_token": f"s3cr3t-{number}", "n": number},
            "\x1b[31mreading\x1b[0m\r50 %\r100 %\n../command: line 3: bwa: not found\n",
            "\nset -e\nbwa mem ref reads\n",
        )
    events = [
        beginning(1.0),
        *(event for number in range(3) for event in _scatter(number, 2.0)),
        TaskEnded(9.0, "a[2]", 1, Ending.FAILED, 127),
        CallEnded(9.0, "a[2]", Ending.FAILED),
        RunEnded(10.0, Ending.FAILED, "x", "a[2]"),
    ]
    return tmp_path, events


def test_the_inputs_that_set_a_failed_call_apart_are_named_and_secrets_are_not(
    scattered: tuple[Path, list[Event]],
) -> None:
    directory, events = scattered
    text = _text(explain_run(_subject(directory, events)))
    assert "ended with status 127 (a program was not found)" in text
    assert "500 bytes; the others are at most 12 bytes" in " ".join(text.split())
    assert "n = 2" in text and "api_token = (hidden)" in text
    assert "s3cr3t" not in text and "reference" not in text
    assert "line 3 of the command: bwa mem ref reads" in text


def test_row_47_the_last_words_are_what_a_terminal_would_show(scattered: tuple[Path, list[Event]]) -> None:
    directory, events = scattered
    status = fold(events)
    assert gather(directory, status, status.calls["a[2]"]).last_words == ("100 %", "../command: line 3: bwa: not found")


def test_a_run_that_fails_without_a_call(tmp_path: Path) -> None:
    error = {"error": "RunFailed", "cause": {"error": "EvalError", "pos": {"source": "/w/a.wdl", "line": 7}}}
    (tmp_path / "error.json").write_text(json.dumps(error))
    events: list[Event] = [beginning(1.0), RunEnded(2.0, Ending.FAILED, "Array index out of bounds")]
    text = _text(explain_run(_subject(tmp_path, events)))
    assert "by itself rather than by one of its calls" in text
    assert "Array index out of bounds" in text and "/w/a.wdl line 7" in text


def test_a_run_that_was_stopped_lost_or_went_well(tmp_path: Path) -> None:
    stopped = [*run_under_way(1.0), RunEnded(99.0, Ending.STOPPED, "stopped by Ctrl-C", "align[0]")]
    assert _text(explain_run(_subject(tmp_path, stopped))).startswith("align was stopped by Ctrl-C.")
    aborted = [*run_under_way(1.0), RunEnded(99.0, Ending.STOPPED, "it was stopped, and no head answered")]
    said = _text(explain_run(_subject(tmp_path, aborted)))
    assert said.startswith("align was stopped.") and "no head answered" in said
    lost = _text(explain_run(_subject(tmp_path, run_under_way(1.0), alive=False)))
    assert "was lost without a word" in lost and "align[0], align[1]" in lost
    fine = [*run_under_way(1.0), RunEnded(99.0, Ending.OK)]
    assert "did not fail" in _text(explain_run(_subject(tmp_path, fine)))


def test_row_56_each_waiting_call_of_a_running_run_says_for_what(tmp_path: Path) -> None:
    graph = Graph(
        "align",
        (Call("1", "align", "align"), Call("2", "merge", "merge"), Call("3", "publish", "publish")),
        after={"2": frozenset({"1"}), "3": frozenset({"2"})},
    )
    text = _text(explain_waits(_subject(tmp_path, run_under_way(100.0)), graph, 170.0))
    assert text.startswith("align is under way: 1 running, 2 waiting.\n")
    assert "running      align[0], for 1:00" in text
    assert "align[1]: 2 cores, which align[0] has, since 1:00" in text
    assert "align[2]: for a place among the calls that may run at once" in text
    assert "merge: after align" in text and "publish: after merge" in text


def test_calls_that_wait_for_the_same_thing_share_a_line_and_a_want_of_room_has_a_remedy(tmp_path: Path) -> None:
    events = run_under_way(100.0)
    for number in range(40):
        call = f"wide[{number}]"
        events += [
            CallQueued(101.0, call, "wide"),
            CallStarted(101.0, call, "wide", "call-wide"),
            TaskPlaced(102.0, call, 1, "fargate", "Spot"),
            TaskWaiting(103.0, call, 1, f"4 vCPUs of the Spot quota of 64 (wide[{number + 1}] has them)", "room"),
        ]
    text = _text(explain_waits(_subject(tmp_path, events), None, 200.0))
    assert "wide[0], wide[1], wide[2] and 37 more: 4 vCPUs of the Spot quota of 64" in " ".join(text.split())
    assert text.count("Spot quota") == 1 and "cromulent doctor" in text


def test_an_explanation_is_a_value(tmp_path: Path) -> None:
    explanation = explain_run(_subject(tmp_path, failed_run(1.0)))
    assert json.loads(json.dumps(dataclasses.asdict(explanation)))["headline"] == explanation.headline


def test_a_task_that_began_and_waits_says_no_more_that_it_waits(tmp_path: Path) -> None:
    events = [*run_under_way(100.0), TaskStarted(150.0, "align[1]", 1, "c3")]
    assert "2 cores" not in _text(explain_waits(_subject(tmp_path, events), None, 200.0))
