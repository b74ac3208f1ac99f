"""Shares the machine's cores and memory among all tasks of all heads, by what each task declares.

Within a head calls are admitted in the order in which they came; so they are among heads, whose first waiting
calls are compared by how long they have waited. What a head holds stands in its lease (`leases.py`).
Admission is one short critical section among heads. Whoever frees something admits whoever is next,
so no waiting thread does anything but the first in the queue, which looks every quarter of a second whether
another head has freed something.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from ..clock import SYSTEM, Clock
from ..model import Resources
from ..units import format_memory
from .heads import Head, HeadInfo
from .leases import Holding, write_holding
from .seam import Cancellation

__all__ = ["Ledger", "ReservationCancelled"]

_RECHECK = 0.25
_STALE = 2.0
"""Seconds after which a head that no longer says that it waits has lost its place among the heads."""


class ReservationCancelled(Exception):
    """The task was cancelled while it waited for cores or memory."""


class _Need(msgspec.Struct, frozen=True):
    cores: int
    memory: int

    def __str__(self) -> str:
        cores = f"{self.cores} core{'' if self.cores == 1 else 's'}" if self.cores else ""
        memory = f"{format_memory(self.memory)} of memory" if self.memory else ""
        return " and ".join(filter(None, (cores, memory)))


class _Place(msgspec.Struct, eq=False):
    """A call that waits or holds."""

    need: _Need
    call: str
    since: float
    admitted: bool
    changed: threading.Condition


class Ledger:
    """Reserves cores and memory of this machine, or of the engine's, for one head's tasks."""

    def __init__(self, head: Head, cores: int, memory: int, clock: Clock = SYSTEM) -> None:
        self.cores = cores
        self.memory = memory
        self._head = head
        self._clock = clock
        self._lock = threading.Lock()
        self._queue: deque[_Place] = deque()
        self._holders: set[_Place] = set()
        self._own = _Need(0, 0)

    @contextmanager
    def reserve(
        self, resources: Resources, cancelled: Cancellation, waiting: Callable[[str], None], call: str = ""
    ) -> Iterator[None]:
        """Hold what the task declares for the block, after waiting for it; `call` names it to those who wait.

        A task that declares more than there is gets all there is. `waiting` is called once, with a sentence,
        if there is a wait. Raises ReservationCancelled.
        """
        need = _Need(min(resources.cpu, self.cores), min(resources.memory, self.memory))
        if need == _Need(0, 0):
            yield
            return
        place = _Place(need, call, self._clock.monotonic(), False, threading.Condition(self._lock))
        try:
            sentence = self._ask(place)
            if sentence:
                waiting(sentence)
                self._wait(place, cancelled)
            yield
        finally:
            self._leave(place)

    def _ask(self, place: _Place) -> str:
        """Admit the call, or put it into the queue and return what it waits for."""
        with self._lock:
            self._queue.append(place)
            if self._queue[0] is place:
                self._settle()
            return "" if place.admitted else self._sentence(place)

    def _wait(self, place: _Place, cancelled: Cancellation) -> None:
        def wake() -> None:
            with self._lock:
                place.changed.notify()

        with cancelled.calling(wake), self._lock:
            while not place.admitted:
                if cancelled:
                    raise ReservationCancelled
                first = self._queue[0] is place
                place.changed.wait(_RECHECK if first else None)
                if first and not place.admitted:
                    self._settle()

    def _leave(self, place: _Place) -> None:
        with self._lock:
            if place.admitted:
                self._holders.remove(place)
                self._own = _Need(self._own.cores - place.need.cores, self._own.memory - place.need.memory)
                self._settle()
            elif self._queue[0] is place:
                self._queue.popleft()
                self._settle()
            else:
                self._queue.remove(place)

    def _settle(self) -> None:
        """Admit from the front of the queue what fits, and write down what this head holds and waits for."""
        with self._head.machine.exclusive():
            if self._queue:
                others = self._head.machine.others(self._head.id)
                while self._queue and self._fits(self._queue[0], others):
                    self._admit(self._queue.popleft())
            since = self._queue[0].since if self._queue else 0.0
            holding = Holding(self._own.cores, self._own.memory, since, self._clock.monotonic() if since else 0.0)
            write_holding(self._head.lease, holding)
        if self._queue:
            self._queue[0].changed.notify()  # it may have just become the first

    def _admit(self, place: _Place) -> None:
        self._own = _Need(self._own.cores + place.need.cores, self._own.memory + place.need.memory)
        self._holders.add(place)
        place.admitted = True
        place.changed.notify()

    def _fits(self, place: _Place, others: dict[str, Holding]) -> bool:
        now = self._clock.monotonic()
        if any(0 < other.waiting_since < place.since and now - other.seen < _STALE for other in others.values()):
            return False
        short = self._shortage(place.need, others)
        return short == _Need(0, 0)

    def _shortage(self, need: _Need, others: dict[str, Holding]) -> _Need:
        """Return that part of the need which is not free."""
        cores = self.cores - self._own.cores - sum(other.cores for other in others.values())
        memory = self.memory - self._own.memory - sum(other.memory for other in others.values())
        return _Need(need.cores if need.cores > cores else 0, need.memory if need.memory > memory else 0)

    def _sentence(self, place: _Place) -> str:
        """Return what the place waits for, and who has it."""
        if self._queue[0] is not place:
            return f"waiting for {place.need} ({self._queue[0].call or 'another call'} comes first)"
        others = self._head.machine.others(self._head.id)
        short = self._shortage(place.need, others)
        if short == _Need(0, 0):
            return f"waiting for {place.need} (another run comes first)"
        mine = [holder for holder in self._holders if _shares(holder.need.cores, holder.need.memory, short)]
        if mine:
            owner = max(mine, key=lambda holder: (holder.need.cores, holder.need.memory)).call or "another call"
        else:
            heads = [head for head, other in others.items() if _shares(other.cores, other.memory, short)]
            run_id = HeadInfo.read(self._head.machine.directory / heads[0]).run_id if heads else ""
            owner = f"another run ({run_id})" if run_id else "another run"
        return f"waiting for {short} ({owner} has {'them' if short.cores > 1 else 'it'})"


def _shares(cores: int, memory: int, short: _Need) -> bool:
    return bool((short.cores and cores) or (short.memory and memory))
