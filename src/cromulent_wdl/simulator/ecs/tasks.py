"""The tasks that ECS knows of: found by id, listed in the order of their creation, forgotten after their time."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .faults import Ailments
from .lifecycle import Life, Status
from .run_request import Batch
from .seam import ContainerExit, Place, RunningTask, Subnet
from .tags import Tags

__all__ = ["TaskRecord", "Tasks"]


class TaskRecord:
    """One task. Its life changes only under the driver's lock; a plain class with slots, for there are many."""

    __slots__ = (
        "addressed",
        "ailments",
        "arn",
        "batch",
        "handed_over",
        "id",
        "life",
        "place",
        "provider",
        "running",
        "sequence",
        "shown",
        "subnet",
        "tags",
        "visible_from",
        "withheld",
    )

    def __init__(self, place: Place, task_id: str, batch: Batch, provider: str, subnet: Subnet) -> None:
        self.place = place
        self.id = task_id
        self.arn = f"arn:aws:ecs:{place.region}:{place.account}:task/{batch.cluster}/{task_id}"
        self.batch = batch
        self.provider = provider
        """FARGATE or FARGATE_SPOT, also where a launch type was asked for."""
        self.subnet = subnet
        self.tags: Tags = batch.tags
        self.life: Life
        self.ailments: Ailments = {}
        self.visible_from = 0.0
        self.sequence = 0
        self.addressed = False
        """Whether the task has an address of its subnet."""
        self.handed_over = False
        """Whether the data plane was asked to start the task."""
        self.running: RunningTask | None = None
        self.withheld: list[tuple[str, ContainerExit]] | None = None
        """Ends of containers of which ECS has not heard (a fault)."""
        self.shown: tuple[Life, dict[str, Any]] | None = None
        """What DescribeTasks shows of a life, kept while it is the task's."""


class _Listing:
    """Records in the order of their sequence, of which some are gone."""

    def __init__(self) -> None:
        self._records: list[TaskRecord] = []
        self._gone = 0

    def append(self, record: TaskRecord) -> None:
        self._records.append(record)

    def forget_one(self, is_gone: Callable[[TaskRecord], bool]) -> bool:
        """Note that a record is gone; True when none is left."""
        self._gone += 1
        if self._gone * 2 > len(self._records):
            self._records = [record for record in self._records if not is_gone(record)]
            self._gone = 0
        return not self._records

    def since(self, sequence: int) -> Iterator[TaskRecord]:
        start = bisect_left(self._records, sequence, key=lambda record: record.sequence)
        for index in range(start, len(self._records)):
            yield self._records[index]


class Tasks:
    """All tasks of a place. The caller holds the lock."""

    def __init__(self, stopped_visible: float) -> None:
        self._stopped_visible = stopped_visible
        self._by_id: dict[str, TaskRecord] = {}
        self._listings: dict[tuple[str, str | None], _Listing] = {}
        self._stopped: deque[TaskRecord] = deque()
        self._sequence = 0
        self._states: Counter[tuple[str, Status]] = Counter()
        self._alive: Counter[str] = Counter()
        self._cpu_in_use: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()

    def add(self, record: TaskRecord) -> None:
        """Take in a new task."""
        self._sequence += 1
        record.sequence = self._sequence
        self._by_id[record.id] = record
        for key in _keys(record):
            self._listings.setdefault(key, _Listing()).append(record)
        self._states[(record.batch.cluster, record.life.status)] += 1
        self._alive[record.batch.definition.arn] += 1
        self._cpu_in_use[record.provider] += record.batch.cpu

    def restore(self, records: Iterable[TaskRecord]) -> None:
        """Take in tasks that another engine had, in the order of their creation."""
        for record in records:
            self.add(record)
            if record.life.status is Status.STOPPED:
                self._retire(record)
        self._stopped = deque(sorted(self._stopped, key=lambda record: record.life.stopped_at or 0.0))

    def all(self) -> list[TaskRecord]:
        """Return all tasks in the order of their creation."""
        return sorted(self._by_id.values(), key=lambda record: record.sequence)

    def moved(self, record: TaskRecord, before: Status) -> None:
        """Note that a task has left a state for the one it is in."""
        self._states[(record.batch.cluster, before)] -= 1
        self._states[(record.batch.cluster, record.life.status)] += 1
        if record.life.status is Status.STOPPED:
            self._retire(record)

    def _retire(self, record: TaskRecord) -> None:
        self._stopped.append(record)
        self._alive[record.batch.definition.arn] -= 1
        self._cpu_in_use[record.provider] -= record.batch.cpu
        self._addresses[record.subnet.id] -= record.addressed

    def take_address(self, record: TaskRecord) -> bool:
        """Give a task an address of its subnet until it is STOPPED; False where none is free."""
        most = record.subnet.addresses
        record.addressed = most is None or self._addresses[record.subnet.id] < most
        self._addresses[record.subnet.id] += record.addressed
        return record.addressed

    def addresses_in_use(self, subnet: str) -> int:
        """Return how many addresses of a subnet tasks have."""
        return self._addresses[subnet]

    def find(self, cluster: str, reference: str) -> TaskRecord | None:
        """Return the task of a cluster that an id or an ARN names."""
        record = self._by_id.get(reference.rpartition("/")[2])
        if record is None or record.batch.cluster != cluster or (":" in reference and reference != record.arn):
            return None
        return record

    def get(self, task_id: str) -> TaskRecord | None:
        """Return the task of an id."""
        return self._by_id.get(task_id)

    def listed(self, cluster: str, started_by: str | None, since: int) -> Iterator[TaskRecord]:
        """Yield a cluster's tasks, all or those of a starter, from a sequence number on."""
        listing = self._listings.get((cluster, started_by))
        return (record for record in (listing.since(since) if listing else ()) if record.id in self._by_id)

    def count(self, cluster: str, *states: Status) -> int:
        """Return how many tasks of a cluster are in one of the states."""
        return sum(self._states[(cluster, state)] for state in states)

    def in_use(self, definition_arn: str) -> bool:
        """Say whether a task that is not STOPPED was started from the definition."""
        return self._alive[definition_arn] > 0

    def vcpus_in_use(self, provider: str) -> float:
        """Return the vCPUs of all tasks of a provider that are not STOPPED."""
        return self._cpu_in_use[provider] / 1024

    def forget_old(self, now: float) -> None:
        """Forget tasks that have been STOPPED for long enough."""
        while self._stopped and now - (self._stopped[0].life.stopped_at or now) > self._stopped_visible:
            record = self._stopped.popleft()
            del self._by_id[record.id]
            for key in _keys(record):
                if self._listings[key].forget_one(lambda each: each.id not in self._by_id):
                    del self._listings[key]


def _keys(record: TaskRecord) -> list[tuple[str, str | None]]:
    everything: tuple[str, str | None] = (record.batch.cluster, None)
    return [everything, (record.batch.cluster, record.batch.started_by)] if record.batch.started_by else [everything]
