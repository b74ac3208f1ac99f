import functools
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cromulent_wdl.model import (
    CallCached,
    CallEnded,
    CallQueued,
    CallStarted,
    EcsTaskLaunched,
    EcsTaskStopped,
    Ending,
    Event,
    RunEnded,
    RunStarted,
    TaskEnded,
    TaskImage,
    TaskPlaced,
    TaskStarted,
    TaskWaiting,
)
from cromulent_wdl.runs.journal import JournalReader
from cromulent_wdl.runs.status import FINAL, RunStatus, State, fold
from tests.fakes.journals import beginning, failed_run, run_under_way

GOLDEN = Path(__file__).parent / "golden" / "journal.jsonl"
CALLS = ["a", "b[0]", "sub", "sub.c", "sub.d[1]"]


@functools.cache
def _call_event(call: str) -> st.SearchStrategy[Event]:
    attempt = st.integers(1, 3)
    at, arn = st.floats(1, 9), st.sampled_from(["arn:1", "arn:2"])
    return st.one_of(
        st.builds(CallQueued, at, st.just(call), st.just("n")),
        st.builds(CallStarted, at, st.just(call), st.just("n"), st.just("call-n")),
        st.builds(CallCached, at, st.just(call), st.just("n"), st.just("/old")),
        st.builds(CallEnded, at, st.just(call), st.sampled_from(Ending)),
        st.builds(TaskPlaced, at, st.just(call), attempt, st.just("docker"), st.just("why")),
        st.builds(TaskWaiting, at, st.just(call), attempt, st.just("cores")),
        st.builds(TaskImage, at, st.just(call), attempt, st.just("bwa"), st.just("sha")),
        st.builds(TaskStarted, at, st.just(call), attempt, st.just("1")),
        st.builds(
            EcsTaskLaunched,
            at,
            st.just(call),
            attempt,
            arn,
            st.just("spot"),
            st.just("eu-west-1"),
            st.just(1.0),
            attempt,
        ),
        st.builds(EcsTaskStopped, at, st.just(call), attempt, arn),
        st.builds(TaskEnded, at, st.just(call), attempt, st.sampled_from(Ending)),
    )


@st.composite
def _lives(draw: st.DrawFn) -> list[list[Event]]:
    """Any events of some calls, and perhaps the run's end: a list for each, in order."""
    calls = draw(st.lists(st.sampled_from(CALLS), unique=True))
    lives = [draw(st.lists(_call_event(call), min_size=1, max_size=8)) for call in calls]
    ending = draw(st.none() | st.sampled_from(Ending))
    return lives + ([[RunEnded(10.0, ending)]] if ending else [])


def _interleaved(lives: Sequence[Sequence[Event]], choose: random.Random) -> list[Event]:
    waiting = [list(life) for life in lives]
    events: list[Event] = []
    while waiting := [life for life in waiting if life]:
        events.append(choose.choice(waiting).pop(0))
    return events


@given(_lives(), st.randoms(use_true_random=False), st.booleans())
def test_it_does_not_matter_how_the_calls_are_interleaved(
    lives: list[list[Event]], choose: random.Random, alive: bool
) -> None:
    one = fold([beginning(1.0), *_interleaved(lives, choose)], head_alive=alive)
    other = fold([beginning(1.0), *_interleaved(lives, choose)], head_alive=alive)
    assert one == other
    assert one.in_order() == other.in_order()


@given(st.lists(st.sampled_from(CALLS).flatmap(_call_event)), st.booleans())
def test_any_events_whatever_have_a_status(events: list[Event], alive: bool) -> None:
    status = fold([beginning(1.0), *events], head_alive=alive)
    assert sum(status.counts.values()) == len(status.calls)
    assert alive or all(call.state in FINAL for call in status.calls.values())
    assert all((call.elapsed(0.0) or 0.0) >= 0.0 for call in status.calls.values())


@pytest.mark.parametrize("length", range(len(failed_run(1.0)) + 1))
def test_every_beginning_of_a_journal_has_a_status(length: int) -> None:
    status = fold(failed_run(1.0)[:length])
    whole = length == len(failed_run(1.0))
    assert status.state is (State.FAILED if whole else State.RUNNING if length else State.QUEUED)
    assert set(status.calls) <= {"index", "align[0]", "align[1]", "align[2]", "summary", "summary.count"}


def _states(status: RunStatus) -> dict[str, State]:
    return {path: call.state for path, call in status.calls.items()}


