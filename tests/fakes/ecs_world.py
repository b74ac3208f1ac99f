"""An ECS engine in a world of dictionaries, with time that passes when it is told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from cromulent_wdl.simulator.ecs import (
    AccessPoint,
    ApiError,
    Caller,
    DataPlane,
    EcsService,
    EcsSettings,
    FileAccess,
    FileSystem,
    Place,
    SecretUnavailable,
    Snapshot,
    Subnet,
    TaskStateChange,
    Timers,
)
from cromulent_wdl.simulator.planes.play import PlayPlane
from cromulent_wdl.simulator.planes.play_script import PlayScript

from .clocks import FakeClock

__all__ = ["CALLER", "PLACE", "FakeWorld", "Stage", "container", "definition"]

PLACE = Place("123456789012", "eu-west-1")
CALLER = Caller(PLACE, "arn:aws:iam::123456789012:user/somebody")
ROLE = "arn:aws:iam::123456789012:role/task"


class FakeWorld:
    """Two subnets of a VPC, a group, a file system with an access point, a log group, a role."""

    def __init__(self) -> None:
        self.subnets = {name: Subnet(name, "vpc-1", f"eu-west-1{name[-1]}") for name in ("subnet-a", "subnet-b")}
        self.groups = {"sg-1": "vpc-1", "sg-elsewhere": "vpc-2"}
        self.file_systems = {"fs-1": FileSystem("fs-1", frozenset(("eu-west-1a", "eu-west-1b")))}
        self.points = {"fsap-1": AccessPoint("fsap-1", "fs-1", "/runs", (1000, 1000), (1000, 1000, 0o755))}
        self.access: dict[tuple[str | None, str | None], FileAccess] = {}
        """What a role, or nobody, may do by an access point; where nothing is said, everything."""
        self.secrets: dict[tuple[str, str], str] = {}
        """What a role can fetch."""
        self.log_groups = {"/cromulent"}
        self.roles = {ROLE}
        self.changes: list[TaskStateChange] = []
        self.lines: dict[str, list[str]] = {}

    def subnet(self, place: Place, subnet: str) -> Subnet | None:
        return self.subnets.get(subnet)

    def security_group_vpc(self, place: Place, group: str) -> str | None:
        return self.groups.get(group)

    def file_system(self, place: Place, file_system: str) -> FileSystem | None:
        return self.file_systems.get(file_system)

    def access_point(self, place: Place, access_point: str) -> AccessPoint | None:
        return self.points.get(access_point)

    def file_access(self, place: Place, role: str | None, file_system: str, access_point: str | None) -> FileAccess:
        return self.access.get((role, access_point), FileAccess.WRITE)

    def secret(self, place: Place, role: str, value_from: str) -> str:
        try:
            return self.secrets[(role, value_from)]
        except LookupError:
            raise SecretUnavailable(f"ResourceInitializationError: {value_from}") from None

    def check_pull(self, place: Place, role: str, image: str) -> None:
        pass

    def log_refusal(self, place: Place, role: str, group: str, stream: str) -> str | None:
        known = group in self.log_groups
        return None if known else "ResourceNotFoundException: The specified log group does not exist."

    def tasks_may_assume(self, place: Place, role_arn: str) -> bool:
        return role_arn in self.roles

    def emit(self, change: TaskStateChange) -> None:
        self.changes.append(change)

    def put_log_lines(self, place: Place, group: str, stream: str, lines: Sequence[tuple[float, str]]) -> None:
        self.lines.setdefault(f"{group}:{stream}", []).extend(text for _, text in lines)

    def events(self) -> list[dict[str, Any]]:
        """Return the details of all events so far."""
        return [change.detail() for change in self.changes]


class Model:
    """The ECS API as botocore knows it."""

    def __init__(self) -> None:
        self._model = ServiceModel(Loader().load_service_model("ecs", "service-2"), "ecs")

    def check_answer(self, action: str, answer: Mapping[str, Any]) -> None:
        """Fail where the answer has members, or types, that the model does not have."""
        shape = self._model.operation_model(action).output_shape
        assert shape is not None
        report = ParamValidator().validate(dict(answer), shape)
        assert not report.has_errors(), report.generate_report()

    def check_error(self, action: str, code: str) -> None:
        """Fail where the action cannot be refused with the code."""
        if action in self._model.operation_names:
            known = {shape.name for shape in self._model.operation_model(action).error_shapes}
            assert code in known | {"ThrottlingException"}, f"{action} does not raise {code}"


MODEL = Model()


class Stage:
    """An engine whose clock stands still until `pass_time`; it has a cluster `runs` and a definition `job`."""

    def __init__(
        self, settings: EcsSettings | None = None, script: PlayScript | None = None, plane: DataPlane | None = None
    ) -> None:
        self.clock = FakeClock()
        self.world = FakeWorld()
        self._settings, self._script = settings, script
        self.timers = Timers(self.clock)
        chosen = PlayPlane(self.timers, script) if plane is None else plane
        self.service = EcsService(self.clock, self.world, chosen, self.timers, settings)
        self.ask("CreateCluster", clusterName="runs", capacityProviders=["FARGATE", "FARGATE_SPOT"])
        self.ask("RegisterTaskDefinition", **definition())

    def restart(self) -> None:
        """Go on with another engine that begins with what this one held."""
        kept = msgspec.json.decode(msgspec.json.encode(self.service.snapshot()), type=Snapshot)
        self.service.close()
        self.timers = Timers(self.clock)
        plane = PlayPlane(self.timers, self._script)
        self.service = EcsService(self.clock, self.world, plane, self.timers, self._settings)
        self.service.restore(kept)

    def ask(self, action: str, **request: Any) -> dict[str, Any]:
        """Carry out a request; its answer, or its refusal, must fit botocore's model."""
        try:
            answer = self.service.handle(action, request, CALLER)
        except ApiError as refusal:
            MODEL.check_error(action, refusal.code)
            raise
        MODEL.check_answer(action, answer)
        return answer

    def refused(self, action: str, **request: Any) -> ApiError:
        """Carry out a request that must be refused, and return the refusal."""
        try:
            answer = self.ask(action, **request)
        except ApiError as refusal:
            return refusal
        raise AssertionError(f"{action} was not refused: {answer}")

    def run(self, **request: Any) -> list[dict[str, Any]]:
        """Run tasks of `job` in `runs` and return them."""
        return list(self.run_answer(**request)["tasks"])

    def run_answer(self, **request: Any) -> dict[str, Any]:
        """Run tasks of `job` in `runs` and return the whole answer."""
        if "capacityProviderStrategy" not in request and not request.pop("as_the_cluster_says", False):
            request.setdefault("launchType", "FARGATE")
        network = {"awsvpcConfiguration": {"subnets": ["subnet-a"], "securityGroups": ["sg-1"]}}
        return self.ask(
            "RunTask", **{"cluster": "runs", "taskDefinition": "job", "networkConfiguration": network, **request}
        )

    def task(self, arn: str) -> dict[str, Any]:
        """Return a task as it is now."""
        return dict(self.ask("DescribeTasks", cluster="runs", tasks=[arn], include=["TAGS"])["tasks"][0])

    def pass_time(self, seconds: float = 0.0) -> None:
        """Let time pass, and all that is due in it happen at its own time."""
        until = self.clock.time + seconds
        self.timers.run_due()
        while (due := self.timers.next_due()) is not None and due <= until:
            self.clock.time = max(due, self.clock.time)
            self.timers.run_due()
        self.clock.time = until


def definition(**changes: Any) -> Mapping[str, Any]:
    """Return a task definition that Fargate takes: `job`, with one container `main`."""
    return {
        "family": "job",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [container()],
        **changes,
    }


def container(**changes: Any) -> dict[str, Any]:
    """Return a container definition."""
    return {"name": "main", "image": "busybox:1", "command": ["true"], **changes}
