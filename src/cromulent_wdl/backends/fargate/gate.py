"""Where tasks wait for their turn to be launched: one thread lets them through as fast as AWS takes them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...clock import SYSTEM, Clock
from ..seam import Cancellation
from .turns import Measured, Need, Room, Turns

__all__ = ["Admission", "Cancelled", "Gate"]

_PAUSE = 0.5
"""Seconds between two looks at whether there is room again. No setting: who leaves says so anyhow, and how often AWS
is asked is `room_pause`."""
_BUNCH = 0.25
"""Seconds for which nobody is let in once the rates want a pause, so that some go in together: threads that wake one
by one, each to cold caches, cost a fifth more CPU."""


class Cancelled(Exception):
    """The task was cancelled while it waited."""


@dataclass(frozen=True)
class Admission:
    """What a task was let in with."""

    need: Need
    instead: str = ""
    """What there was too little of for what it would have rather had."""


class _Ticket:
    def __init__(self, group: str, needs: Sequence[Need]) -> None:
        self.group = group
        self.needs = needs
        self.awake = threading.Event()
        self.admitted: Admission | None = None
        self.told = ""
        """What was last said of why it waits."""


class Gate:
    """Lets tasks through by the rates, and no more at a time than there is room for."""

    def __init__(
        self,
        delay: Callable[[str], float],
        room: Room,
        clock: Clock = SYSTEM,
        *,
        measure: Callable[[], Measured] = Measured,
        measure_every: float = 60.0,
    ) -> None:
        self._delay = delay
        self._room = room
        self._clock = clock
        self._measure = measure
        """Says how much room there is; asked now and then while somebody waits for it."""
        self._measure_every = measure_every
        self._measured = clock.monotonic()
        self._turns: Turns[_Ticket] = Turns()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def enter(
        self, group: str, needs: Sequence[Need], cancelled: Cancellation, waiting: Callable[[str], None]
    ) -> Admission:
        """Wait for a turn and take the room for the first of the needs that there is room for; `leave` gives it back.

        Raises Cancelled.
        """
        ticket = _Ticket(group, needs)
        with self._changed:
            self._turns.add(group, ticket)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="cromulent-gate", daemon=True)
                self._thread.start()
            self._changed.notify()
        with cancelled.calling(ticket.awake.set):
            while True:
                ticket.awake.wait()
                ticket.awake.clear()
                with self._changed:
                    admitted, why = ticket.admitted, ticket.told
                    if cancelled:
                        self._leave_line(ticket)
                        raise Cancelled
                if admitted is not None:
                    return admitted
                if why:
                    waiting(why)

    def _leave_line(self, ticket: _Ticket) -> None:
        if ticket.admitted is None:
            self._turns.remove(ticket.group, ticket)
        else:  # in this very moment
            self._room.give_back(ticket.admitted.need)
            self._changed.notify()

    def refusal(self, needs: Sequence[Need]) -> str:
        """Return why there would be room for none of the needs though nothing else ran, or nothing.

        AWS is asked anew before somebody is turned away: quotas grow.
        """
        why = self._room.never(needs)
        if why and self._clock.monotonic() - self._measured >= self._measure_every:
            self._measure_again()
            why = self._room.never(needs)
        return why

    def join(self, need: Need) -> None:
        """Take the room of a task that runs already."""
        with self._changed:
            self._room.take(need)

    def leave(self, need: Need) -> None:
        """Give back the room that a task has taken."""
        with self._changed:
            self._room.give_back(need)
            self._changed.notify()

    def close(self) -> None:
        """End the thread; nobody waits."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not self._closed and not self._turns:
                    self._changed.wait()
                if self._closed:
                    return
                pause = self._admit_one()
                if pause is None:
                    self._changed.wait(_PAUSE)
            if pause:
                self._clock.sleep(max(pause, _BUNCH))
            elif pause is None and self._clock.monotonic() - self._measured >= self._measure_every:
                self._measure_again()

    def _measure_again(self) -> None:
        """Quotas grow, and others come and go."""
        found = self._measure()
        with self._changed:
            self._room.measured(found)
        self._measured = self._clock.monotonic()

    def _admit_one(self) -> float | None:
        """Let the next task through; return for how long the rates want a pause, None where there is no room."""
        delays: list[float] = []

        def admitted(ticket: _Ticket) -> bool:
            lacks = [self._room.lack(need) for need in ticket.needs]
            if all(lacks):
                self._tell_all(ticket.group, "; ".join(dict.fromkeys(lacks)))
                return False
            which = lacks.index("")
            delay = self._delay(ticket.needs[which].provider)
            delays.append(delay)
            if delay == 0:
                ticket.admitted = Admission(ticket.needs[which], "; ".join(lacks[:which]))
            return delay == 0

        ticket = self._turns.next(admitted)
        if ticket is None or ticket.admitted is None:
            return min(delays) if delays else None
        self._room.take(ticket.admitted.need)
        ticket.awake.set()
        return 0.0

    def _tell_all(self, group: str, why: str) -> None:
        """Tell a whole queue why it waits; who was told stands in front of who was not."""
        for ticket in reversed(self._turns.queue(group)):
            if ticket.told:
                return
            ticket.told = why
            ticket.awake.set()
