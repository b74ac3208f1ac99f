"""The life of an ECS task as a pure state machine: any order of steps keeps it legal."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cromulent_wdl.simulator.ecs.lifecycle import (
    ContainerLife,
    Deprovisioned,
    Exited,
    Failed,
    HostLost,
    Life,
    Provisioned,
    Pulled,
    Pulling,
    Started,
    Status,
    Step,
    StopWanted,
    advance,
    born,
)
from cromulent_wdl.simulator.ecs.seam import ContainerExit

ORDER = list(Status)
CONTAINERS = (ContainerLife("main", True), ContainerLife("aside", False))
ENDINGS = st.builds(ContainerExit, st.none() | st.integers(0, 255), st.none() | st.just("why"))
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.just(Provisioned()),
    st.just(Pulling()),
    st.just(Pulled({"main": "sha256:1"})),
    st.just(Started({"main": "1"})),
    st.builds(Exited, st.sampled_from(("main", "aside", "unknown")), ENDINGS),
    st.builds(Failed, st.just("no"), st.sampled_from(("TaskFailedToStart", None))),
    st.builds(StopWanted, st.sampled_from(("UserInitiated", "TerminationNotice")), st.just("stop")),
    st.builds(HostLost, st.sampled_from((None, "InfrastructureHealth", "Unheard")), st.just("lost"), st.booleans()),
    st.just(Deprovisioned()),
)


def live(*steps: Step) -> list[Life]:
    lives = [born(CONTAINERS, 0.0)]
    for at, step in enumerate(steps, start=1):
        lives.append(advance(lives[-1], step, float(at)))
    return lives


def test_an_ordinary_life() -> None:
    *_, running, exited, aside, stopped = live(
        Provisioned(),
        Pulling(),
        Pulled({"main": "sha256:1"}),
        Started({"main": "1"}),
        Exited("main", ContainerExit(3)),
        Exited("aside", ContainerExit(143)),
        Deprovisioned(),
    )
    assert (running.status, running.desired) == (Status.RUNNING, "RUNNING")
    assert (exited.status, exited.desired) == (Status.RUNNING, "STOPPED")  # the other container still runs
    assert aside.status is Status.DEPROVISIONING
    assert stopped.status is Status.STOPPED
    assert stopped.stop_code == "EssentialContainerExited"
    assert [each.exit_code for each in stopped.containers] == [3, 143]
    times = [stopped.connectivity_at, stopped.pull_started_at, stopped.pull_stopped_at, stopped.started_at]
    times += [stopped.stopping_at, stopped.execution_stopped_at, stopped.stopped_at]
    assert times == [1, 2, 3, 4, 5, 6, 7]


def test_the_end_of_a_container_that_is_not_essential_ends_nothing() -> None:
    life = live(Provisioned(), Started({}), Exited("aside", ContainerExit(1)))[-1]
    assert (life.status, life.desired) == (Status.RUNNING, "RUNNING")


def test_the_first_reason_to_stop_is_the_one_that_stays() -> None:
    life = live(
        Provisioned(),
        Started({}),
        StopWanted("UserInitiated", "enough"),
        Exited("main", ContainerExit(0)),
        HostLost("InfrastructureHealth", "gone"),
        Deprovisioned(),
    )[-1]
    assert (life.stop_code, life.stopped_reason) == ("UserInitiated", "enough")


def test_a_termination_notice_becomes_a_spot_interruption_at_the_end() -> None:
    notice = StopWanted("TerminationNotice", "Your Spot Task was interrupted.")
    warned = live(Provisioned(), Started({}), notice)[-1]
    assert (warned.status, warned.desired, warned.stop_code) == (Status.RUNNING, "STOPPED", "TerminationNotice")
    ended = advance(warned, HostLost(None, "unused"), 9.0)
    assert advance(ended, Deprovisioned(), 9.0).stop_code == "SpotInterruption"


def test_containers_that_never_ran_have_no_exit_code() -> None:
    life = live(Provisioned(), Failed("CannotPullContainerError: no"), Deprovisioned())[-1]
    assert life.stop_code == "TaskFailedToStart"
    assert life.started_at is None
    assert [each.exit_code for each in life.containers] == [None, None]


@given(st.lists(STEPS, max_size=30))
def test_any_order_of_steps_keeps_the_life_legal(steps: list[Step]) -> None:
    lives = live(*steps)
    for before, after in pairwise(lives):
        assert ORDER.index(after.status) >= ORDER.index(before.status)
        assert after.version - before.version in (0, 1)
        assert (after.version > before.version) == (shape(after) != shape(before))
        assert not (before.desired == "STOPPED" and after.desired == "RUNNING")
        if before.desired == "STOPPED" and after.status is not Status.STOPPED:
            assert (after.stop_code, after.stopped_reason) == (before.stop_code, before.stopped_reason)
        if before.status is Status.STOPPED:
            assert after is before
    last = lives[-1]
    assert (last.stopped_at is not None) == (last.status is Status.STOPPED)
    if last.status in (Status.DEPROVISIONING, Status.STOPPED):
        assert last.desired == "STOPPED"
        assert all(each.status == "STOPPED" for each in last.containers)


@given(st.lists(STEPS, max_size=30))
def test_from_anywhere_a_loss_and_its_clearing_end_the_task(steps: list[Step]) -> None:
    life = live(*steps)[-1]
    for step in (HostLost(None, "gone"), Deprovisioned()):
        life = advance(life, step, 99.0)
    assert life.status is Status.STOPPED


def shape(life: Life) -> tuple[object, ...]:
    return life.status, life.desired, tuple(each.status for each in life.containers)
