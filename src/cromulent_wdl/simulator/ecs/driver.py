"""What moves tasks: steps from the data plane, from requests and from the clock go in, effects come out.

A step changes a task's life under one lock (`lifecycle.advance`); what follows from the change is done after the
lock is released: an event to the world, a timer, a word to the data plane. So the world and the data plane may
answer from any thread, and slow ones hold up nobody but themselves.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping

from ...clock import Clock
from .faults import START_FAILURES
from .launching import CannotLaunch, launch_of
from .lifecycle import (
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
)
from .meters import Meters
from .seam import ContainerExit, DataPlane, Place, World
from .settings import EcsSettings
from .symptoms import delayed_logs, ending_with, holds_back, no_address, start_failure
from .tasks import TaskRecord, Tasks
from .timers import Timers
from .view import event_of

__all__ = ["Driver"]

_ACTIVE = (Status.PENDING, Status.RUNNING)


class Driver:
    """Moves every task from its acceptance to its end; `tasks_of` finds the index of a place."""

    def __init__(self, clock: Clock, timers: Timers, plane: DataPlane, world: World, settings: EcsSettings) -> None:
        self.lock = threading.RLock()
        self.meters = Meters(clock)
        self._clock = clock
        self._timers = timers
        self._plane = plane
        self._world = world
        self._settings = settings
        self.chances = random.Random(settings.seed)
        self._tasks: dict[Place, Tasks] = {}

    def tasks_of(self, place: Place) -> Tasks:
        """Return the tasks of a place; use them under `lock`."""
        return self._tasks.setdefault(place, Tasks(self._settings.stopped_visible))

    def find(self, task_id: str) -> TaskRecord | None:
        """Return the task of an id, wherever it is."""
        with self.lock:
            return next((found for tasks in self._tasks.values() if (found := tasks.get(task_id))), None)

    def launch(self, record: TaskRecord) -> None:
        """Let a new task, which is among its place's tasks, go its way."""
        self.meters.launched()
        self._world.emit(event_of(record, record.life))
        delay = self._settings.latency.provisioning.draw(self.chances)
        self._timers.after(delay, lambda: self._provision(record))

    def step(self, record: TaskRecord, step: Step) -> None:
        """Let a step happen to a task; one that comes too late means nothing."""
        now = self._clock.now()
        with self.lock:
            before = record.life
            after = advance(before, step, now)
            if after is before:
                return
            record.life = after
            if after.status is not before.status:
                self.tasks_of(record.place).moved(record, before.status)
        if after.version != before.version:
            self._world.emit(event_of(record, after))
        self._follow(record, before, after)

    def stop(self, record: TaskRecord, reason: str) -> None:
        """Stop a task because a caller wants it (facts: stopCode)."""
        self.step(record, StopWanted("UserInitiated", reason))

    def recover(self, record: TaskRecord, loss: HostLost) -> None:
        """Let a task of another engine, which nobody runs any more, go to its end."""
        if record.life.status is Status.DEPROVISIONING:
            self._release_interface(record)
        else:
            self.step(record, loss)

    def _follow(self, record: TaskRecord, before: Life, after: Life) -> None:
        if after.status is Status.PENDING and before.status is Status.PROVISIONING:
            delay = self._settings.latency.pending.draw(self.chances)
            self._timers.after(delay, lambda: self._hand_over(record))
        if after.status is Status.RUNNING and before.status is Status.PENDING:
            self._fall_ill(record)
        if after.stopping and not before.stopping and after.status in _ACTIVE:
            self._stop_containers(record)
        if after.status is Status.DEPROVISIONING and before.status is not Status.DEPROVISIONING:
            self._stop_containers(record)  # those of a lost host; to a task that has ended it means nothing
            self._release_interface(record)
        if after.status is Status.STOPPED:
            self._settle(record, after)

    def _release_interface(self, record: TaskRecord) -> None:
        delay = self._settings.latency.deprovisioning.draw(self.chances)
        self._timers.after(delay, lambda: self.step(record, Deprovisioned()))

    def _provision(self, record: TaskRecord) -> None:
        if "eni_timeout" in record.ailments:
            self.step(record, Failed(START_FAILURES["eni_timeout"]))
        elif "empty_containers" in record.ailments:
            reason = "Unexpected EC2 error while attempting to Create Network Interface"
            self.step(record, HostLost("TaskFailedToStart", reason, with_containers=False))
        elif not self._take_address(record):
            self.step(record, Failed(no_address(record)))
        else:
            self.step(record, Provisioned())

    def _take_address(self, record: TaskRecord) -> bool:
        with self.lock:
            if record.life.status is not Status.PROVISIONING:
                return True  # it was stopped meanwhile, and takes none
            return self.tasks_of(record.place).take_address(record)

    def _hand_over(self, record: TaskRecord) -> None:
        """Ask the data plane to start a task, unless it is to stop, or it cannot start."""
        failure = start_failure(record)
        with self.lock:
            if record.life.status is not Status.PENDING:
                return
            if not record.life.stopping and failure is None:
                record.handed_over = True
        if not record.handed_over:
            self.step(record, Failed(failure or "Task stopped before it started"))
            return
        spot = record.provider == "FARGATE_SPOT"
        task, where = (record.arn, record.id), (record.subnet, spot)
        try:
            launch = launch_of(self._world, record.place, record.batch, task, where)
        except CannotLaunch as refusal:
            self.step(record, Failed(str(refusal)))
            return
        running = self._plane.start(delayed_logs(launch, record.ailments), _Watcher(self, record))
        with self.lock:
            record.running = running
        if record.life.stopping:
            self._stop_containers(record)

    def _fall_ill(self, record: TaskRecord) -> None:
        """Arrange for what befalls a task while it runs (facts: spot warning; stopCode)."""
        spot, lost = record.ailments.get("spot_interruption"), record.ailments.get("host_lost")
        if spot is not None:
            notice = StopWanted("TerminationNotice", "Your Spot Task was interrupted.")
            self._timers.after(spot.after, lambda: self.step(record, notice))
        if lost is not None:
            loss = HostLost(lost.stop_code, "The host of the task was lost.")
            self._timers.after(lost.after, lambda: self.step(record, loss))

    def _stop_containers(self, record: TaskRecord) -> None:
        with self.lock:
            running, withheld = record.running, record.withheld
            record.withheld = None
        if running is not None:
            running.stop(self._patience(record))
        for container, ending in withheld or ():
            self.step(record, Exited(container, ending))

    def _patience(self, record: TaskRecord) -> float | None:
        """Return the seconds after which even a patient container is killed."""
        if record.life.status is Status.DEPROVISIONING:
            return 0.0
        if record.life.stop_code != "TerminationNotice":
            return None
        warning = record.ailments["spot_interruption"].warning
        return self._settings.spot_warning if warning is None else warning

    def exited(self, record: TaskRecord, container: str, ending: ContainerExit) -> None:
        """Hear of a container's end, or, where that is the fault, do not hear of it for a while."""
        seen = ending_with(record.ailments, ending)
        delay = holds_back(record.ailments)
        with self.lock:
            withhold = delay is not None and not record.life.stopping
            if withhold:
                record.withheld = [*(record.withheld or ()), (container, seen)]
        if not withhold:
            self.step(record, Exited(container, seen))
        elif delay:
            self._timers.after(delay, lambda: self._stop_withholding(record))

    def _stop_withholding(self, record: TaskRecord) -> None:
        with self.lock:
            withheld, record.withheld = record.withheld, None
        for container, ending in withheld or ():
            self.step(record, Exited(container, ending))

    def _settle(self, record: TaskRecord, life: Life) -> None:
        # From pull start to stop (facts: Fargate price).
        begun = life.pull_started_at if life.pull_started_at is not None else life.started_at
        seconds = 0.0 if begun is None or life.stopped_at is None else life.stopped_at - begun
        codes = [each.exit_code for each in life.containers if each.essential]
        ending = f"{life.stop_code}:{codes[0] if codes else None}"
        self.meters.ended(ending, seconds, record.batch.cpu, record.batch.memory)
        with self.lock:
            record.running = None
            self.tasks_of(record.place).forget_old(self._clock.now())


class _Watcher:
    """What a data plane reports of one task."""

    __slots__ = ("_driver", "_record")

    def __init__(self, driver: Driver, record: TaskRecord) -> None:
        self._driver = driver
        self._record = record

    def pulling(self) -> None:
        self._driver.step(self._record, Pulling())

    def pulled(self, digests: Mapping[str, str]) -> None:
        self._driver.step(self._record, Pulled(digests))

    def started(self, runtime_ids: Mapping[str, str]) -> None:
        self._driver.step(self._record, Started(runtime_ids))

    def exited(self, container: str, ending: ContainerExit) -> None:
        self._driver.exited(self._record, container, ending)

    def failed(self, reason: str) -> None:
        self._driver.step(self._record, Failed(reason))
