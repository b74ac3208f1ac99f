"""What a task can ask about itself: the task metadata endpoint, version 4 (ECS page
"task-metadata-endpoint-v4-fargate-response"), pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .lifecycle import ContainerLife
from .tasks import TaskRecord
from .view import iso

__all__ = ["container_metadata", "task_metadata"]


def task_metadata(record: TaskRecord) -> dict[str, Any]:
    """Return what `${ECS_CONTAINER_METADATA_URI_V4}/task` answers."""
    batch, life = record.batch, record.life
    document: dict[str, Any] = {
        "Cluster": batch.cluster_arn,
        "TaskARN": record.arn,
        "Family": batch.definition.family,
        "Revision": str(batch.definition.revision),
        "DesiredStatus": life.desired,
        "KnownStatus": life.status.value,
        "Limits": {"CPU": batch.cpu / 1024, "Memory": batch.memory},
        "AvailabilityZone": record.subnet.availability_zone,
        "LaunchType": "FARGATE",
        "EphemeralStorageMetrics": {"Utilized": 0, "Reserved": batch.storage * 1024},
        "Containers": [container_metadata(record, each) for each in life.containers],
    }
    if life.pull_started_at is not None:
        document["PullStartedAt"] = iso(life.pull_started_at)
    if life.pull_stopped_at is not None:
        document["PullStoppedAt"] = iso(life.pull_stopped_at)
    return document


def container_metadata(record: TaskRecord, life: ContainerLife) -> dict[str, Any]:
    """Return what `${ECS_CONTAINER_METADATA_URI_V4}` answers in a container."""
    definition = record.batch.definition
    documents: list[Mapping[str, Any]] = definition.document["containerDefinitions"]
    base = next(each for each in documents if each["name"] == life.name)
    return {
        "DockerId": life.runtime_id or "",
        "Name": life.name,
        "DockerName": life.name,
        "Image": base["image"],
        "ImageID": life.digest or "",
        "Labels": {
            "com.amazonaws.ecs.cluster": record.batch.cluster_arn,
            "com.amazonaws.ecs.container-name": life.name,
            "com.amazonaws.ecs.task-arn": record.arn,
            "com.amazonaws.ecs.task-definition-family": definition.family,
            "com.amazonaws.ecs.task-definition-version": str(definition.revision),
        },
        "DesiredStatus": record.life.desired,
        "KnownStatus": life.status,
        "Limits": {"CPU": base["cpu"] or record.batch.cpu, "Memory": base.get("memory") or record.batch.memory},
        "CreatedAt": iso(record.life.created_at),
        "Type": "NORMAL",
    }
