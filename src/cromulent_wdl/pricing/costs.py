"""What a run's ECS tasks cost: a fold over all events of its journal, also those of earlier heads.

Each ECS task is a bill of its own: size times billed seconds times the prices of its region. What is not known yet
(a task that runs, a record that AWS had lost) is reckoned as far as it is known, and marked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..model import EcsTaskLaunched, EcsTaskStopped, Ending, Event, RunEnded, RunStarted, TaskEnded, TaskPlaced
from .bill import Cost, Size, billed_seconds, names_for, price_of
from .card import Rates

__all__ = ["Bill", "CostFold", "Costs"]

RatesOf = Callable[[str], Rates]
_Attempt = tuple[str, int]


@dataclass(frozen=True)
class Bill:
    """What one ECS task cost, or has cost so far."""

    task: str
    """Its ARN."""
    call: str
    """Empty for the head."""
    attempt: int
    size: Size
    region: str
    seconds: float
    """Billed."""
    cost: Cost
    rounding: float
    """Dollars for what its size has beyond what the task asked for."""
    minimum: float
    """Dollars for the rest of a first minute that was not used."""
    wasted: str = ""
    """How it ended, where it has to be paid for without having given a result."""
    estimated: bool = False
    """It still runs, or AWS's record of it is missing."""

    @property
    def dollars(self) -> float:
        """The whole of it."""
        return self.cost.total


@dataclass(frozen=True)
class Costs:
    """The bills of a run, in the order of their launches."""

    bills: tuple[Bill, ...] = ()

    @property
    def dollars(self) -> float:
        """All together."""
        return sum(bill.dollars for bill in self.bills)

    @property
    def failed(self) -> float:
        """Dollars for tasks that gave no result."""
        return sum(bill.dollars for bill in self.bills if bill.wasted)

    @property
    def rounding(self) -> float:
        """Dollars for sizes larger than asked for, of tasks that gave a result."""
        return sum(bill.rounding for bill in self.bills if not bill.wasted)

    @property
    def minimum(self) -> float:
        """Dollars for minutes that were begun and not used, of tasks that gave a result."""
        return sum(bill.minimum for bill in self.bills if not bill.wasted)

    @property
    def estimated(self) -> bool:
        """Whether any bill is."""
        return any(bill.estimated for bill in self.bills)

    def names(self) -> Mapping[str, frozenset[str]]:
        """Return by region the names on the rate card that were used."""
        used: dict[str, set[str]] = {}
        for bill in self.bills:
            used.setdefault(bill.region, set()).update(names_for(bill.size))
        return {region: frozenset(names) for region, names in used.items()}


@dataclass
class _Open:
    """An ECS task while the journal is read."""

    launched: EcsTaskLaunched
    head: int
    """The how manieth head launched it, or took it over."""
    stopped: EcsTaskStopped | None = None
    asked: TaskPlaced | None = None


@dataclass
class CostFold:
    """Takes events one by one; `costs` can be asked at any time."""

    _tasks: dict[str, _Open] = field(default_factory=dict)
    _placed: dict[_Attempt, TaskPlaced] = field(default_factory=dict)
    _ended: dict[tuple[int, str, int], TaskEnded] = field(default_factory=dict)
    _last: dict[tuple[int, str, int], str] = field(default_factory=dict)
    """The last ECS task of each attempt."""
    _heads: list[RunStarted] = field(default_factory=list)
    _end: RunEnded | None = None

    def add(self, event: Event) -> None:
        """Take one more event."""
        head = len(self._heads)
        if isinstance(event, RunStarted):
            self._heads.append(event)
            self._end = None
        elif isinstance(event, RunEnded):
            self._end = event
        elif isinstance(event, TaskPlaced):
            self._placed[event.call, event.attempt] = event
        elif isinstance(event, TaskEnded):
            self._ended[head, event.call, event.attempt] = event
        elif isinstance(event, EcsTaskLaunched):
            asked = self._placed.get((event.call, event.attempt))
            self._tasks.setdefault(event.task, _Open(event, head, asked=asked)).head = head
            self._last[head, event.call, event.attempt] = event.task
        elif isinstance(event, EcsTaskStopped) and event.task in self._tasks:
            self._tasks[event.task].stopped = event

    def costs(self, rates_of: RatesOf, now: float) -> Costs:
        """Return what everything has cost until now."""
        return Costs(tuple(self._bill(each, rates_of(each.launched.region), now) for each in self._tasks.values()))

    def _bill(self, task: _Open, rates: Rates, now: float) -> Bill:
        launched, stopped = task.launched, task.stopped
        size = _given(launched, stopped)
        began = stopped.pull_started_at if stopped is not None and stopped.stopped_at is not None else launched.at
        until = (stopped.stopped_at or stopped.at) if stopped is not None else self._until(task, now)
        seconds = billed_seconds(began, until)
        cost = price_of(size, seconds, rates)
        used = max(0.0, until - began) if began is not None else 0.0
        asked = price_of(_asked(size, task.asked), seconds, rates)
        return Bill(
            launched.task,
            launched.call,
            launched.attempt,
            size,
            launched.region,
            seconds,
            cost,
            rounding=cost.total - asked.total,
            minimum=cost.total * (1 - used / seconds) if seconds > used else 0.0,
            wasted=self._wasted(task),
            estimated=stopped is None or stopped.stopped_at is None,
        )

    def _until(self, task: _Open, now: float) -> float:
        """Return when a task without a last record is taken to have stopped."""
        launched = task.launched
        ended = self._ended.get((task.head, launched.call, launched.attempt))
        if ended is not None:
            return ended.at
        if task.head < len(self._heads):
            return self._heads[task.head].at  # the next head's, which stops or adopts what this one left
        return self._end.at if self._end is not None else now

    def _wasted(self, task: _Open) -> str:
        launched = task.launched
        if not launched.call:
            return ""
        key = (task.head, launched.call, launched.attempt)
        ended = self._ended.get(key)
        if self._last[key] != launched.task:
            return _reason(task.stopped)
        if ended is not None:
            return "" if ended.ending is Ending.OK else ended.ending.value
        return "" if task.stopped is None and self._end is None and task.head == len(self._heads) else "lost"


def _given(launched: EcsTaskLaunched, stopped: EcsTaskStopped | None) -> Size:
    place = (stopped.place if stopped is not None else "") or launched.place
    return Size(
        launched.cpu,
        launched.memory,
        launched.storage,
        launched.architecture,
        spot=place == "spot",
        public_address=launched.public_address,
    )


def _asked(size: Size, placed: TaskPlaced | None) -> Size:
    """Return the size as it was asked for; what was not asked for counts as given."""
    if placed is None:
        return size
    memory = max(placed.memory, placed.memory_limit)
    return Size(
        min(size.cpu, placed.cpu or size.cpu),
        min(size.memory, memory or size.memory),
        size.storage,
        size.architecture,
        size.spot,
        size.public_address,
    )


def _reason(stopped: EcsTaskStopped | None) -> str:
    return "spot" if stopped is not None and "Spot" in stopped.stop_code + stopped.reason else "replaced"
