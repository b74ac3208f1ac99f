"""What RunTask refuses, and the batch of tasks that it asks for.

(facts: RunTask; overrides; cpu/memory; RunTask: containers; RunTask: placement; task definition: inactive)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .answers import ApiError, invalid_parameter
from .clusters import Cluster, Strategy, check_strategy
from .definitions import Definition
from .seam import Subnet
from .sizes import DEFAULT_STORAGE, check_storage, parse_cpu, parse_memory, require_fargate_size
from .tags import Tags, from_request, merged

__all__ = ["Batch", "check_form", "plan_batch"]

_STARTED_BY = re.compile(r"[A-Za-z0-9_/-]{1,128}|AWS Step Functions")  # which says so of itself, spaces and all
_CLIENT_TOKEN = re.compile(r"[!-~]{1,64}")
_MOST_TASKS = 10
_MOST_OVERRIDES = 8192
_PLATFORMS = {"LATEST": "1.4.0", "1.4.0": "1.4.0", "1.3.0": "1.3.0"}

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Batch:
    """What the tasks of one RunTask call have in common; it is kept once for all of them."""

    cluster: str
    cluster_arn: str
    definition: Definition
    overrides: Document
    cpu: int
    memory: int
    storage: int
    task_role: str | None
    execution_role: str | None
    launch_type: str | None
    strategy: Strategy
    platform: str
    group: str
    started_by: str | None
    subnets: tuple[Subnet, ...]
    execute_command: bool
    tags: Tags
    public_ip: bool

    @property
    def architecture(self) -> str:
        """X86_64 or ARM64."""
        return str((self.definition.document.get("runtimePlatform") or {}).get("cpuArchitecture") or "X86_64")


def check_form(request: Document) -> None:
    """Refuse what no state of the world could make right."""
    if not 1 <= request.get("count", 1) <= _MOST_TASKS:
        raise invalid_parameter(f"Count must be between 1 and {_MOST_TASKS}.")
    if request.get("startedBy") and not _STARTED_BY.fullmatch(request["startedBy"]):
        raise invalid_parameter("startedBy must have at most 128 letters, numbers, hyphens, slashes and underscores.")
    if request.get("clientToken") and not _CLIENT_TOKEN.fullmatch(request["clientToken"]):
        raise invalid_parameter("clientToken must have at most 64 characters in the range 33-126.")
    if request.get("launchType") and request.get("capacityProviderStrategy"):
        raise invalid_parameter(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        )
    length = len(json.dumps(request.get("overrides") or {}, separators=(",", ":"), ensure_ascii=False))
    if length > _MOST_OVERRIDES:
        raise invalid_parameter(f"Container Overrides length must be at most {_MOST_OVERRIDES}")
    if request.get("placementConstraints") or request.get("placementStrategy"):
        raise invalid_parameter("Placement constraints and strategies are not supported on Fargate.")


def plan_batch(request: Document, cluster: Cluster, definition: Definition, subnets: tuple[Subnet, ...]) -> Batch:
    """Return the batch that a request of the right form asks for, or say why there can be none."""
    if definition.status != "ACTIVE":
        raise invalid_parameter("TaskDefinition is inactive")
    document = definition.document
    launch_type, strategy = _launch_type(request, cluster)
    if "FARGATE" not in document["compatibilities"]:
        raise invalid_parameter("Task definition does not support launch_type FARGATE.")
    overrides = request.get("overrides") or {}
    _check_names(overrides, definition)
    cpu = parse_cpu(overrides.get("cpu") or document["cpu"])
    memory = parse_memory(overrides.get("memory") or document["memory"])
    require_fargate_size(cpu, memory)
    task_role = overrides.get("taskRoleArn") or document.get("taskRoleArn")
    execute = bool(request.get("enableExecuteCommand"))
    if execute and not task_role:
        raise invalid_parameter(
            "The task couldn't be started because a valid taskRoleArn is not being used. "
            "Specify a valid task role in your task definition and try again."
        )
    return Batch(
        cluster=cluster.name,
        cluster_arn=cluster.arn,
        definition=definition,
        overrides=overrides,
        cpu=cpu,
        memory=memory,
        storage=_storage(overrides, document),
        task_role=task_role,
        execution_role=overrides.get("executionRoleArn") or document.get("executionRoleArn"),
        launch_type=launch_type,
        strategy=strategy,
        platform=_platform(request, document),
        group=request.get("group") or f"family:{definition.family}",
        started_by=request.get("startedBy"),
        subnets=subnets,
        execute_command=execute,
        tags=_tags(request, definition, cluster),
        public_ip=_network(request).get("assignPublicIp") == "ENABLED",
    )


def _launch_type(request: Document, cluster: Cluster) -> tuple[str | None, Strategy]:
    strategy: Strategy = request.get("capacityProviderStrategy") or ()
    launch_type = request.get("launchType")
    if not strategy and not launch_type:
        strategy = cluster.strategy
    if strategy:
        check_strategy(strategy, cluster.providers)
        return None, strategy
    if launch_type != "FARGATE":  # EC2 is ECS's default
        raise invalid_parameter("No Container Instances were found in your cluster.")
    return "FARGATE", ()


def _check_names(overrides: Document, definition: Definition) -> None:
    names = {container["name"] for container in definition.document["containerDefinitions"]}
    for override in overrides.get("containerOverrides") or ():
        if override.get("name") not in names:
            raise invalid_parameter(
                f"Override for container named {override.get('name')} is not a container in the TaskDefinition."
            )
        if override.get("resourceRequirements"):
            raise invalid_parameter("Resource requirements are not supported on Fargate.")


def _storage(overrides: Document, document: Document) -> int:
    if overrides.get("ephemeralStorage"):
        return check_storage(overrides["ephemeralStorage"]["sizeInGiB"])
    return int((document.get("ephemeralStorage") or {}).get("sizeInGiB") or DEFAULT_STORAGE)


def _platform(request: Document, document: Document) -> str:
    wanted = request.get("platformVersion") or "LATEST"
    if wanted not in _PLATFORMS:
        raise ApiError("PlatformUnknownException", "The specified platform does not exist.")
    version = _PLATFORMS[wanted]
    has_efs = any(volume.get("efsVolumeConfiguration") for volume in document["volumes"])
    if version == "1.3.0" and (has_efs or document.get("ephemeralStorage") or request.get("enableExecuteCommand")):
        raise ApiError(
            "PlatformTaskDefinitionIncompatibilityException",
            "One or more of the requested capabilities are not supported.",
        )
    return version


def _tags(request: Document, definition: Definition, cluster: Cluster) -> Tags:
    tags = from_request(request.get("tags") or ())
    propagate = request.get("propagateTags")
    if propagate == "SERVICE":
        raise invalid_parameter("Tags can be propagated from a service only to the tasks that it starts.")
    if propagate == "TASK_DEFINITION":
        tags = merged(definition.tags, tags)
    if request.get("enableECSManagedTags"):
        tags = {**tags, "aws:ecs:clusterName": cluster.name}
    return tags


def _network(request: Document) -> Document:
    return dict((request.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {})
