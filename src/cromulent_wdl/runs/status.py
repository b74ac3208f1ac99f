"""How a run is doing: a pure fold over its journal.

Each call is folded from its own events alone, the run from its own; what concerns both is settled at the end.
So it does not matter how the events of different calls are interleaved, and every beginning of a journal has a
status.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Union

from ..model import (
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
    Usage,
)

__all__ = ["Attempt", "CallStatus", "Fold", "RunStatus", "State", "ancestors", "fold"]


class State(str, Enum):
    """What a call or a run is in."""

    QUEUED = "queued"
    """A call whose inputs are known and that nobody has taken up."""
    RUNNING = "running"
    WAITING = "waiting"
    """A call whose task waits for something that another holds."""
    OK = "ok"
    CACHED = "cached"
    """A call whose outputs were in the call cache."""
    FAILED = "failed"
    STOPPED = "stopped"
    """Ended before its time because the run was."""
    LOST = "lost"
    """A run whose head is gone without having ended it, so that nobody knows how it ended."""


FINAL = frozenset({State.OK, State.CACHED, State.FAILED, State.STOPPED, State.LOST})


@dataclass(frozen=True)
class EcsTask:
    """What AWS was asked for, and what it said in the end."""

    launched: EcsTaskLaunched | None = None
    stopped: EcsTaskStopped | None = None


@dataclass(frozen=True)
class Attempt:
    """One task: an attempt at a call."""

    number: int
    placed: TaskPlaced | None = None
    wait: TaskWaiting | None = None
    """For what it waits now, if it does."""
    image: str = ""
    digest: str = ""
    image_at: float | None = None
    """When the image was there."""
    where: str = ""
    started_at: float | None = None
    ended: TaskEnded | None = None
    ecs_tasks: Mapping[str, EcsTask] = field(default_factory=dict)
    """By ARN, in the order in which they turned up; the last one is the one that counts."""

    @property
    def waiting(self) -> str:
        """Why it waits, in words; empty if it does not."""
        return self.wait.why if self.wait is not None else ""


@dataclass(frozen=True)
class CallStatus:
    """A call and its attempts, in order."""

    path: str
    name: str = ""
    state: State = State.QUEUED
    queued_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    directory: str = ""
    """Relative to the run directory where it lies within."""
    origin: str = ""
    """Of a cached call: the directory of the call that made the outputs."""
    message: str = ""
    ending: Ending | None = None
    attempts: tuple[Attempt, ...] = ()

    @property
    def first_seen(self) -> float:
        """When the journal first spoke of the call; calls are shown in this order."""
        return min((at for at in (self.queued_at, self.started_at, self.ended_at) if at is not None), default=0.0)

    @property
    def usage(self) -> Usage:
        """What the last attempt that has ended used."""
        return next((a.ended.usage for a in reversed(self.attempts) if a.ended), Usage())

    def elapsed(self, now: float) -> float | None:
        """Return the seconds since the call was taken up, or that it took; None before."""
        if self.started_at is None or (self.ended_at is None and self.state in FINAL):
            return None
        return max(0.0, (now if self.ended_at is None else self.ended_at) - self.started_at)


@dataclass(frozen=True)
class RunStatus:
    """A run and its calls."""

    started: RunStarted | None = None
    """None while the journal is empty."""
    ended: RunEnded | None = None
    state: State = State.QUEUED
    calls: Mapping[str, CallStatus] = field(default_factory=dict)
    """By path. A subworkflow is not among them once its own calls are."""
    head: Mapping[str, EcsTask] = field(default_factory=dict)
    """The head's own ECS tasks, where it is one."""
    removed: str = ""
    """By which command what it left was removed, `gc` or `down`, but for what is told here."""

    @property
    def last_word(self) -> str:
        """What the run's head said when it ended the run; of one that did not, just that."""
        return self.ended.message if self.ended is not None else "its head is gone without a word"

    @property
    def words(self) -> str:
        """The state as it is told: `ok`, or `ok, removed by gc`."""
        return f"{self.state.value}, removed by {self.removed}" if self.removed else self.state.value

    @property
    def counts(self) -> Mapping[State, int]:
        """How many calls are in each state that occurs."""
        return Counter(call.state for call in self.calls.values())

    @property
    def region(self) -> str:
        """The region of the run's ECS tasks, the head's own among them; empty where there are none."""
        attempts = (attempt for call in self.calls.values() for attempt in call.attempts)
        tasks = (task for each in (self.head, *(one.ecs_tasks for one in attempts)) for task in each.values())
        return next((task.launched.region for task in tasks if task.launched is not None), "")

    def in_order(self) -> list[CallStatus]:
        """Return the calls in the order in which they turned up, of those at one moment `a[2]` before `a[10]`."""
        return sorted(self.calls.values(), key=lambda call: (call.first_seen, _natural(call.path)))

    def elapsed(self, now: float) -> float | None:
        """Return the seconds since the run was begun, or that it took; None where nobody knows."""
        if self.started is None or self.state is State.LOST:
            return None
        return max(0.0, (self.ended.at if self.ended else now) - self.started.at)


