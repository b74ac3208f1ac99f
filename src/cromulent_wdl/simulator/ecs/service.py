"""The engine's front: a request goes through its stages and comes out as an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...clock import Clock
from .answers import AnswerLost, ApiError, throttled
from .authorization import Authorization, authorization_of
from .cluster_actions import ClusterActions
from .definition_actions import DefinitionActions
from .driver import Driver
from .fault_plan import FaultPlan
from .faults import Faults
from .limits import Limits
from .metadata import container_metadata, task_metadata
from .seam import Caller, DataPlane, Place, World
from .settings import EcsSettings
from .shapes import RequestShapes
from .snapshot import Snapshot, restore, snapshot
from .state import State
from .tag_actions import TagActions
from .task_actions import TaskActions
from .timers import Timers

__all__ = ["EcsService"]


class EcsService:
    """ECS in memory. Use it from any thread; `start` begins the passage of time, `close` ends every task.

    The timers are shared with a data plane that plays; nobody else closes them.
    """

    def __init__(
        self, clock: Clock, world: World, plane: DataPlane, timers: Timers, settings: EcsSettings | None = None
    ) -> None:
        settings = settings or EcsSettings()
        self._timers = timers
        self._plane = plane
        self._settings = settings
        self._shapes = RequestShapes()
        self._driver = Driver(clock, timers, plane, world, settings)
        self._faults = Faults(self._driver.meters)
        self._limits = Limits(clock)
        self._state = State(clock, world, settings, self._driver, self._faults, self._limits)
        self._actions = {
            **DefinitionActions(self._state).table(),
            **ClusterActions(self._state).table(),
            **TaskActions(self._state).table(),
            **TagActions(self._state).table(),
        }

    @property
    def actions(self) -> frozenset[str]:
        """The names of the actions that are answered."""
        return frozenset(self._actions)

    def start(self) -> None:
        """Begin to move tasks."""
        self._timers.start()

    def handle(self, action: str, request: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Carry out a request; raises ApiError, or AnswerLost where the connection is to be cut."""
        meters = self._driver.meters
        meters.request(action)
        try:
            lost = self._faults.before_request(action)
            if self._settings.enforce_limits and not self._limits.admit(caller.place, action):
                raise throttled()
            self._shapes.check(action, request)
            found = self._actions.get(action)
            if found is None:
                raise ApiError("UnsupportedFeatureException", f"The simulator does not have {action}.")
            answer = found(caller, request)
        except ApiError as refusal:
            meters.refused(action, refusal.code)
            raise
        if lost:
            raise AnswerLost
        return answer

    def delay(self, action: str) -> float:
        """Return the seconds by which the answer to a request is to be late."""
        return self._faults.delay(action)

    def authorization(self, action: str, request: Mapping[str, Any], caller: Caller) -> Authorization:
        """Return by which resources, conditions and passed roles the request is to be judged."""
        return authorization_of(self._state, action, request, caller.place)

    def role_of(self, task_id: str) -> tuple[Place, str] | None:
        """Return the role of a task and where it is, if there is such a task and it has one."""
        record = self._driver.find(task_id)
        if record is None or record.batch.task_role is None:
            return None
        return record.place, record.batch.task_role

    def addresses_in_use(self, place: Place, subnet: str) -> int:
        """Return how many addresses of a subnet tasks have."""
        with self._driver.lock:
            return self._driver.tasks_of(place).addresses_in_use(subnet)

    def metadata(self, task_id: str, container: str, whole_task: bool) -> dict[str, Any] | None:
        """Return what the metadata endpoint says to a task's container of itself, or of the whole task."""
        record = self._driver.find(task_id)
        life = next((each for each in record.life.containers if each.name == container), None) if record else None
        if record is None or life is None:
            return None
        return task_metadata(record) if whole_task else container_metadata(record, life)

    def set_faults(self, plan: FaultPlan) -> None:
        """Let other things go wrong from now on."""
        self._faults.follow(plan)

    def meters(self) -> dict[str, Any]:
        """Return the meters as JSON."""
        return self._driver.meters.snapshot()

    def reset_meters(self) -> None:
        """Set the meters to nothing."""
        self._driver.meters.reset()

    def snapshot(self) -> Snapshot:
        """Return all that is held, for another engine to begin with."""
        return snapshot(self._state)

    def restore(self, kept: Snapshot) -> None:
        """Begin with what another engine held; do it once, before anybody asks."""
        restore(self._state, kept)

    def close(self) -> None:
        """Stop time and everything that runs."""
        self._timers.close()
        self._plane.close()
