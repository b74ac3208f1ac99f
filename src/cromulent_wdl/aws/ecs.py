"""ECS: the calls that tasks need, each at its rate, repeated as long as that is harmless.

Clients send each request once; what is repeated, and when, is decided here, since only we know our buckets. A
repeated RunTask carries the same client token, so it starts nothing twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..clock import SYSTEM, Clock
from ..errors import AwsError, AwsThrottled, AwsUnreachable
from .access import Access, asking
from .decode import EcsTask, is_throttle, task_of
from .rates import DESCRIBE, DESCRIBE_DEFINITION, LAUNCH, REGISTER, RUN_OR_STOP, RUN_TASK, Bucket, least_for

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

__all__ = ["Answer", "Ecs", "Seen"]

_T = TypeVar("_T")
BATCH = 100
"""Ids that DescribeTasks takes, and arns that a page of ListTasks has (facts: DescribeTasks)."""
_PASSING = frozenset({"ServerException", "InternalError", "InternalFailure", "ServiceUnavailable", "503", "500"})
_ATTEMPTS = 8
"""Whose pauses are settings; so is for how long they are begun anew."""


@dataclass(frozen=True)
class Answer:
    """What RunTask said: the task, or why there is none."""

    task: EcsTask | None
    failure: str = ""


@dataclass(frozen=True)
class Seen:
    """What DescribeTasks said of the tasks asked for."""

    tasks: tuple[EcsTask, ...]
    missing: tuple[str, ...]
    """ARNs that ECS does not know: not yet, or not any more."""


@dataclass
class _Buckets:
    clock: Clock
    pause: float
    run_task: Bucket = field(init=False)
    run_or_stop: Bucket = field(init=False)
    describe: Bucket = field(init=False)
    register: Bucket = field(init=False)
    describe_definition: Bucket = field(init=False)
    launches: dict[str, Bucket] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bucket = partial(Bucket, clock=self.clock, least=least_for(self.pause))
        self.run_task = bucket(RUN_TASK)
        self.run_or_stop = bucket(RUN_OR_STOP)
        self.describe = bucket(DESCRIBE)
        self.register = bucket(REGISTER)
        self.describe_definition = bucket(DESCRIBE_DEFINITION)
        self.launches = {provider: bucket(LAUNCH) for provider in ("FARGATE", "FARGATE_SPOT")}


class Ecs:
    """One cluster. Safe to use from any thread."""

    def __init__(
        self, access: Access, cluster: str, *, pauses: tuple[float, float] = (0.5, 20.0), clock: Clock = SYSTEM
    ) -> None:
        """`pauses` are seconds before the first repetition of a call, and the most before a later one."""
        self._access = access
        self._cluster = cluster
        self._pause, self._longest_pause = pauses
        """The first doubles with each repetition, and buckets give way to match it."""
        self._clock = clock
        self._buckets = _Buckets(clock, self._pause)
        self._client: ECSClient = access.client("ecs", patient=False)
        self._tasks = access.task_calls()

    def launch_delay(self, provider: str) -> float:
        """Return in how many seconds a task may be started there; take what it needs when that is now."""
        needed = (self._buckets.run_task, self._buckets.run_or_stop, self._buckets.launches[provider])
        delay = max(bucket.delay() for bucket in needed)
        if delay == 0:
            for bucket in needed:
                bucket.reserve()
        return delay

    def run_task(self, request: Mapping[str, Any], provider: str, *, paid: bool = True) -> Answer:
        """Start a task; `paid` where `launch_delay` has said that it may be.

        Raises AwsError when AWS refuses or goes on failing.
        """
        buckets = (self._buckets.run_task, self._buckets.launches[provider])
        found = self._asking("starting a task", lambda: self._tasks.run_task(request), buckets, paid)
        if found["tasks"]:
            return Answer(task_of(found["tasks"][0]))
        failures = found.get("failures") or [{}]
        return Answer(None, str(failures[0].get("reason") or failures[0].get("detail") or "no reason was given"))

    def describe(self, arns: Sequence[str]) -> Seen:
        """Look at up to 100 tasks, once: who polls asks again anyhow. Raises AwsError."""

        def call() -> Any:
            return self._tasks.describe_tasks({"cluster": self._cluster, "tasks": list(arns)})

        found = self._once("looking at tasks", call, (self._buckets.describe,))
        missing = (str(each.get("arn", "")) for each in found.get("failures") or ())
        return Seen(tuple(map(task_of, found["tasks"])), tuple(missing))

    def stop(self, arn: str, reason: str) -> EcsTask | None:
        """Have a task stopped, which takes a while; None where ECS does not know it. Raises AwsError."""

        def call() -> Any:
            return self._client.stop_task(cluster=self._cluster, task=arn, reason=reason[:255])

        try:
            return task_of(self._asking("stopping a task", call, (self._buckets.run_or_stop,))["task"])
        except AwsError as error:
            if error.code in ("InvalidParameterException", "ClientException") and "not found" in str(error):
                return None
            raise

    def started_by(self, name: str) -> tuple[str, ...]:
        """Return the ARNs of the tasks that were started under this name and are to run."""
        return self._repeating(partial(self._listed, startedBy=name))

    def everything(self) -> tuple[str, ...]:
        """Return the ARNs of all tasks of the cluster that are to run."""
        return self._repeating(self._listed)

    def _listed(self, **narrowed: str) -> tuple[str, ...]:
        arns: list[str] = []
        pages: Any = self._client.get_paginator("list_tasks")
        with asking("listing tasks"):
            for page in pages.paginate(cluster=self._cluster, **narrowed):
                self._buckets.describe.take()
                arns += page["taskArns"]
        return tuple(arns)

    def describe_all(self, arns: Sequence[str]) -> Seen:
        """Look at any number of tasks, patiently."""
        tasks: list[EcsTask] = []
        missing: list[str] = []
        for start in range(0, len(arns), BATCH):
            batch = arns[start : start + BATCH]
            seen = self._repeating(partial(self.describe, batch))
            tasks += seen.tasks
            missing += seen.missing
        return Seen(tuple(tasks), tuple(missing))

    def definition(self, family: str) -> str | None:
        """Return the ARN of a family's latest active task definition, or None."""
        try:
            found = self._asking(
                "looking for a task definition",
                lambda: self._client.describe_task_definition(taskDefinition=family),
                (self._buckets.describe_definition,),
            )
        except AwsError as error:
            if error.code == "ClientException":
                return None
            raise
        definition = found["taskDefinition"]
        return str(definition["taskDefinitionArn"]) if definition.get("status") == "ACTIVE" else None

    def register(self, request: Mapping[str, Any]) -> str:
        """Register a task definition and return its ARN."""
        found = self._asking(
            "registering a task definition",
            lambda: self._client.register_task_definition(**request),
            (self._buckets.register,),
        )
        return str(found["taskDefinition"]["taskDefinitionArn"])

    def _asking(self, what: str, call: Callable[[], Any], buckets: Sequence[Bucket], paid: bool = False) -> Any:
        tokens_are_paid = [paid]

        def once() -> Any:
            pay = not tokens_are_paid[0]
            tokens_are_paid[0] = False
            return self._once(what, call, buckets, pay=pay)

        return self._repeating(once)

    def _once(self, what: str, call: Callable[[], Any], buckets: Sequence[Bucket], pay: bool = True) -> Any:
        if pay and (seconds := max(bucket.reserve() for bucket in buckets)):
            self._clock.sleep(seconds)
        try:
            with asking(what):
                answer = call()
        except AwsError as error:
            if isinstance(error, AwsThrottled) or is_throttle(error.code, str(error)):
                for bucket in buckets:
                    bucket.throttled()
            raise
        for bucket in buckets:
            bucket.succeeded()
        return answer

    def _repeating(self, call: Callable[[], _T]) -> _T:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return call()
            except AwsError as error:
                if attempt == _ATTEMPTS or not _passes(error):
                    raise
                pause = min(self._longest_pause, self._pause * 2 ** (attempt - 1))
                self._clock.sleep(pause * (0.5 + random.random() / 2))
        raise AssertionError("the last attempt returns or raises")


def _passes(error: AwsError) -> bool:
    """Tell whether a failure is one that passes."""
    transient = isinstance(error, (AwsThrottled, AwsUnreachable)) or error.code in _PASSING
    return transient or is_throttle(error.code, str(error))