def _natural(path: str) -> list[str | int]:
    """Return what sorts paths by their words and by the numbers in them."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path)]


class Fold:
    """Takes events one by one; `status` can be asked at any time."""

    def __init__(self) -> None:
        self._started: RunStarted | None = None
        self._ended: RunEnded | None = None
        self._calls: dict[str, CallStatus] = {}
        self._parents: set[str] = set()
        self._head: dict[str, EcsTask] = {}

    def add(self, event: Event) -> None:
        """Take one more event."""
        if isinstance(event, RunStarted):  # a second one is another head's, which begins anew in the same directory
            self._started, self._ended, self._calls, self._parents = event, None, {}, set()
        elif isinstance(event, RunEnded):
            self._ended = event
        elif isinstance(event, EcsTaskLaunched | EcsTaskStopped) and not event.call:
            self._head = _ecs_tasks_after(self._head, event)
        else:
            call = self._calls.get(event.call)
            if call is None:
                call = CallStatus(event.call)
                self._parents.update(ancestors(event.call))
            self._calls[event.call] = _after(call, event)

    @property
    def unfinished(self) -> RunStarted | None:
        """The beginning of the run if its end is not known yet."""
        return self._started if self._ended is None else None

    def status(self, *, head_alive: bool = True, removed: str = "") -> RunStatus:
        """Return the status after the events so far; `head_alive` and `removed` are facts that no journal knows."""
        if self._started is None:
            return RunStatus(removed=removed)
        state = _run_state(self._ended, head_alive)
        calls = {path: _settled(call, state) for path, call in self._calls.items() if path not in self._parents}
        return RunStatus(self._started, self._ended, state, calls, self._head, removed)


def fold(events: Iterable[Event], *, head_alive: bool = True) -> RunStatus:
    """Return the status after all of the events."""
    folding = Fold()
    for event in events:
        folding.add(event)
    return folding.status(head_alive=head_alive)


def ancestors(path: str) -> Iterable[str]:
    """Return the subworkflow calls within which the call lies: `a[0]` and `a[0].b` for `a[0].b.c`."""
    parts = path.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts)))


def _run_state(ended: RunEnded | None, head_alive: bool) -> State:
    if not head_alive and (ended is None or ended.ending is Ending.LOST):
        return State.LOST
    return State.RUNNING if ended is None else _state_of(ended.ending)


def _state_of(ending: Ending) -> State:
    return {Ending.OK: State.OK, Ending.STOPPED: State.STOPPED}.get(ending, State.FAILED)


def _settled(call: CallStatus, run: State) -> CallStatus:
    """Return the call as it is once its run is over: nothing goes on after that."""
    if run not in FINAL or call.state in FINAL:
        return call
    return replace(call, state=State.OK if run is State.OK else State.STOPPED)


_CallEvent = Union[CallQueued, CallStarted, CallCached, CallEnded]
_EcsEvent = Union[EcsTaskLaunched, EcsTaskStopped]
_TaskEvent = Union[TaskPlaced, TaskWaiting, TaskImage, TaskStarted, TaskEnded, _EcsEvent]


def _after(call: CallStatus, event: _CallEvent | _TaskEvent) -> CallStatus:
    if isinstance(event, CallQueued):
        return replace(call, name=event.name, queued_at=event.at)
    if isinstance(event, CallStarted):
        return replace(
            call, name=event.name, state=State.RUNNING, started_at=event.at, ended_at=None, directory=event.directory
        )
    if isinstance(event, CallCached):
        return replace(call, name=event.name, state=State.CACHED, ended_at=event.at, origin=event.origin)
    if isinstance(event, CallEnded):
        return replace(
            call, state=_state_of(event.ending), ended_at=event.at, ending=event.ending, message=event.message
        )
    attempts = {attempt.number: attempt for attempt in call.attempts}
    attempts[event.attempt] = _attempt_after(attempts.get(event.attempt, Attempt(event.attempt)), event)
    state = call.state
    if state not in FINAL and not isinstance(event, TaskImage | EcsTaskStopped):
        state = State.WAITING if isinstance(event, TaskWaiting) else State.RUNNING
    return replace(call, state=state, attempts=tuple(attempts[number] for number in sorted(attempts)))


def _attempt_after(attempt: Attempt, event: _TaskEvent) -> Attempt:
    if isinstance(event, TaskPlaced):
        return replace(attempt, placed=event)
    if isinstance(event, TaskWaiting):
        return replace(attempt, wait=event)
    if isinstance(event, TaskImage):
        return replace(attempt, image=event.image, digest=event.digest, image_at=event.at)
    if isinstance(event, TaskStarted):
        return replace(attempt, wait=None, where=event.where, started_at=event.at)
    if isinstance(event, EcsTaskLaunched | EcsTaskStopped):
        return replace(attempt, ecs_tasks=_ecs_tasks_after(attempt.ecs_tasks, event))
    return replace(attempt, wait=None, ended=event)


def _ecs_tasks_after(tasks: Mapping[str, EcsTask], event: _EcsEvent) -> dict[str, EcsTask]:
    task = tasks.get(event.task, EcsTask())
    after = replace(task, launched=event) if isinstance(event, EcsTaskLaunched) else replace(task, stopped=event)
    return {**tasks, event.task: after}