def test_the_status_of_the_golden_journal() -> None:
    status = fold(JournalReader(GOLDEN).new())
    assert status.state is State.FAILED
    assert status.elapsed(0.0) == 71.0
    assert status.started is not None and status.started.host == "lab"
    assert status.ended is not None and status.ended.call == "align[0]"
    assert _states(status) == {
        "index": State.OK,
        "align[0]": State.FAILED,
        "align[1]": State.STOPPED,
        "align[2]": State.STOPPED,
        "summary.count": State.CACHED,
    }
    assert status.counts == {State.OK: 1, State.FAILED: 1, State.STOPPED: 2, State.CACHED: 1}
    assert [call.path for call in status.in_order()] == ["index", "align[0]", "align[1]", "align[2]", "summary.count"]
    align = status.calls["align[0]"]
    assert (align.directory, align.ending, align.elapsed(0.0)) == ("call-align-0", Ending.OOM, 60.0)
    assert [attempt.number for attempt in align.attempts] == [1, 2]
    assert align.usage.memory_peak == 4 << 30
    index = status.calls["index"].attempts[0]
    assert (index.image, index.digest, index.where) == ("bwa:0.7.17", "sha256:3a1f", "c0ffee")
    assert index.placed is not None and (index.placed.cpu, index.placed.backend) == (1, "docker")
    assert status.calls["align[2]"].elapsed(1.0) is None, "it was never begun"


def test_a_run_under_way() -> None:
    status = fold(run_under_way(100.0))
    assert status.state is State.RUNNING
    assert status.elapsed(160.0) == 60.0
    assert _states(status) == {
        "index": State.OK,
        "align[0]": State.RUNNING,
        "align[1]": State.WAITING,
        "align[2]": State.QUEUED,
        "summary.count": State.CACHED,
    }
    assert status.calls["align[1]"].attempts[-1].waiting == "2 cores, which align[0] has"
    assert status.calls["align[0]"].elapsed(130.0) == 20.0
    assert status.calls["align[0]"].attempts[-1].waiting == ""


def test_a_task_that_got_what_it_waited_for_does_not_wait_any_more() -> None:
    events = [*run_under_way(100.0), TaskStarted(120.0, "align[1]", 1, "c3ffee")]
    call = fold(events).calls["align[1]"]
    assert (call.state, call.attempts[-1].waiting) == (State.RUNNING, "")


def test_a_run_whose_head_is_gone_is_lost_and_nothing_of_it_runs() -> None:
    status = fold(run_under_way(100.0), head_alive=False)
    assert status.state is State.LOST
    assert status.elapsed(160.0) is None
    assert _states(status)["align[0]"] is _states(status)["align[2]"] is State.STOPPED
    assert status.calls["align[0]"].elapsed(160.0) is None, "nobody knows"
    assert fold(failed_run(100.0), head_alive=False).state is State.FAILED, "it ended before its head went"


def test_a_subworkflow_without_calls_is_done_when_the_run_is() -> None:
    events: list[Event] = [beginning(1.0), CallQueued(2.0, "empty", "empty"), RunEnded(3.0, Ending.OK)]
    assert _states(fold(events)) == {"empty": State.OK}


def test_another_head_in_the_same_directory_begins_anew() -> None:
    second = beginning(500.0)
    status = fold([*failed_run(100.0), second])
    assert (status.state, status.started, status.ended, status.calls) == (State.RUNNING, second, None, {})


def test_calls_of_one_moment_are_in_the_order_of_their_numbers() -> None:
    paths = ["a[10]", "a[2]", "a[2].b", "b", "10", "a[x]"]
    status = fold([beginning(1.0), *(CallQueued(2.0, path, "a") for path in paths), CallQueued(1.5, "z", "z")])
    assert [call.path for call in status.in_order()] == ["z", "10", "a[2].b", "a[10]", "a[x]", "b"]


def test_what_aws_says_of_ecs_tasks_is_kept_with_their_attempts_and_the_heads_own_apart() -> None:
    status = fold(JournalReader(GOLDEN.with_name("journal-fargate.jsonl")).new())
    (attempt,) = status.calls["align"].attempts
    (task,) = attempt.ecs_tasks.values()
    assert task.launched is not None and (task.launched.cpu, task.launched.place) == (4.0, "spot")
    assert task.stopped is not None and task.stopped.stop_code == "SpotInterruption"
    (head,) = status.head.values()
    assert head.launched is not None and head.launched.cpu == 1.0 and head.stopped is None
    assert set(status.calls) == {"align"}, "the head is no call"


def test_an_empty_journal_is_a_run_that_nothing_is_known_of() -> None:
    assert fold([]) == RunStatus()
    assert isinstance(beginning(1.0), RunStarted) and fold([beginning(1.0)]).started == beginning(1.0)
