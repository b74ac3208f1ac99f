"""An ECS engine on the machine's own clock, whose data plane really runs what it is asked to."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.simulator.ecs import (
    AccessPoint,
    ContainerPlan,
    DataPlane,
    EcsService,
    FaultPlan,
    Launch,
    Place,
    TaskStateChange,
    Timers,
)
from cromulent_wdl.simulator.planes.disks import Disks
from cromulent_wdl.simulator.planes.surroundings import Surroundings
from tests.fakes.ecs_world import CALLER, ROLE, FakeWorld, container, definition

__all__ = ["RealStage", "efs", "opened", "shell"]

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}


class RealStage:
    """A cluster `runs`; `outcome` runs a container and waits for its end."""

    def __init__(
        self,
        directory: Path,
        make: Callable[[Surroundings], DataPlane],
        owner: str = "test",
        disks: Disks | None = None,
    ) -> None:
        self.directory = directory
        self.image = "busybox:1"
        self.world = FakeWorld()
        self.world.points["fsap-mine"] = AccessPoint("fsap-mine", "fs-1", "/mine", None, (0, 0, 0o755))
        self.changed = threading.Condition()
        self.world.emit = self._emit  # type: ignore[method-assign]
        self.timers = Timers(SYSTEM)
        given = Surroundings(
            directory,
            directory / "efs",
            owner,
            SYSTEM,
            self.timers,
            self._put_lines,
            self._environment,
            disks,
        )
        self.plane = make(given)
        self.service = EcsService(SYSTEM, self.world, self.plane, self.timers)
        self.service.start()
        self.ask("CreateCluster", clusterName="runs", capacityProviders=["FARGATE", "FARGATE_SPOT"])

    def _emit(self, change: TaskStateChange) -> None:
        with self.changed:
            self.changed.notify_all()

    def _put_lines(self, place: Place, group: str, stream: str, lines: Sequence[tuple[float, str]]) -> None:
        with self.changed:
            self.world.put_log_lines(place, group, stream, lines)
            self.changed.notify_all()

    def _environment(self, launch: Launch, plan: ContainerPlan) -> Mapping[str, str]:
        uri = f"http://localhost/{launch.task_id}/{plan.name}"
        return {"AWS_REGION": launch.place.region, "ECS_CONTAINER_METADATA_URI_V4": uri}

    def ask(self, action: str, **request: Any) -> dict[str, Any]:
        """Carry out a request."""
        return self.service.handle(action, request, CALLER)

    def begin(self, *containers: dict[str, Any], volumes: list[dict[str, Any]] | None = None, **request: Any) -> str:
        """Start a task of the containers and return its ARN."""
        named = [{**each, "image": self.image} for each in containers]
        platform = request.pop("runtimePlatform", {})
        made = definition(containerDefinitions=named, volumes=volumes or [], executionRoleArn=ROLE)
        self.ask("RegisterTaskDefinition", **made, runtimePlatform=platform)
        request = {"cluster": "runs", "taskDefinition": "job", "networkConfiguration": NETWORK, **request}
        if "capacityProviderStrategy" not in request:
            request["launchType"] = "FARGATE"
        return str(self.ask("RunTask", **request)["tasks"][0]["taskArn"])

    def task(self, arn: str) -> dict[str, Any]:
        """Return a task as it is now."""
        return dict(self.ask("DescribeTasks", cluster="runs", tasks=[arn])["tasks"][0])

    def until(self, arn: str, status: str) -> dict[str, Any]:
        """Wait until a task has reached a state, and return it."""
        with self.changed:
            reached = self.changed.wait_for(lambda: self.task(arn)["lastStatus"] in (status, "STOPPED"), 60)
        assert reached, self.task(arn)
        return self.task(arn)

    def until_said(self, line: str) -> None:
        """Wait until a container of the name `main` has said a line."""
        with self.changed:
            assert self.changed.wait_for(lambda: line in self.lines(), 60), self.lines()

    def outcome(self, *containers: dict[str, Any], **request: Any) -> dict[str, Any]:
        """Run a task to its end and return it."""
        return self.until(self.begin(*containers, **request), "STOPPED")

    def faults(self, plan: FaultPlan) -> None:
        """Let things go wrong."""
        self.service.set_faults(plan)

    def lines(self, name: str = "main") -> list[str]:
        """Return all lines that containers of the name have sent."""
        return [line for stream, lines in self.world.lines.items() if f"/{name}/" in stream for line in lines]

    def close(self) -> None:
        """End everything."""
        self.service.close()


def efs(name: str = "data", **configuration: Any) -> dict[str, Any]:
    """Return a volume on the file system `fs-1`."""
    chosen = {"fileSystemId": "fs-1", "transitEncryption": "ENABLED", **configuration}
    return {"name": name, "efsVolumeConfiguration": chosen}


def shell(script: str, name: str = "main", **changes: Any) -> dict[str, Any]:
    """Return a container that runs a shell script and whose output goes to a log group."""
    options = {"awslogs-group": "/cromulent", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "t"}
    logs = {"logDriver": "awslogs", "options": options}
    return container(name=name, entryPoint=["/bin/sh", "-c"], command=[script], logConfiguration=logs, **changes)


def opened(directory: Path) -> Path:
    """Let everybody reach a temporary directory, which pytest makes for its own user alone."""
    for place in (directory, *directory.parents):
        if place == Path(tempfile.gettempdir()):
            break
        place.chmod(0o755)
    return directory
