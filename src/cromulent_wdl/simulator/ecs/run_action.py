"""RunTask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .answers import ApiError, client_error, throttled
from .clusters import PROVIDERS
from .definitions import Definition
from .faults import CAPACITY_UNAVAILABLE
from .identities import Identities
from .lifecycle import ContainerLife, born
from .network import check_roles, resolve_subnets
from .placement import split
from .run_request import Batch, check_form, plan_batch
from .seam import Caller, Place
from .state import Holdings, Remembered, State
from .tags import as_list
from .tasks import TaskRecord
from .view import show

__all__ = ["RunAction", "with_tags"]

_TOKEN_SECONDS = 24 * 3600.0
_OVER_QUOTA = "You’ve reached the limit on the number of vCPUs you can run concurrently"  # noqa: RUF001 - AWS's words

Request = Mapping[str, Any]


class RunAction:
    """Starts tasks; a client token makes a repeated call answer the same tasks."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._subnet_turn = 0
        self._identities = Identities()

    def run(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Start up to ten tasks; those for which there is no room are in failures[]."""
        check_form(request)
        place = caller.place
        cluster = self._state.cluster(place, request.get("cluster"))
        repeated = self._repeated(place, cluster.name, request)
        if repeated is not None:
            return repeated
        definition = self._definition(place, request["taskDefinition"])
        subnets = resolve_subnets(self._state.world, place, request)
        batch = plan_batch(request, cluster, definition, subnets)
        check_roles(self._state.world, place, batch.task_role, batch.execution_role)
        return self._start(place, batch, request)

    def _definition(self, place: Place, reference: str) -> Definition:
        with self._state.driver.lock:
            found = self._state.of(place).definitions.find(reference)
        if found is None:
            raise client_error("TaskDefinition not found.")
        return found

    def _start(self, place: Place, batch: Batch, request: Request) -> dict[str, Any]:
        count = request.get("count", 1)
        providers = split(batch.strategy, count) if batch.strategy else ["FARGATE"] * count
        self._admit(place, providers)
        started: list[TaskRecord] = []
        failures: list[dict[str, str]] = []
        with self._state.driver.lock:
            repeated = self._repeated(place, batch.cluster, request)
            if repeated is not None:
                return repeated  # two calls with one token at the same time
            holdings = self._state.of(place)
            for provider in providers:
                reason = self._no_room(holdings, batch, provider)
                if reason is None:
                    started.append(self._new_task(holdings, place, batch, provider))
                else:
                    failures.append({"reason": reason})
            self._remember(holdings, batch, request, started)
            shown = [with_tags(record) for record in started]
        for record in started:
            self._state.driver.launch(record)
        return {"tasks": shown, "failures": failures}

    def _admit(self, place: Place, providers: list[str]) -> None:
        if not self._state.settings.enforce_limits:
            return
        for provider in PROVIDERS:
            wanted = providers.count(provider)
            if wanted and not self._state.limits.admit_launch(place, provider, wanted):
                raise throttled()

    def _no_room(self, holdings: Holdings, batch: Batch, provider: str) -> str | None:
        """Return why one more task cannot start (facts: capacity; Fargate vCPU quota)."""
        if self._state.faults.no_capacity(batch.definition.family, provider):
            return CAPACITY_UNAVAILABLE
        quota = self._state.settings.vcpu_quota
        if quota is not None and holdings.tasks.vcpus_in_use(provider) + batch.cpu / 1024 > quota:
            return _OVER_QUOTA
        return None

    def _new_task(self, holdings: Holdings, place: Place, batch: Batch, provider: str) -> TaskRecord:
        now = self._state.clock.now()
        self._subnet_turn += 1
        subnet = batch.subnets[self._subnet_turn % len(batch.subnets)]
        record = TaskRecord(place, self._identities.next(), batch, provider, subnet)
        containers = batch.definition.document["containerDefinitions"]
        record.life = born(tuple(ContainerLife(each["name"], each["essential"]) for each in containers), now)
        record.ailments = self._state.faults.ailments(batch.definition.family, provider)
        hidden = self._state.settings.consistency_delay.draw(self._state.driver.chances)
        if "missing" in record.ailments:
            hidden = max(hidden, record.ailments["missing"].after)
        record.visible_from = now + hidden if hidden else 0.0
        holdings.tasks.add(record)
        return record

    def _repeated(self, place: Place, cluster: str, request: Request) -> dict[str, Any] | None:
        """Return the answer to a call whose token is known (botocore, RunTask: ConflictException)."""
        token = request.get("clientToken")
        if not token:
            return None
        with self._state.driver.lock:
            holdings = self._state.of(place)
            known = holdings.tokens.get((cluster, token))
            if known is None:
                return None
            records = [record for record in map(holdings.tasks.get, known.task_ids) if record is not None]
            if known.request != _fingerprint(request):
                raise ApiError(
                    "ConflictException",
                    "The provided clientToken is already in use with a different RunTask request.",
                    members={"resourceIds": [record.arn for record in records]},
                )
            return {"tasks": [with_tags(record) for record in records], "failures": []}

    def _remember(self, holdings: Holdings, batch: Batch, request: Request, started: list[TaskRecord]) -> None:
        token = request.get("clientToken")
        if not token or not started:
            return
        now = self._state.clock.now()
        ids = tuple(record.id for record in started)
        holdings.tokens[(batch.cluster, token)] = Remembered(now, _fingerprint(request), ids)
        while now - next(iter(holdings.tokens.values())).at > _TOKEN_SECONDS:
            holdings.tokens.popitem(last=False)


def with_tags(record: TaskRecord) -> dict[str, Any]:
    """Return the task with its tags, as RunTask, StopTask and DescribeTasks with TAGS show it."""
    return {**show(record), "tags": as_list(record.tags)} if record.tags else show(record)


def _fingerprint(request: Request) -> bytes:
    return msgspec.json.encode(request, order="deterministic")
