"""The thread that looks, and the tickets by which others wait."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue

from ..aws.ecs import Seen
from ..clock import SYSTEM, Clock
from ..errors import CromulentError
from .roster import Began, News, Over, Roster, Waits

__all__ = ["Monitor", "Ticket"]

Describe = Callable[[Sequence[str]], Seen]
"""Looks at up to 100 tasks by their ARNs. Raises CromulentError."""
Ended = Callable[[], Iterable[str]]
"""Returns the keys of tasks that have left their results. Raises OSError."""

_log = logging.getLogger(__name__)


class Ticket:
    """Waits for news of one task."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self._news: SimpleQueue[News | None] = SimpleQueue()

    def wait(self, seconds: float | None = None) -> News | None:
        """Return the next news; None when woken for another reason, or when the time is over."""
        try:
            return self._news.get(timeout=seconds)
        except Empty:
            return None

    def wake(self) -> None:
        """Have `wait` return."""
        self._news.put(None)

    def tell(self, news: News) -> None:
        """Give news to whoever waits."""
        self._news.put(news)


class Monitor:
    """Watches tasks from the time that there are any."""

    def __init__(self, describe: Describe, waits: Waits, clock: Clock = SYSTEM) -> None:
        self._describe = describe
        self._clock = clock
        self._lock = threading.Condition()
        self._roster = Roster(waits)
        self._tick = waits.least / 2
        self._tickets: dict[str, Ticket] = {}
        self._sources: list[Ended] = []
        self._thread: threading.Thread | None = None
        self._closed = False
        self._failing = False

    def listen(self, ended: Ended) -> None:
        """Ask for the keys of ended tasks here, too."""
        with self._lock:
            self._sources.append(ended)

    @contextmanager
    def watching(self, arn: str, key: str) -> Iterator[Ticket]:
        """Watch a task within the block."""
        ticket = Ticket(arn)
        with self._lock:
            self._tickets[arn] = ticket
            self._roster.add(arn, key, self._clock.monotonic())
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="cromulent-monitor", daemon=True)
                self._thread.start()
            self._lock.notify()
        try:
            yield ticket
        finally:
            with self._lock:
                self._roster.remove(arn)
                self._tickets.pop(arn, None)

    def hurry(self, arn: str) -> None:
        """Look at a task soon, since something was done to it."""
        with self._lock:
            self._roster.hurry(arn, self._clock.monotonic())

    def left_results(self, keys: Iterable[str]) -> None:
        """Learn that the tasks of these keys, watched or to be watched, have left their results."""
        with self._lock:
            self._roster.left_results(keys, self._clock.monotonic())

    def close(self) -> None:
        """End the thread."""
        with self._lock:
            self._closed = True
            self._lock.notify()
        if self._thread is not None:
            self._thread.join()

    def turn(self) -> None:
        """Look once at all that is due."""
        self._read_names()
        asked = 0
        while arns := self._due():
            try:
                seen = self._describe(arns)
            except CromulentError as error:
                self._poll_failed(arns, error)
                break
            self._failing = False
            with self._lock:
                self._tell(self._roster.saw(seen.tasks, seen.missing, self._clock.monotonic()))
            asked += len(arns)
            if asked >= len(self._roster):
                break
        with self._lock:
            self._tell(self._roster.overdue(self._clock.monotonic()))

    def _due(self) -> tuple[str, ...]:
        with self._lock:
            return self._roster.due(self._clock.monotonic())

    def _read_names(self) -> None:
        with self._lock:
            sources = list(self._sources)
        for source in sources:
            try:
                keys = list(source())
            except OSError as error:
                _log.debug("the names of ended tasks cannot be read now: %s", error)
                continue
            self.left_results(keys)

    def _poll_failed(self, arns: Sequence[str], error: CromulentError) -> None:
        if not self._failing:
            _log.warning("tasks cannot be looked at now, which is tried again: %s", error)
        self._failing = True
        with self._lock:
            self._roster.failed(arns, self._clock.monotonic())

    def _tell(self, news: Iterable[News]) -> None:
        for each in news:
            arn = each.task.arn if isinstance(each, Began | Over) else each.arn
            if ticket := self._tickets.get(arn):
                ticket.tell(each)

    def _watch(self) -> None:
        while True:
            with self._lock:
                while not self._closed and not len(self._roster):
                    self._lock.wait()
                if self._closed:
                    return
            try:
                self.turn()
            except Exception:  # thread top: a defect must not leave everybody waiting for ever
                logging.getLogger(__name__).exception("the monitor stumbled")
            self._clock.sleep(self._tick)
