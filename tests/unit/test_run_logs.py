from collections.abc import Callable
from pathlib import Path

import pytest

from cromulent_wdl.errors import RunNotFound
from cromulent_wdl.model import CallStarted, RunStarted
from cromulent_wdl.runs.logs import awaited_call, call_log, find_call, growing, run_log
from cromulent_wdl.runs.status import fold
from tests.fakes.clocks import FakeClock
from tests.fakes.journals import beginning, failed_run

RUN = Path("/runs/r")


def test_a_calls_streams_are_those_of_its_last_attempt() -> None:
    status = fold(failed_run(1.0))
    assert call_log(RUN, status.calls["index"]) == RUN / "call-index/stderr.txt"
    assert call_log(RUN, status.calls["align[0]"]) == RUN / "call-align-0/stderr2.txt"
    assert call_log(RUN, status.calls["align[0]"], stdout=True) == RUN / "call-align-0/stdout2.txt"
    assert call_log(RUN, status.calls["align[2]"]) is None, "it was never begun"


def test_a_cached_calls_streams_are_where_it_was_made() -> None:
    call = fold(failed_run(1.0)).calls["summary.count"]
    assert call_log(RUN, call) == Path("/home/ada/20261121_120000_align/call-summary/call-count/stderr.txt")


def test_a_call_outside_the_run_directory_keeps_its_own() -> None:
    call = fold([beginning(1.0), CallStarted(2.0, "download", "download", "/cache/x")]).calls["download"]
    assert call_log(RUN, call) == Path("/cache/x/stderr.txt")


def test_the_log_of_a_lone_task_has_another_name() -> None:
    assert run_log(RUN, fold([beginning(1.0)])).name == "workflow.log"
    assert run_log(RUN, fold([RunStarted(1.0, "r", "n", "task", "s", 1, "h", "docker")])).name == "task.log"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("index", "index"),
        ("align[1]", "align[1]"),
        ("in", "index"),
        ("count", "summary.count"),
        ("summary", "summary.count"),
    ],
)
def test_a_call_is_found_by_path_beginning_or_name(name: str, path: str) -> None:
    assert find_call(name, fold(failed_run(1.0))).path == path


def test_the_index_of_a_scatter_is_enough() -> None:
    calls = [CallStarted(2.0 + n, f"lane[{n}-{reads}].align", "align", f"{n}") for n, reads in ((1, "a"), (10, "b"))]
    status = fold([beginning(1.0), *calls])

    assert find_call("lane[1]", status).path == find_call("lane[1].align", status).path == "lane[1-a].align"
    with pytest.raises(RunNotFound):
        find_call("lane[0]", status)


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("align", r"'align' fits 3 calls: align\[0\], align\[1\], align\[2\]$", "lists its calls"),
        ("indx", "no call 'indx'", "did you mean index?"),
        ("zzz", "no call 'zzz'", "lists its calls"),
    ],
)
def test_what_is_no_call_is_told_with_what_was_meant_perhaps(name: str, said: str, hint: str) -> None:
    with pytest.raises(RunNotFound, match=said) as raised:
        find_call(name, fold(failed_run(1.0)))
    assert hint in (raised.value.hint or "")


def test_a_call_that_is_to_come_is_waited_for_until_the_run_ends() -> None:
    clock, events = FakeClock(), list(failed_run(1.0))
    looks = iter(range(1, len(events) + 1))
    assert awaited_call("align[1", lambda: fold(events[: next(looks)]), clock).path == "align[1]"
    assert next(looks, None) is not None  # the run had not ended
    looks = iter(range(1, len(events) + 1))
    with pytest.raises(RunNotFound, match="no call 'zzz'") as raised:
        awaited_call("zzz", lambda: fold(events[: next(looks)]), clock)
    assert raised.value.hint == "`cromulent status 20261122_190411_align` lists its calls"
    assert next(looks, None) is None


def test_what_is_there_is_read_once_and_a_missing_file_is_empty(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"one\n" * 600_000)
    clock = FakeClock()
    assert b"".join(growing(lambda: tmp_path / "log", clock, lambda: False)) == b"one\n" * 600_000
    assert list(growing(lambda: tmp_path / "other", clock, lambda: False)) == []
    assert list(growing(lambda: None, clock, lambda: False)) == []
    assert clock.slept == []


def test_a_growing_file_is_followed_through_attempts_to_its_end(tmp_path: Path) -> None:
    first, second = tmp_path / "stderr.txt", tmp_path / "stderr2.txt"
    current = [first]

    def next_attempt() -> None:
        first.write_text("abc")
        second.write_text("d")
        current.append(second)

    steps: list[Callable[[], object]] = [
        lambda: first.write_text("a"),
        lambda: first.write_text("ab"),
        next_attempt,
        lambda: second.write_text("de"),
        lambda: None,
    ]
    clock = FakeClock(asleep=lambda: steps.pop(0)())
    read = list(growing(lambda: current[-1], clock, lambda: bool(steps)))
    assert b"".join(read) == b"abcde"
    assert steps == []


def test_what_was_written_before_the_end_was_seen_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log"

    def ends() -> bool:
        log.write_text("last words")
        return False

    assert b"".join(growing(lambda: log, FakeClock(), ends)) == b"last words"
