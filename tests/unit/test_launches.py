"""Launches: at AWS's rates, fair between calls, within what there is room for, and giving way when throttled."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cromulent_wdl.aws.rates import DESCRIBE, RUN_TASK, Bucket, Rate, least_for
from cromulent_wdl.backends.fargate.gate import Cancelled, Gate
from cromulent_wdl.backends.fargate.ladder import Rung
from cromulent_wdl.backends.fargate.launching import queue_of
from cromulent_wdl.backends.fargate.turns import Measured, Need, Room, Turns
from cromulent_wdl.backends.seam import Cancellation
from tests.fakes.clocks import FakeClock
from tests.fakes.waiting import eventually

SPOT, ON_DEMAND = Need("FARGATE_SPOT", 1.0), Need("FARGATE", 4.0)


def test_row_1_a_bucket_gives_its_burst_at_once_and_then_its_rate() -> None:
    clock = FakeClock()
    bucket = Bucket(Rate(burst=3, per_second=2), clock)
    assert [bucket.reserve() for _ in range(5)] == [0, 0, 0, 0.5, 1.0]
    clock.sleep(10)
    assert bucket.delay() == 0
    assert [bucket.reserve() for _ in range(4)] == [0, 0, 0, 0.5]


@given(st.lists(st.floats(0, 3), max_size=200))
def test_no_window_of_time_sees_more_than_the_rate_allows(waits: list[float]) -> None:
    clock = FakeClock()
    bucket, used = Bucket(RUN_TASK, clock), list[float]()
    for wait in waits:
        clock.sleep(wait / 50)
        bucket.take()
        used.append(clock.time)
    for first, start in enumerate(used):
        for last in range(first, len(used)):
            # facts: RunTask on Fargate, 20 at once and 20 a second
            assert last - first + 1 <= 20 + 20 * (used[last] - start) + 1e-6


def test_ours_is_under_half_of_what_the_account_shares() -> None:
    assert DESCRIBE.per_second < 10 and DESCRIBE.burst <= 50  # facts: ECS API buckets


@pytest.mark.parametrize(("pause", "rate"), [(0.0, 32), (0.01, 32), (0.1, 5), (0.5, 1), (8.0, 1)])
def test_row_9_who_pauses_for_less_gives_way_less(pause: float, rate: float) -> None:
    bucket = Bucket(Rate(burst=10, per_second=32), FakeClock(), least_for(pause))
    for _ in range(20):
        bucket.throttled()
    assert bucket.per_second == pytest.approx(rate)


def test_row_9_a_throttle_halves_the_rate_and_success_brings_it_back() -> None:
    clock = FakeClock()
    bucket = Bucket(Rate(burst=10, per_second=8), clock)
    bucket.throttled()
    bucket.throttled()
    assert bucket.per_second == 2
    assert bucket.reserve() == 0.5
    for _ in range(20):
        bucket.throttled()
    assert bucket.per_second == 0.25
    for _ in range(100):
        bucket.succeeded()
    assert bucket.per_second == 8


def test_calls_take_turns_however_wide_one_is() -> None:
    turns: Turns[str] = Turns()
    for number in range(5):
        turns.add("wide", f"wide{number}")
    turns.add("narrow", "narrow0")
    turns.add("narrow", "narrow1")
    order = [turns.next(lambda _: True) for _ in range(7)]
    assert order == ["wide0", "narrow0", "wide1", "narrow1", "wide2", "wide3", "wide4"]
    assert not turns


def test_who_is_not_admitted_does_not_hold_up_others() -> None:
    turns: Turns[str] = Turns()
    for ticket in ("big", "small"):
        turns.add(ticket, ticket)
    assert turns.next(lambda ticket: ticket == "small") == "small"
    assert turns.next(lambda ticket: ticket == "small") is None
    turns.remove("big", "big")
    turns.remove("big", "big")
    assert not turns


def test_row_14_the_quota_caps_what_runs_and_is_told() -> None:
    room = Room(quotas={"FARGATE": 6.0, "FARGATE_SPOT": 6.0})
    room.take(ON_DEMAND)
    assert "4 of the 6 Fargate On-Demand vCPUs" in room.lack(ON_DEMAND)
    assert room.lack(SPOT) == ""
    room.give_back(ON_DEMAND)
    assert room.lack(ON_DEMAND) == ""


def test_row_14_a_task_larger_than_every_quota_is_turned_away_and_one_that_fits_a_quota_is_not() -> None:
    both = [Need("FARGATE_SPOT", 4.0), ON_DEMAND]
    room = Room(quotas={"FARGATE": 2.0, "FARGATE_SPOT": 3.0})
    gate = Gate(lambda _: 0.0, room, FakeClock(), measure=lambda: pytest.fail("it was measured just now"))
    assert gate.refusal(both) == (
        "it needs 4 vCPUs, and the account may run 3 Fargate Spot and 2 Fargate On-Demand vCPUs at a time"
    )
    room.quotas = {"FARGATE": 4.0, "FARGATE_SPOT": 3.0}
    assert gate.refusal(both) == ""
    assert gate.enter("a", both, Cancellation(), lambda _: None).need == ON_DEMAND
    room.quotas = {}
    assert gate.refusal(both) == ""  # AWS's to judge
    gate.close()


def test_row_14_quotas_that_have_grown_are_found_before_a_task_is_turned_away() -> None:
    clock = FakeClock()
    gate = Gate(lambda _: 0.0, Room({"FARGATE": 2.0}), clock, measure=lambda: Measured({"FARGATE": 4.0}))
    assert gate.refusal([ON_DEMAND])
    clock.sleep(60)
    assert gate.refusal([ON_DEMAND]) == ""


def test_where_spots_quota_is_used_up_a_task_goes_on_demand_and_says_so() -> None:
    room = Room({"FARGATE": 2.0, "FARGATE_SPOT": 1.0})
    gate, needs = Gate(lambda _: 0.0, room), [SPOT, Need("FARGATE", 1.0)]
    admissions = [gate.enter("a", needs, Cancellation(), lambda _: None) for _ in range(3)]
    assert [each.need.provider for each in admissions] == ["FARGATE_SPOT", "FARGATE", "FARGATE"]
    assert [each.instead for each in admissions] == [
        "",
        *["1 of the 1 Fargate Spot vCPUs that the account may run are in use"] * 2,
    ]
    said, cancelled = list[str](), Cancellation()

    def waiting(why: str) -> None:
        said.append(why)
        cancelled.cancel()

    with pytest.raises(Cancelled):
        gate.enter("a", needs, cancelled, waiting)
    assert "Spot vCPUs" in said[0] and "2 of the 2 Fargate On-Demand vCPUs" in said[0]
    gate.leave(SPOT)
    assert gate.enter("a", needs, Cancellation(), lambda _: None).need == SPOT
    gate.close()


def test_row_12_free_addresses_cap_what_runs_and_are_told() -> None:
    room = Room(addresses=2)
    room.take(SPOT)
    assert room.lack(SPOT) == ""
    room.take(SPOT)
    assert "all 2 free addresses" in room.lack(SPOT)


def test_the_gate_tells_who_waits_for_room_and_lets_them_in_when_there_is() -> None:
    gate, said = Gate(lambda _: 0.0, Room(addresses=1)), list[str]()
    entered = threading.Event()

    def enter() -> None:
        gate.enter("b", [SPOT], Cancellation(), said.append)
        entered.set()

    gate.enter("a", [SPOT], Cancellation(), said.append)
    thread = threading.Thread(target=enter)
    thread.start()
    assert eventually(lambda: said)
    assert not entered.is_set()
    gate.leave(SPOT)
    thread.join(60)
    gate.close()
    assert entered.is_set()
    assert said == ["all 1 free addresses of the deployment's subnets are in use"]


def test_all_of_a_queue_are_told_why_they_wait() -> None:
    gate, said, cancelled = Gate(lambda _: 0.0, Room(addresses=1)), list[str](), Cancellation()
    gate.enter("a", [SPOT], Cancellation(), said.append)

    def enter() -> None:
        with pytest.raises(Cancelled):
            gate.enter("a", [SPOT], cancelled, said.append)

    threads = [threading.Thread(target=enter) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert eventually(lambda: len(said) == 5)
    cancelled.cancel()
    for thread in threads:
        thread.join(60)
    gate.close()


def test_a_scatter_is_one_queue_a_place() -> None:
    spot, demand = Rung("FARGATE_SPOT", "a"), Rung("FARGATE", "a")
    assert queue_of("inner[3].one[17]", spot) == queue_of("inner[4].one[2]", Rung("FARGATE_SPOT", "b"))
    assert len({queue_of("one[1]", spot), queue_of("two[1]", spot), queue_of("one[1]", demand)}) == 3


def test_the_rates_are_asked_once_a_look_however_many_wait() -> None:
    asked, cancelled = list[str](), Cancellation()
    gate = Gate(lambda provider: asked.append(provider) or 0.5, Room())  # type: ignore[func-returns-value]

    def enter() -> None:
        with pytest.raises(Cancelled):
            gate.enter("a", [SPOT], cancelled, lambda _: None)

    threads = [threading.Thread(target=enter) for _ in range(50)]
    for thread in threads:
        thread.start()
    assert eventually(lambda: asked)
    cancelled.cancel()
    for thread in threads:
        thread.join(60)
    gate.close()
    assert len(asked) < 50


def test_row_14_room_that_grows_meanwhile_is_found() -> None:
    clock = FakeClock()
    room = Room(addresses=1)
    gate = Gate(lambda _: 0.0, room, clock, measure=lambda: Measured(quotas={"FARGATE_SPOT": 5.0}, free_addresses=3))
    gate.enter("a", [SPOT], Cancellation(), lambda _: None)
    gate.enter("b", [SPOT], Cancellation(), lambda _: clock.sleep(60.0))
    gate.close()
    assert room.addresses == 4
    assert room.quotas == {"FARGATE_SPOT": 5.0}
    room.measured(Measured())
    assert room.addresses == 4


def test_who_is_cancelled_while_waiting_leaves_the_line() -> None:
    gate, cancelled = Gate(lambda _: 0.0, Room(addresses=1)), Cancellation()
    gate.enter("a", [SPOT], Cancellation(), lambda _: None)
    with pytest.raises(Cancelled):
        gate.enter("b", [SPOT], cancelled, lambda _: cancelled.cancel())
    gate.leave(SPOT)
    gate.enter("c", [SPOT], Cancellation(), lambda _: None)
    gate.close()


def test_who_is_cancelled_while_being_let_in_takes_no_room() -> None:
    cancelled, room = Cancellation(), Room()

    def no_delay(_: str) -> float:
        cancelled.cancel()
        return 0.0

    gate = Gate(no_delay, room)
    with pytest.raises(Cancelled):
        gate.enter("a", [SPOT], cancelled, lambda _: None)
    gate.close()
    assert (room.tasks, room.vcpus) == (0, {SPOT.provider: 0.0})


def test_the_gate_waits_as_long_as_the_rates_say_and_lets_some_in_together() -> None:
    clock, delays = FakeClock(), iter([0.4, 0.05, 0.0])
    gate = Gate(lambda _: next(delays), Room(), clock)
    gate.enter("a", [SPOT], Cancellation(), lambda _: None)
    gate.close()
    assert clock.slept == [0.4, 0.25]
