"""CloudFormation's drift detection: what somebody changed behind a stack's back. It changes nothing itself.

It reads the resources as its caller, who must be allowed to describe them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

__all__ = ["Detection", "Drifted", "begin", "drifted", "look"]


@dataclass(frozen=True)
class Detection:
    """How far a detection has come."""

    finished: bool
    whole: bool
    """Whether all resources that can be looked at were."""
    reason: str


@dataclass(frozen=True)
class Drifted:
    """A resource that is not as the template has it."""

    logical: str
    kind: str
    deleted: bool
    properties: tuple[str, ...]
    """Paths of properties that differ."""


def begin(access: Access, stack: str) -> str:
    """Have a stack looked at and return the detection's id."""
    with asking("looking for drift"):
        return _client(access).detect_stack_drift(StackName=stack)["StackDriftDetectionId"]


def look(access: Access, detection: str) -> Detection:
    """Return how far a detection has come."""
    with asking("looking for drift"):
        answer = _client(access).describe_stack_drift_detection_status(StackDriftDetectionId=detection)
    status = answer["DetectionStatus"]
    return Detection(
        status != "DETECTION_IN_PROGRESS", status == "DETECTION_COMPLETE", answer.get("DetectionStatusReason", "")
    )


def drifted(access: Access, stack: str) -> tuple[Drifted, ...]:
    """Return what the last detection found to differ."""
    found: list[Drifted] = []
    more: dict[str, Any] = {}
    while True:
        with asking("reading what has drifted"):
            answer = _client(access).describe_stack_resource_drifts(
                StackName=stack, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"], **more
            )
        for each in answer["StackResourceDrifts"]:
            paths = tuple(one["PropertyPath"] for one in each.get("PropertyDifferences", ()))
            gone = each["StackResourceDriftStatus"] == "DELETED"
            found.append(Drifted(each["LogicalResourceId"], each["ResourceType"], gone, paths))
        if not answer.get("NextToken"):
            return tuple(found)
        more = {"NextToken": answer["NextToken"]}


def _client(access: Access) -> CloudFormationClient:
    client: CloudFormationClient = access.client("cloudformation")
    return client
