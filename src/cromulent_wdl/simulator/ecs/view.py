"""What a task looks like: in DescribeTasks, and in an "ECS Task State Change" event (facts: event)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from functools import partial
from typing import Any
from zlib import crc32

from .lifecycle import ContainerLife, Life, Status
from .seam import TaskStateChange
from .tasks import TaskRecord

__all__ = ["event_of", "iso", "show"]

_TIMES = (
    ("connectivityAt", "connectivity_at"),
    ("pullStartedAt", "pull_started_at"),
    ("pullStoppedAt", "pull_stopped_at"),
    ("startedAt", "started_at"),
    ("stoppingAt", "stopping_at"),
    ("executionStoppedAt", "execution_stopped_at"),
    ("stoppedAt", "stopped_at"),
)
_TIME_NAMES = frozenset(name for name, _ in _TIMES) | {"createdAt", "updatedAt"}
_INTERFACE = {Status.PROVISIONING: "PRECREATED", Status.STOPPED: "DELETED"}


def show(record: TaskRecord) -> dict[str, Any]:
    """Return the task as DescribeTasks shows it, without tags; the value is shared, so it is not to be changed."""
    life, cached = record.life, record.shown
    if cached is None or cached[0] is not life:
        cached = record.shown = (life, _render(record, life))
    return cached[1]


def event_of(record: TaskRecord, life: Life) -> TaskStateChange:
    """Return the event that tells of the task as it was in that life."""
    return TaskStateChange(record.place, record.arn, life.changed_at, partial(_event_detail, record, life))


def _event_detail(record: TaskRecord, life: Life) -> dict[str, Any]:
    # The page: the times are numbers in DescribeTasks and ISO strings in the event, which has updatedAt besides.
    detail = {**_render(record, life), "updatedAt": life.changed_at}
    return {name: iso(value) if name in _TIME_NAMES else value for name, value in detail.items()}


def iso(at: float) -> str:
    """Return a time as AWS writes it in text."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _render(record: TaskRecord, life: Life) -> dict[str, Any]:
    batch = record.batch
    interfaces: list[dict[str, str]] = []
    digest = hashlib.sha256(record.id.encode()).hexdigest()
    attachment = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
    address = f"10.{int(digest[32:34], 16)}.{int(digest[34:36], 16)}.{int(digest[36:38], 16)}"
    if life.status is not Status.PROVISIONING:
        interfaces = [{"attachmentId": attachment, "privateIpv4Address": address}]
    shown: dict[str, Any] = {
        "attachments": [_interface(record, life, attachment, address)],
        "attributes": [{"name": "ecs.cpu-architecture", "value": batch.architecture.lower()}],
        "availabilityZone": record.subnet.availability_zone,
        "clusterArn": batch.cluster_arn,
        "containers": [_container(record, each, attachment, interfaces) for each in life.containers],
        "cpu": str(batch.cpu),
        "createdAt": life.created_at,
        "desiredStatus": life.desired,
        "enableExecuteCommand": batch.execute_command,
        "group": batch.group,
        "healthStatus": "UNKNOWN",
        "lastStatus": life.status.value,
        "launchType": "FARGATE",
        "memory": str(batch.memory),
        "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": [], **batch.overrides},
        "platformVersion": batch.platform,
        "platformFamily": "Linux",
        "tags": [],
        "taskArn": record.arn,
        "taskDefinitionArn": batch.definition.arn,
        "version": life.version,
        "ephemeralStorage": {"sizeInGiB": batch.storage},
        "fargateEphemeralStorage": {"sizeInGiB": batch.storage},
    }
    if batch.launch_type is None:
        shown["capacityProviderName"] = record.provider
    if batch.started_by:
        shown["startedBy"] = batch.started_by
    _add_what_has_happened(shown, life)
    return shown


def _add_what_has_happened(shown: dict[str, Any], life: Life) -> None:
    for name, member in _TIMES:
        at = getattr(life, member)
        if at is not None:
            shown[name] = at
    if life.connectivity_at is not None:
        shown["connectivity"] = "CONNECTED"
    if life.stopping:
        if life.stop_code is not None:
            shown["stopCode"] = life.stop_code
        shown["stoppedReason"] = life.stopped_reason


def _interface(record: TaskRecord, life: Life, attachment: str, address: str) -> dict[str, Any]:
    details = [{"name": "subnetId", "value": record.subnet.id}]
    if life.status is not Status.PROVISIONING:
        details += [
            {"name": "networkInterfaceId", "value": f"eni-{attachment.replace('-', '')[:17]}"},
            {"name": "privateIPv4Address", "value": address},
        ]
    status = _INTERFACE.get(life.status, "ATTACHED")
    return {"id": attachment, "type": "ElasticNetworkInterface", "status": status, "details": details}


def _container(
    record: TaskRecord, life: ContainerLife, attachment: str, interfaces: list[dict[str, str]]
) -> dict[str, Any]:
    base = next(each for each in record.batch.definition.document["containerDefinitions"] if each["name"] == life.name)
    arn = record.arn.replace(":task/", ":container/")
    shown: dict[str, Any] = {
        "containerArn": f"{arn}/{attachment[:-12]}{crc32(life.name.encode()):012x}",
        "taskArn": record.arn,
        "name": life.name,
        "image": base["image"],
        "lastStatus": life.status,
        "networkInterfaces": interfaces,
        "networkBindings": [],
        "healthStatus": "UNKNOWN",
        "cpu": str(base["cpu"]),
    }
    for name, value in (
        ("imageDigest", life.digest),
        ("runtimeId", life.runtime_id),
        ("exitCode", life.exit_code),
        ("reason", life.reason),
        ("memory", str(base["memory"]) if base.get("memory") else None),
    ):
        if value is not None:
            shown[name] = value
    if record.batch.execute_command:
        agent = {"PENDING": "PENDING", "RUNNING": "RUNNING"}.get(life.status, "STOPPED")
        shown["managedAgents"] = [{"name": "ExecuteCommandAgent", "lastStatus": agent}]
    return shown
