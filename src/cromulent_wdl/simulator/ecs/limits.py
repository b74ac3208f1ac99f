"""AWS's token buckets for the ECS API (facts: ECS API buckets; RunTask on Fargate; Fargate launch rate)."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from ...clock import Clock

__all__ = ["Limits"]


@dataclass(frozen=True)
class _Rate:
    burst: float
    per_second: float


_RATES = {
    "task-write": _Rate(100, 40),
    "task-read": _Rate(100, 20),
    "definition-write": _Rate(20, 1),
    "definition-read": _Rate(50, 20),
    "definition-delete": _Rate(5, 1),
    "cluster-write": _Rate(20, 1),
    "tag-write": _Rate(20, 10),
    "run-task": _Rate(20, 20),
    "launch": _Rate(100, 20),
}
_BUCKETS = {
    "RunTask": ("task-write", "run-task"),
    "StopTask": ("task-write",),
    "ExecuteCommand": ("task-write",),
    "DescribeTasks": ("task-read",),
    "ListTasks": ("task-read",),
    "RegisterTaskDefinition": ("definition-write",),
    "DeregisterTaskDefinition": ("definition-write",),
    "DescribeTaskDefinition": ("definition-read",),
    "DeleteTaskDefinitions": ("definition-delete",),
    "CreateCluster": ("cluster-write",),
    "PutClusterCapacityProviders": ("cluster-write",),
    "TagResource": ("tag-write",),
}


class Limits:
    """Buckets that fill with time; each owner (an account in a region) has its own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._levels: dict[tuple[object, str], tuple[float, float]] = {}

    def admit(self, owner: object, action: str) -> bool:
        """Take a token for the action from each bucket that it draws on, or none and answer False."""
        names = _BUCKETS.get(action, ())
        with self._lock:
            if any(self._level(owner, name, _RATES[name]) < 1 for name in names):
                return False
            for name in names:
                self._take(owner, name, 1)
            return True

    def admit_launch(self, owner: object, provider: str, tasks: int) -> bool:
        """Take a token a task from the launch bucket of On-Demand or of Spot, or none and answer False."""
        name, rate = f"launch {provider}", _RATES["launch"]
        with self._lock:
            if self._level(owner, name, rate) < tasks:
                return False
            self._take(owner, name, tasks)
            return True

    def _level(self, owner: object, name: str, rate: _Rate) -> float:
        now = self._clock.monotonic()
        level, since = self._levels.get((owner, name), (rate.burst, now))
        level = min(rate.burst, level + (now - since) * rate.per_second)
        self._levels[(owner, name)] = (level, now)
        return level

    def _take(self, owner: object, name: str, tokens: int) -> None:
        level, since = self._levels[(owner, name)]
        self._levels[(owner, name)] = (level - tokens, since)
