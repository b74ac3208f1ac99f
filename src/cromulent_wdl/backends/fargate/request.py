"""What ECS is asked: task definitions, and launches by them. Pure.

A definition holds all that RunTask cannot override, so there are as many as images times runs, however many the tasks.
What differs from task to task (size, storage, the script's path) travels as overrides.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ...aws.decode import CONTAINER
from ...aws.deployments import RUN_TAG, TAG
from ...model import Deployment
from .sizes import SMALLEST_DISK, Size
from .window import FILES

__all__ = [
    "ARCHITECTURES",
    "LONGEST_OVERRIDES",
    "Blueprint",
    "Launch",
    "definition_of",
    "family_of",
    "launch_of",
]

LONGEST_OVERRIDES = 2048
"""Characters; ECS takes 8,192, its own JSON included (facts: overrides)."""
CALL_TAG = "cromulent:call"
STREAM_PREFIX = "task"
ARCHITECTURES = {"amd64": "X86_64", "arm64": "ARM64"}
# botocore, Tag: letters, digits, spaces and these
_NO_TAG = re.compile(r"[^\w \-+=.:/@]")


@dataclass(frozen=True)
class Blueprint:
    """What makes a task definition: tasks that agree in all of this share one."""

    image: str
    """With its digest where that is known."""
    architecture: str
    user: str
    """`uid:gid`, or empty for the image's own."""
    access_point: str
    """The run's."""
    run_directory: str
    registry_secret: str
    """ARN of the secret that opens the image's registry, or empty."""
    secrets: tuple[tuple[str, str], ...]
    """Variables of the command, each with the ARN of the secret that ECS sets it to."""
    stop_timeout: int = 120
    """Seconds from SIGTERM to SIGKILL; 120 are the most, and all that Spot's warning leaves (facts: stopTimeout)."""


@dataclass(frozen=True)
class Launch:
    """One start of one task."""

    definition: str
    size: Size
    script: str
    provider: str
    subnet: str
    security_group: str
    token: str
    started_by: str
    call: str


def family_of(deployment: Deployment, blueprint: Blueprint) -> str:
    """Return the family's name: the same for the same content, whoever asks."""
    content = {**asdict(blueprint), "of": _of_deployment(deployment), "form": 1}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"{deployment.name}_{digest[:32]}"


def _of_deployment(deployment: Deployment) -> list[str]:
    return [
        deployment.file_system,
        deployment.access_point,
        deployment.log_group,
        deployment.execution_role,
        deployment.task_role,
    ]


def definition_of(deployment: Deployment, blueprint: Blueprint, run: str) -> dict[str, Any]:
    """Return what RegisterTaskDefinition is asked."""
    return {
        "family": family_of(deployment, blueprint),
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "1024",
        "memory": "2048",
        "executionRoleArn": deployment.execution_role,
        "taskRoleArn": deployment.task_role,
        "runtimePlatform": {
            "cpuArchitecture": ARCHITECTURES[blueprint.architecture],
            "operatingSystemFamily": "LINUX",
        },
        "containerDefinitions": [_container(deployment, blueprint)],
        "volumes": [
            _volume("run", deployment.file_system, blueprint.access_point),
            _volume("files", deployment.file_system, deployment.access_point),
        ],
        "tags": _tags({TAG: deployment.name, RUN_TAG: run}),
    }


def _container(deployment: Deployment, blueprint: Blueprint) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": blueprint.image,
        "essential": True,
        "entryPoint": ["/bin/sh"],
        "command": ["-c", "exit 0"],
        "stopTimeout": blueprint.stop_timeout,
        "mountPoints": [
            {"sourceVolume": "run", "containerPath": blueprint.run_directory, "readOnly": False},
            {"sourceVolume": "files", "containerPath": FILES, "readOnly": True},
        ],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": deployment.log_group,
                "awslogs-region": deployment.region,
                "awslogs-stream-prefix": STREAM_PREFIX,
            },
        },
    }
    if blueprint.user:
        container["user"] = blueprint.user
    if blueprint.registry_secret:
        container["repositoryCredentials"] = {"credentialsParameter": blueprint.registry_secret}
    if blueprint.secrets:
        container["secrets"] = [{"name": name, "valueFrom": arn} for name, arn in blueprint.secrets]
    return container


def _volume(name: str, file_system: str, access_point: str) -> dict[str, Any]:
    return {
        "name": name,
        "efsVolumeConfiguration": {
            "fileSystemId": file_system,
            "transitEncryption": "ENABLED",
            "authorizationConfig": {"accessPointId": access_point, "iam": "ENABLED"},
        },
    }


def launch_of(deployment: Deployment, launch: Launch) -> dict[str, Any]:
    """Return what RunTask is asked."""
    overrides: dict[str, Any] = {
        "cpu": str(launch.size.cpu),
        "memory": str(launch.size.memory),
        "containerOverrides": [{"name": CONTAINER, "command": [launch.script]}],
    }
    if launch.size.disk > SMALLEST_DISK:
        overrides["ephemeralStorage"] = {"sizeInGiB": launch.size.disk}
    length = len(json.dumps(overrides))
    assert length < LONGEST_OVERRIDES, f"overrides of {length} characters"
    return {
        "cluster": deployment.cluster,
        "taskDefinition": launch.definition,
        "count": 1,
        "capacityProviderStrategy": [{"capacityProvider": launch.provider, "weight": 1}],
        "platformVersion": "1.4.0",
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": [launch.subnet],
                "securityGroups": [launch.security_group],
                "assignPublicIp": "ENABLED" if deployment.assign_public_ip else "DISABLED",
            }
        },
        "overrides": overrides,
        "clientToken": launch.token,
        "startedBy": launch.started_by,
        "enableECSManagedTags": True,
        "propagateTags": "TASK_DEFINITION",
        "tags": _tags({CALL_TAG: launch.call}),
    }


def _tags(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": _NO_TAG.sub(":", value)[:256]} for key, value in values.items()]
