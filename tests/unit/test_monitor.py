"""The watcher of ECS tasks: what is looked at when, what is told, and that order and repetition change nothing."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cromulent_wdl.aws.decode import EcsTask
from cromulent_wdl.aws.ecs import Seen
from cromulent_wdl.backends.fargate.opening import waits_of
from cromulent_wdl.config import Settings
from cromulent_wdl.errors import AwsThrottled
from cromulent_wdl.monitor import Began, Lost, Monitor, News, Over, Stuck, Ticket, Waits
from cromulent_wdl.monitor.roster import BATCH, Roster
from tests.fakes.clocks import FakeClock

WAITS = Waits(least=1.0, most=10.0, calls_per_second=6.0, lost_after=120.0, stuck_after=60.0)


def running(arn: str) -> EcsTask:
    return EcsTask(arn, status="RUNNING", desired="RUNNING", started_at=1.0)


def stopped(arn: str) -> EcsTask:
    return EcsTask(arn, status="STOPPED", desired="STOPPED", stop_code="EssentialContainerExited", exit_code=0)


def test_row_4_a_look_takes_a_hundred_and_an_old_task_is_looked_at_less_often() -> None:
    roster = Roster(WAITS)
    for number in range(250):
        roster.add(f"t{number}", f"k{number}", now=0.0)
    assert roster.due(0.5) == ()
    looks = 0
    while arns := roster.due(1.0):
        assert len(arns) <= BATCH
        roster.saw([running(arn) for arn in arns], (), 1.0)
        looks += 1
    assert looks == 3
    old = Roster(WAITS)
    old.add("t", "k", now=0.0)
    old.saw([running("t")], (), 100.0)
    assert old.due(109.0) == ()
    assert old.due(110.0) == ("t",)


def test_ten_thousand_tasks_stay_within_the_rate() -> None:
    roster = Roster(WAITS)
    for number in range(10_000):
        roster.add(f"t{number}", f"k{number}", now=0.0)
    calls, now = 0, 0.0
    while now < 60.0:
        now += 0.5
        while arns := roster.due(now):
            roster.saw([running(arn) for arn in arns], (), now)
            calls += 1
    assert calls / 60.0 <= 10  # facts: DescribeTasks and ListTasks share 20/s, of which half is ours


def test_a_result_on_the_disk_has_its_task_looked_at_at_once() -> None:
    roster = Roster(WAITS)
    roster.add("t", "k", now=0.0)
    roster.saw([running("t")], (), 50.0)
    roster.left_results(["k", "of somebody else"], 51.0)
    assert roster.due(51.0) == ("t",)
    assert roster.saw([stopped("t")], (), 51.0) == [Over(stopped("t"))]
    assert len(roster) == 0


def test_row_24_a_task_that_left_its_result_and_stays_running_is_stuck_once() -> None:
    roster = Roster(WAITS)
    roster.add("t", "k", now=0.0)
    roster.left_results(["k"], 10.0)
    roster.left_results(["k"], 60.0)
    assert roster.overdue(69.0) == []
    assert roster.overdue(70.0) == [Stuck("t")]
    assert roster.overdue(80.0) == []


def test_row_6_a_new_task_may_be_missing_for_a_while_and_is_lost_only_then() -> None:
    roster = Roster(WAITS)
    roster.add("t", "k", now=0.0)
    assert roster.saw([], ["t"], 1.0) == []
    assert roster.saw([running("t")], (), 2.0) == [Began(running("t"))]
    assert roster.saw([], ["t"], 100.0) == []
    assert roster.saw([], ["t"], 219.0) == []
    assert roster.saw([], ["t"], 220.0) == [Lost("t")]


def test_a_failed_poll_delays_everybody_and_fails_nobody() -> None:
    clock = FakeClock()
    answers: list[Seen | AwsThrottled] = [AwsThrottled("less"), AwsThrottled("less"), Seen((stopped("t"),), ())]

    def describe(arns: Sequence[str]) -> Seen:
        answer = answers.pop(0)
        if isinstance(answer, AwsThrottled):
            raise answer
        return answer

    monitor = _Unthreaded(describe, clock)
    with monitor.watching("t", "k") as ticket:
        for _ in range(3):
            clock.sleep(20.0)
            monitor.turn()
        assert ticket.wait(0) == Over(stopped("t"))
    assert answers == []


class _Unthreaded(Monitor):
    """Turns when it is told to."""

    def __init__(self, describe: object, clock: FakeClock) -> None:
        super().__init__(describe, WAITS, clock)  # type: ignore[arg-type]
        self._thread = _NoThread()  # type: ignore[assignment]


class _NoThread:
    def join(self) -> None:
        pass


def test_it_listens_where_names_are_left_and_bears_with_a_disk_that_fails() -> None:
    clock = FakeClock()
    asked: list[str] = []

    def describe(arns: Sequence[str]) -> Seen:
        asked.extend(arns)
        return Seen(tuple(running(arn) for arn in arns), ())

    def broken() -> Sequence[str]:
        raise OSError("stale file handle")

    monitor = _Unthreaded(describe, clock)
    monitor.listen(broken)
    names = iter([["k"], []])
    monitor.listen(lambda: next(names))
    with monitor.watching("t", "k") as ticket:
        monitor.turn()
        assert asked == ["t"]
        assert ticket.wait(0) == Began(running("t"))
        clock.sleep(WAITS.stuck_after)
        monitor.turn()
        assert ticket.wait(0) == Stuck("t")


def by_its_name(monitor: Monitor) -> None:
    names = iter([["k"]])
    monitor.listen(lambda: next(names, []))
    monitor.turn()


def by_who_has_read_it(monitor: Monitor) -> None:
    monitor.left_results(("k",))


@pytest.mark.parametrize("told", [by_its_name, by_who_has_read_it])
def test_a_result_that_was_left_before_its_task_is_watched_is_not_forgotten(told: Callable[[Monitor], None]) -> None:
    clock = FakeClock()
    monitor = _Unthreaded(lambda arns: Seen(tuple(running(arn) for arn in arns), ()), clock)
    told(monitor)
    with monitor.watching("t", "k") as ticket:
        monitor.turn()
        assert ticket.wait(0) == Began(running("t"))
        clock.sleep(WAITS.stuck_after)
        monitor.turn()
        assert ticket.wait(0) == Stuck("t")


def test_the_thread_tells_and_ends() -> None:
    monitor = Monitor(lambda arns: Seen(tuple(map(stopped, arns)), ()), Waits(least=0.01))
    try:
        with monitor.watching("t", "k") as ticket:
            assert ticket.wait(60) == Over(stopped("t"))
    finally:
        monitor.close()


def test_a_ticket_that_is_woken_without_news_has_none() -> None:
    monitor = _Unthreaded(lambda arns: Seen((), ()), FakeClock())
    with monitor.watching("t", "k") as ticket:
        ticket.wake()
        assert ticket.wait(60) is None


def test_news_that_come_before_anybody_has_heard_the_first_are_heard_one_by_one() -> None:
    ticket = Ticket("t")
    ticket.tell(Began(running("t")))
    ticket.tell(Over(stopped("t")))
    assert ticket.wait(60) == Began(running("t"))
    assert ticket.wait(60) == Over(stopped("t"))
    assert ticket.wait(0) is None


def test_row_7_how_often_it_looks_is_a_setting() -> None:
    waits = waits_of(Settings(poll_least=3.0, poll_most=30.0, lost_after=60.0, stuck_after=7.0))
    assert waits == Waits(least=3.0, most=30.0, lost_after=60.0, stuck_after=7.0)
    roster = Roster(waits)
    roster.add("t", "k", now=0.0)
    assert (roster.due(2.9), roster.due(3.0)) == ((), ("t",))


ARNS = tuple(f"t{number}" for number in range(5))
events = st.lists(
    st.tuples(st.sampled_from(["seen", "missing", "failed", "result"]), st.sampled_from(ARNS), st.floats(0, 30)),
    max_size=60,
)


@given(events, st.randoms(use_true_random=False))
def test_whatever_the_order_every_task_is_told_over_exactly_once(
    given_events: list[tuple[str, str, float]], chances: random.Random
) -> None:
    roster = Roster(WAITS)
    for arn in ARNS:
        roster.add(arn, f"key of {arn}", 0.0)
    ends = {arn: chances.uniform(0, 100) for arn in ARNS}
    told: list[News] = []
    now = 0.0
    for kind, arn, wait in [*given_events, *(("seen", arn, 200.0) for arn in ARNS)]:
        now += wait
        task = stopped(arn) if now >= ends[arn] else running(arn)
        if kind == "seen":
            told += roster.saw([task, task], (), now)
        elif kind == "missing":
            told += roster.saw([], [arn], now)
        elif kind == "failed":
            roster.failed([arn], now)
        else:
            roster.left_results([f"key of {arn}", "nobody's"], now)
        told += roster.overdue(now)
    last = [each for each in told if isinstance(each, Over | Lost)]
    assert sorted(_arn(each) for each in last) == sorted(ARNS)
    assert len(roster) == 0
    for once in (Began, Stuck):
        names = [_arn(each) for each in told if isinstance(each, once)]
        assert len(names) == len(set(names))


def _arn(news: News) -> str:
    return news.task.arn if isinstance(news, Began | Over) else news.arn


@pytest.mark.parametrize("status", ["PROVISIONING", "PENDING", "RUNNING", ""])
def test_no_status_but_the_last_ones_is_an_end(status: str) -> None:
    assert not EcsTask("t", status=status).over
    ending = EcsTask("t", status=status, desired="STOPPED", container_status="STOPPED", exit_code=3)
    assert ending.over
    assert not dataclasses.replace(ending, exit_code=None).over
