from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from cromulent_wdl.backends.heads import Head
from cromulent_wdl.backends.leases import LEASE, Holding, write_holding
from cromulent_wdl.backends.ledger import Ledger, ReservationCancelled
from cromulent_wdl.backends.seam import Cancellation
from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.model import Resources
from tests.fakes.waiting import eventually

GB = 1_000_000_000
CORE = Resources(cpu=1)
TWO_CORES = Resources(cpu=2)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Head]:
    with closing(Head.open("a_run", tmp_path)) as opened:
        yield opened


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Head]:
    with closing(Head.open("another_run", tmp_path)) as opened:
        yield opened


class Caller(threading.Thread):
    """A call that reserves, and holds until it is let go."""

    def __init__(self, ledger: Ledger, resources: Resources, name: str = "") -> None:
        super().__init__(name=name, daemon=True)
        self.ledger, self.resources = ledger, resources
        self.cancelled = Cancellation()
        self.waited: list[str] = []
        self.holds, self.let_go = threading.Event(), threading.Event()
        self.gave_up = False

    def run(self) -> None:
        try:
            with self.ledger.reserve(self.resources, self.cancelled, self.waited.append, self.name):
                self.holds.set()
                self.let_go.wait(60)
        except ReservationCancelled:
            self.gave_up = True

    def end(self) -> None:
        self.let_go.set()
        self.join(60)


def waiting(ledger: Ledger, resources: Resources, name: str = "") -> Caller:
    caller = Caller(ledger, resources, name)
    caller.start()
    assert eventually(lambda: caller.waited)
    return caller


def holding(ledger: Ledger, resources: Resources, name: str = "") -> Caller:
    caller = Caller(ledger, resources, name)
    caller.start()
    assert caller.holds.wait(30)
    return caller


def lease_of(head: Head) -> Holding:
    return Holding.decode((head.entry / LEASE).read_bytes())


def test_what_is_held_is_in_the_lease_and_what_is_let_go_is_not(head: Head) -> None:
    ledger = Ledger(head, 4, 8 * GB)
    with ledger.reserve(Resources(cpu=3, memory=2 * GB), Cancellation(), pytest.fail):
        assert (lease_of(head).cores, lease_of(head).memory) == (3, 2 * GB)
    assert lease_of(head) == Holding()


def test_a_task_that_declares_nothing_touches_no_file_and_never_waits(head: Head) -> None:
    ledger = Ledger(head, 1, GB)
    with ledger.reserve(CORE, Cancellation(), pytest.fail):
        before = os.stat(head.entry / LEASE).st_mtime_ns
        with ledger.reserve(Resources(memory_limit=GB), Cancellation(), pytest.fail):
            pass
        assert os.stat(head.entry / LEASE).st_mtime_ns == before


def test_calls_are_admitted_in_the_order_in_which_they_came(head: Head) -> None:
    ledger = Ledger(head, 2, GB)
    first = holding(ledger, CORE)
    large = waiting(ledger, TWO_CORES)
    small = waiting(ledger, CORE)
    assert not small.holds.is_set(), "the small one overtook the large one, which would starve"
    first.end()
    assert large.holds.wait(30) and not small.holds.is_set()
    large.end()
    assert small.holds.wait(30)
    small.end()


def test_a_task_that_declares_more_than_there_is_runs_alone(head: Head) -> None:
    ledger = Ledger(head, 2, GB)
    one = holding(ledger, CORE)
    giant = waiting(ledger, Resources(cpu=64, memory=512 * GB))
    one.end()
    assert giant.holds.wait(30)
    after = waiting(ledger, CORE)
    giant.end()
    assert after.holds.wait(30)
    after.end()


def test_cancelling_wakes_the_waiting_call_and_lets_the_next_one_in(head: Head) -> None:
    ledger = Ledger(head, 2, GB)
    first = holding(ledger, CORE)
    large = waiting(ledger, TWO_CORES)
    small = waiting(ledger, CORE)
    large.cancelled.cancel()
    large.join(30)
    assert large.gave_up and small.holds.wait(30)
    first.end()
    small.end()
    assert lease_of(head) == Holding()


def test_cancelling_a_call_further_back_disturbs_nobody(head: Head) -> None:
    ledger = Ledger(head, 1, GB)
    first, second, third = holding(ledger, CORE), waiting(ledger, CORE), waiting(ledger, CORE)
    third.cancelled.cancel()
    third.join(30)
    assert third.gave_up and not second.holds.is_set()
    first.end()
    assert second.holds.wait(30)
    second.end()


