from __future__ import annotations

import threading
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cromulent_wdl.backends.heads import Head
from cromulent_wdl.backends.ledger import Ledger, ReservationCancelled
from cromulent_wdl.backends.seam import Cancellation
from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.model import Resources

CORES, MEMORY = 4, 100

NEEDS = st.builds(Resources, cpu=st.integers(0, 6), memory=st.integers(0, 150))


@dataclass(frozen=True)
class Call:
    need: Resources
    head: int
    cancelled: bool


CALLS = st.lists(st.builds(Call, NEEDS, st.integers(0, 1), st.booleans()), min_size=1, max_size=12)


@dataclass
class Machine:
    """Counts what is really held at once, whatever the ledger believes."""

    cores: int = 0
    memory: int = 0
    excess: list[tuple[int, int]] = field(default_factory=list)
    served: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, need: Resources, sign: int) -> None:
        with self.lock:
            self.cores += sign * min(need.cpu, CORES)
            self.memory += sign * min(need.memory, MEMORY)
            self.served += sign == 1
            if self.cores > CORES or self.memory > MEMORY:
                self.excess.append((self.cores, self.memory))


def use(ledger: Ledger, call: Call, machine: Machine) -> None:
    cancelled = Cancellation()
    try:
        with ledger.reserve(call.need, cancelled, lambda _: cancelled.cancel() if call.cancelled else None):
            machine.take(call.need, 1)
            SYSTEM.sleep(0.001)  # so that holdings overlap
            machine.take(call.need, -1)
    except ReservationCancelled:
        with machine.lock:
            machine.served += 1


@given(calls=CALLS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_never_more_than_there_is_and_everyone_is_served(
    calls: list[Call], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    machine = Machine()
    with ExitStack() as stack:
        heads = [stack.enter_context(closing(Head.open(f"run{number}", tmp_path))) for number in range(2)]
        ledgers = [Ledger(head, CORES, MEMORY) for head in heads]
        threads = [
            threading.Thread(target=use, args=(ledgers[call.head], call, machine), daemon=True) for call in calls
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert machine.excess == []
        assert machine.served == len(calls), "a call waits for ever"
        assert heads[0].machine.others("") == {}, "something stayed reserved"
