"""Batch's resource types, which ministack's CloudFormation lacks though its Batch has the operations."""

from __future__ import annotations

from typing import Any

from . import base, cloudformation
from .cloudformation import Properties

__all__ = ["repair"]

_NAME = 128


def repair() -> None:
    """Register the two types."""
    cloudformation.register("AWS::Batch::ComputeEnvironment", _ComputeEnvironment(), "map")
    cloudformation.register("AWS::Batch::JobQueue", _JobQueue(), "map")


class _ComputeEnvironment:
    """AWS::Batch::ComputeEnvironment. Ref and the attribute are the ARN."""

    def create(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        request = _compute_environment(properties)
        request.setdefault("computeEnvironmentName", cloudformation.physical_name(stack, logical_id, _NAME))
        arn = cloudformation.said(_batch()._create_compute_environment(request))["computeEnvironmentArn"]
        return arn, {"ComputeEnvironmentArn": arn}

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
    ) -> tuple[str, dict[str, Any]]:
        if any(old.get(name) != new.get(name) for name in ("ComputeEnvironmentName", "Type")):
            return self.create(logical_id, new, stack)
        record = _batch()._compute_envs[_short(physical_id)]
        request = _compute_environment(new)
        record.update({name: request[name] for name in ("state", "serviceRole", "computeResources") if name in request})
        record["tags"] = request.get("tags", {})
        return physical_id, {"ComputeEnvironmentArn": physical_id}

    def delete(self, physical_id: str, properties: Properties) -> None:
        for queue in _batch()._job_queues.values():
            if any(each.get("computeEnvironment") == physical_id for each in queue["computeEnvironmentOrder"]):
                raise ValueError("Cannot delete, found existing JobQueue relationship")
        _batch()._compute_envs.pop(_short(physical_id), None)


class _JobQueue:
    """AWS::Batch::JobQueue. Ref and the attribute are the ARN."""

    def create(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        request = cloudformation.request_of("batch", "CreateJobQueue", properties)
        request.setdefault("jobQueueName", cloudformation.physical_name(stack, logical_id, _NAME))
        for order in request.get("computeEnvironmentOrder", ()):
            if _short(order["computeEnvironment"]) not in _batch()._compute_envs:
                raise ValueError(f"computeEnvironment {order['computeEnvironment']} does not exist")
        arn = cloudformation.said(_batch()._create_job_queue(request))["jobQueueArn"]
        return arn, {"JobQueueArn": arn}

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
    ) -> tuple[str, dict[str, Any]]:
        if old.get("JobQueueName") != new.get("JobQueueName"):
            return self.create(logical_id, new, stack)
        request = cloudformation.request_of("batch", "CreateJobQueue", new)
        request.pop("jobQueueName", None)
        _batch()._job_queues[_short(physical_id)].update(request)
        return physical_id, {"JobQueueArn": physical_id}

    def delete(self, physical_id: str, properties: Properties) -> None:
        _batch()._job_queues.pop(_short(physical_id), None)


def _batch() -> Any:
    return base.module("services.batch")


def _short(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _compute_environment(properties: Properties) -> dict[str, Any]:
    known = {
        name: value for name, value in properties.items() if name not in ("ReplaceComputeEnvironment", "UpdatePolicy")
    }
    return cloudformation.request_of("batch", "CreateComputeEnvironment", known)
