"""What our ECS engine sees of ministack: networks, file systems, log groups, roles, EventBridge and logs."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..ecs import AccessPoint, ApiError, FileAccess, FileSystem, Place, Subnet, TaskStateChange
from . import base, networks, roles
from .authorization import Judge
from .image_pulls import ImagePulls
from .mounting import Mounts
from .secrets import Secrets

__all__ = ["MinistackWorld"]

_EVENTS_KEPT = 1000
"""EventBridge remembers all events that it ever saw; we let it have the last of them."""
_TASKS = "ecs-tasks.amazonaws.com"

_log = logging.getLogger(__name__)


class MinistackWorld:
    """The rest of AWS, as `ecs.World` wants it; without a judge every task may mount and fetch everything."""

    def __init__(self, judge: Judge | None) -> None:
        self.emitted = 0
        """How many changes of tasks there were."""
        self._judge = judge
        self._mounts = Mounts() if judge is not None else None
        self._secrets = Secrets(judge)
        self._pulls = ImagePulls(judge)
        self._ec2 = base.module("services.ec2")
        self._efs = base.module("services.efs")
        self._logs = base.module("services.cloudwatch_logs")
        self._bridge = base.module("services.eventbridge")
        self._scope = base.module("core.responses").request_scope
        self._streams = threading.Lock()
        self._watched: dict[str, threading.Event] = {}
        self._changes: queue.SimpleQueue[TaskStateChange | None] = queue.SimpleQueue()
        self._courier = threading.Thread(target=self._deliver_all, name="ecs-events", daemon=True)
        self._courier.start()

    def close(self) -> None:
        """Deliver what waits, and stop."""
        self._changes.put(None)
        self._courier.join()

    def subnet(self, place: Place, subnet: str) -> Subnet | None:
        """Return the subnet."""
        found = self._ec2._subnets.get_scoped(place.account, place.region, subnet)
        if found is None:
            return None
        free = networks.addresses(found) - networks.mount_targets(place, subnet)
        return Subnet(subnet, found["VpcId"], found["AvailabilityZone"], free)

    def security_group_vpc(self, place: Place, group: str) -> str | None:
        """Return the id of the security group's VPC."""
        found = self._ec2._security_groups.get_scoped(place.account, place.region, group)
        return found and str(found["VpcId"])

    def file_system(self, place: Place, file_system: str) -> FileSystem | None:
        """Return the file system."""
        if self._efs._file_systems.get_scoped(place.account, place.region, file_system) is None:
            return None
        with self._scope(place.account, place.region):
            targets = list(self._efs._mount_targets.values())
        zones = (each["AvailabilityZoneName"] for each in targets if each["FileSystemId"] == file_system)
        return FileSystem(file_system, frozenset(zones))

    def access_point(self, place: Place, access_point: str) -> AccessPoint | None:
        """Return the access point."""
        found = self._efs._access_points.get_scoped(place.account, place.region, access_point)
        return found and _access_point(found)

    def file_access(self, place: Place, role: str | None, file_system: str, access_point: str | None) -> FileAccess:
        """Return what a task of a role may do on a file system."""
        if self._mounts is None:
            return FileAccess.WRITE
        return self._mounts.access(place, role, file_system, access_point)

    def secret(self, place: Place, role: str, value_from: str) -> str:
        """Return the secret that an execution role fetches."""
        return self._secrets.value(place, role, value_from)

    def check_pull(self, place: Place, role: str, image: str) -> None:
        """Raise PullRefused where an execution role may not pull an image."""
        self._pulls.check(place, role, image)

    def log_refusal(self, place: Place, role: str, group: str, stream: str) -> str | None:
        """Return why an execution role can make no log stream there, in AWS's words; None where it can."""
        if not self._logs._log_groups.contains_scoped(place.account, place.region, group):
            return "ResourceNotFoundException: The specified log group does not exist."
        arn = f"arn:aws:logs:{place.region}:{place.account}:log-group:{group}:log-stream:{stream}"
        try:
            if self._judge is not None:
                self._judge.check_role(role, "logs:CreateLogStream", arn, place)
        except ApiError as refused:
            return f"{refused.code}: {refused.message}"
        return None

    def tasks_may_assume(self, place: Place, role_arn: str) -> bool:
        """Say whether the role exists and trusts ECS tasks."""
        # The page "Amazon ECS task IAM role" has this pattern for aws:SourceArn; what comes in its place is not told.
        return roles.trusts(place, role_arn, _TASKS, f"arn:aws:ecs:{place.region}:{place.account}:*")

    def emit(self, change: TaskStateChange) -> None:
        """Put the change into the queue for EventBridge; tell who waits for the task."""
        if (watcher := self._watched.get(change.task_arn)) is not None:
            watcher.set()
        self.emitted += 1
        self._changes.put(change)

    @contextmanager
    def watching(self, task_arn: str, changed: threading.Event) -> Iterator[None]:
        """Have the event set when the task changes."""
        self._watched[task_arn] = changed
        try:
            yield
        finally:
            del self._watched[task_arn]

    def put_log_lines(self, place: Place, group: str, stream: str, lines: Sequence[tuple[float, str]]) -> None:
        """Append the lines; they are lost where there is no such group, as AWS's log driver loses them."""
        name = {"logGroupName": group, "logStreamName": stream}
        events = [{"timestamp": int(at * 1000), "message": line} for at, line in lines]
        with self._streams, self._scope(place.account, place.region):
            self._logs._create_log_stream(name)  # refused where it exists
            if events:
                self._logs._put_log_events({**name, "logEvents": events})

    def _deliver_all(self) -> None:
        while (change := self._changes.get()) is not None:
            try:
                self._deliver(change)
            except Exception:  # noqa: BLE001 - the thread's top: one event that cannot be delivered is one event lost
                _log.exception("an event was not delivered")

    def _deliver(self, change: TaskStateChange) -> None:
        with self._scope(change.place.account, change.place.region):
            # Rendering and matching are dear; most stacks of tasks have nobody who listens.
            if not any(rule.get("State") == "ENABLED" for rule in list(self._bridge._rules.values())):
                return
            entry = {
                "Source": "aws.ecs",
                "DetailType": "ECS Task State Change",
                "Detail": json.dumps(change.detail()),
                "Resources": [change.task_arn],
            }
            self._bridge._put_events({"Entries": [entry]}, allow_aws_source=True)
            del self._bridge._events_log_list()[:-_EVENTS_KEPT]


def _access_point(record: dict[str, Any]) -> AccessPoint:
    root, user = record.get("RootDirectory") or {}, record.get("PosixUser") or {}
    made = root.get("CreationInfo")
    return AccessPoint(
        record["AccessPointId"],
        record["FileSystemId"],
        root.get("Path") or "/",
        (int(user["Uid"]), int(user["Gid"])) if user else None,
        (int(made["OwnerUid"]), int(made["OwnerGid"]), int(str(made["Permissions"]), 8)) if made else None,
    )