@pytest.mark.parametrize(
    ("held", "wanted", "sentence"),
    [
        (TWO_CORES, TWO_CORES, "waiting for 2 cores (align[2] has them)"),
        (TWO_CORES, CORE, "waiting for 1 core (align[2] has it)"),
        (Resources(memory=8 * GB), Resources(memory=4 * GB), "waiting for 4 GB of memory (align[2] has it)"),
        (
            Resources(cpu=2, memory=8 * GB),
            Resources(cpu=2, memory=GB),
            "waiting for 2 cores and 1 GB of memory (align[2] has them)",
        ),
    ],
)
def test_the_sentence_says_what_is_missing_and_who_has_it(
    head: Head, held: Resources, wanted: Resources, sentence: str
) -> None:
    ledger = Ledger(head, 2, 8 * GB)
    holder = holding(ledger, held, "align[2]")
    caller = waiting(ledger, wanted, "merge")
    last = waiting(ledger, CORE, "report")
    assert caller.waited == [sentence]
    assert last.waited == ["waiting for 1 core (merge comes first)"]
    for ended in (holder, caller, last):
        ended.end()


def test_two_heads_share_the_cores(head: Head, other: Head) -> None:
    mine, theirs = Ledger(head, 2, GB), Ledger(other, 2, GB)
    holder = holding(theirs, TWO_CORES)
    caller = waiting(mine, CORE)
    assert caller.waited == ["waiting for 1 core (another run (another_run) has it)"]
    holder.end()
    assert caller.holds.wait(30), "what another head let go was never noticed"
    caller.end()


def test_among_heads_too_who_came_first_is_served_first(head: Head, other: Head) -> None:
    mine, theirs = Ledger(head, 2, GB), Ledger(other, 2, GB)
    holder = holding(theirs, CORE)
    large = waiting(mine, TWO_CORES)
    overtaker = waiting(theirs, CORE)
    assert overtaker.waited == ["waiting for 1 core (another run comes first)"]
    holder.end()
    assert large.holds.wait(30)
    large.end()
    assert overtaker.holds.wait(30)
    overtaker.end()


def test_a_waiting_head_that_was_stopped_holds_up_nobody(head: Head, other: Head) -> None:
    now = SYSTEM.monotonic()
    write_holding(other.lease, Holding(waiting_since=now - 100, seen=now - 60))
    with Ledger(head, 2, GB).reserve(CORE, Cancellation(), pytest.fail):
        pass


def test_a_dead_heads_lease_counts_for_nothing(head: Head, tmp_path: Path) -> None:
    entry = head.machine.directory / "0123456789abcdef"
    entry.mkdir()
    (entry / LEASE).write_bytes(Holding(cores=64, memory=GB).encode())
    with Ledger(head, 1, GB).reserve(CORE, Cancellation(), pytest.fail):
        pass


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 96,
        b"64 ",
        b"lots of cores 1 2\n",
        b"-5 -5 0 0\n",
        b"\xff\xfe 1 2 3",
        b"64 1 nonsense 3",
        b"1e9 1 2 3",
    ],
)
def test_a_torn_or_foreign_lease_counts_for_nothing_even_if_locked(head: Head, other: Head, content: bytes) -> None:
    os.pwrite(other.lease, content.ljust(96), 0)
    with Ledger(head, 1, GB).reserve(CORE, Cancellation(), pytest.fail):
        pass


def test_foreign_files_among_the_heads_are_passed_over(head: Head) -> None:
    (head.machine.directory / "notes.txt").write_text("64 64 0 0")
    (head.machine.directory / "a_directory").mkdir()
    os.mkfifo(head.machine.directory / "a_directory" / LEASE)
    with Ledger(head, 1, GB).reserve(CORE, Cancellation(), pytest.fail):
        pass


def test_a_critical_section_in_which_a_head_was_stopped_is_entered_after_a_while(head: Head, other: Head) -> None:
    with ExitStack() as stack:
        stack.enter_context(other.machine.exclusive())
        with Ledger(head, 1, GB).reserve(CORE, Cancellation(), pytest.fail):
            pass


def test_a_report_that_fails_leaves_nothing_behind(head: Head) -> None:
    ledger = Ledger(head, 1, GB)
    holder = holding(ledger, CORE)

    def fail(_: str) -> None:
        raise RuntimeError("the journal's disk is full")

    with pytest.raises(RuntimeError), ledger.reserve(CORE, Cancellation(), fail):
        pass
    holder.end()
    with ledger.reserve(CORE, Cancellation(), pytest.fail):
        pass
