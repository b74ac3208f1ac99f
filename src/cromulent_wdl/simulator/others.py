"""Meters, rates and faults of the services other than ECS, which has its own in its engine.

A fault of another service names it in its action, as IAM does: `action = "s3:PutObject"`.
"""

from __future__ import annotations

import threading

from ..clock import Clock
from .ecs import ApiError, Place
from .ecs.answers import throttled
from .ecs.fault_plan import FaultPlan
from .ecs.faults import Faults
from .ecs.meters import Meters
from .ministack.requests import Request

__all__ = ["Others", "of_ecs", "of_others"]

_RATES = {
    # facts: CloudWatch Logs; GetLogEvents is unconfirmed there. facts: Batch.
    "logs:GetLogEvents": 25.0,
    "logs:FilterLogEvents": 5.0,
    "batch:SubmitJob": 50.0,
}
"""Requests a second, with a burst of one second, in an account and region."""


def of_ecs(plan: FaultPlan) -> FaultPlan:
    """Return the faults that are ECS's."""
    return FaultPlan(seed=plan.seed, faults=tuple(each for each in plan.faults if ":" not in (each.action or "")))


def of_others(plan: FaultPlan) -> FaultPlan:
    """Return the faults that are other services'."""
    return FaultPlan(seed=plan.seed, faults=tuple(each for each in plan.faults if ":" in (each.action or "")))


class Others:
    """Admits requests. Safe to use from any thread."""

    def __init__(self, clock: Clock, plan: FaultPlan, enforce_rates: bool) -> None:
        self.meters = Meters(clock)
        self._clock = clock
        self._faults = Faults(self.meters, of_others(plan))
        self._enforce_rates = enforce_rates
        self._lock = threading.Lock()
        self._levels: dict[tuple[Place, str], tuple[float, float]] = {}

    def follow(self, plan: FaultPlan) -> None:
        """Begin with other faults."""
        self._faults.follow(of_others(plan))

    def delay(self, request: Request) -> float:
        """Return the seconds by which the answer to a request is to be late."""
        return self._faults.delay(request.action)

    def admit(self, request: Request, place: Place) -> bool:
        """Count a request; True says that its answer is to be lost. Raises ApiError, AnswerLost."""
        self.meters.request(request.action)
        try:
            lost = self._faults.before_request(request.action)
            if self._enforce_rates and not self._take(place, request.action):
                raise throttled()
        except ApiError as refused:
            self.meters.refused(request.action, refused.code)
            raise
        return lost

    def _take(self, place: Place, action: str) -> bool:
        """Take a token from the action's bucket, if it has one and there is one."""
        rate = _RATES.get(action)
        if rate is None:
            return True
        with self._lock:
            now = self._clock.monotonic()
            level, since = self._levels.get((place, action), (rate, now))
            level = min(rate, level + (now - since) * rate)
            admitted = level >= 1
            self._levels[(place, action)] = (level - admitted, now)
        return admitted
