"""The admin path: meters and permissions to read, faults to exchange, and what tasks ask of their host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from .ecs import EcsService
from .ecs.fault_plan import FaultPlan
from .others import Others, of_ecs
from .task_endpoint import TaskEndpoint

__all__ = ["Admin"]

Answer = tuple[int, Mapping[str, str], bytes]

_TASKS = "tasks/"
_JSON = {"content-type": "application/json"}


class Admin:
    """Answers requests to the admin path."""

    def __init__(
        self,
        service: EcsService,
        others: Others,
        tasks: TaskEndpoint,
        plan: FaultPlan,
        decisions: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._service = service
        self._decisions = decisions
        self._others = others
        self._tasks = tasks
        self._plan = plan

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Answer a request: its status, headers and body."""
        if method == "GET" and path.startswith(_TASKS):
            document = self._tasks.answer(path.removeprefix(_TASKS))
            return _json(document) if document is not None else _json({"error": "no such task"}, 404)
        routes: dict[tuple[str, str], Callable[[bytes], Answer]] = {
            ("GET", "meters"): self._meters,
            ("POST", "meters/reset"): self._reset,
            ("GET", "faults"): self._faults,
            ("GET", "permissions"): lambda _: _json(self._decisions()),
            ("PUT", "faults"): self._exchange,
        }
        route = routes.get((method, path))
        return route(body) if route is not None else _json({"error": f"there is no {method} {path}"}, 404)

    def _meters(self, body: bytes) -> Answer:
        ecs, others = self._service.meters(), self._others.meters.snapshot()
        actions = {f"ecs:{action}": counts for action, counts in ecs["actions"].items()}
        return _json({**ecs, "actions": {**actions, **others["actions"]}})

    def _reset(self, body: bytes) -> Answer:
        self._service.reset_meters()
        self._others.meters.reset()
        return _json({})

    def _faults(self, body: bytes) -> Answer:
        return 200, _JSON, msgspec.json.encode(self._plan)

    def _exchange(self, body: bytes) -> Answer:
        try:
            plan = msgspec.json.decode(body, type=FaultPlan)
        except msgspec.DecodeError as wrong:
            return _json({"error": str(wrong)}, 400)
        self._plan = plan
        self._service.set_faults(of_ecs(plan))
        self._others.follow(plan)
        return self._faults(b"")


def _json(document: Mapping[str, Any], status: int = 200) -> Answer:
    return status, _JSON, msgspec.json.encode(document)
