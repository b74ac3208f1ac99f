"""What RegisterTaskDefinition refuses. Rules and words (facts: task definition: size; task definition: Fargate;
task definition: roles; task definition: EFS; stopTimeout; ephemeralStorage)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .answers import client_error
from .sizes import check_storage, parse_cpu, parse_memory, require_fargate_size

__all__ = ["check_definition", "fits_fargate"]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_MOST_CONTAINERS = 10
_MOST_BYTES = 64 * 1024
_ECR = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/")
_STOP_TIMEOUT = range(2, 121)
_FARGATE_LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")

Document = Mapping[str, Any]


def check_definition(request: Document) -> None:
    """Raise an ApiError where ECS would not register the definition."""
    if not _NAME.fullmatch(request["family"]):
        raise client_error("Family contains invalid characters.")
    size = len(json.dumps(request, separators=(",", ":")).encode())
    if size > _MOST_BYTES:
        raise client_error(f"Actual length: '{size}'. Max allowed length is '{_MOST_BYTES}' bytes.")
    _check_containers(request["containerDefinitions"])
    volumes = _check_volumes(request.get("volumes") or ())
    for container in request["containerDefinitions"]:
        for mount in container.get("mountPoints") or ():
            if mount.get("sourceVolume") not in volumes:
                raise client_error(f"Unknown volume '{mount.get('sourceVolume')}'.")
    if "FARGATE" in (request.get("requiresCompatibilities") or ()):
        _check_fargate(request)


def fits_fargate(request: Document) -> bool:
    """Say whether a definition could run on Fargate though it does not ask for it ("compatibilities")."""
    return request.get("networkMode") == "awsvpc" and bool(request.get("cpu")) and bool(request.get("memory"))


def _check_containers(containers: Sequence[Document]) -> None:
    if not containers:
        raise client_error("Container list cannot be empty.")
    if len(containers) > _MOST_CONTAINERS:
        raise client_error(f"A task definition can have at most {_MOST_CONTAINERS} containers.")
    names = [str(container.get("name") or "") for container in containers]
    for name, container in zip(names, containers, strict=True):
        if not _NAME.fullmatch(name):
            raise client_error("Container.name contains invalid characters.")
        if not container.get("image"):
            raise client_error("Container.image should not be null or empty.")
        _check_variables(container)
    if len(set(names)) < len(names):
        raise client_error("Container names must be unique within a task definition.")
    if not any(container.get("essential", True) for container in containers):
        raise client_error("All tasks must have at least one essential container.")


def _check_variables(container: Document) -> None:
    for variable in container.get("environment") or ():
        if not variable.get("name"):
            raise client_error("Environment variable names cannot be empty.")


def _check_volumes(volumes: Sequence[Document]) -> frozenset[str]:
    names: set[str] = set()
    for volume in volumes:
        name = str(volume.get("name") or "")
        if not _NAME.fullmatch(name) or name in names:
            raise client_error(f"Volume name '{name}' is not valid or not unique.")
        names.add(name)
        if volume.get("efsVolumeConfiguration"):
            _check_efs(volume["efsVolumeConfiguration"])
    return frozenset(names)


def _check_efs(volume: Document) -> None:
    authorization = volume.get("authorizationConfig") or {}
    encrypted = volume.get("transitEncryption") == "ENABLED"
    if authorization.get("accessPointId"):
        if volume.get("rootDirectory") not in (None, "", "/"):
            raise client_error(
                'When using an EFS access point, the root directory must either be set to "/" or be omitted.'
            )
        if not encrypted:
            raise client_error("Transit encryption must be enabled when using an EFS access point.")
    if authorization.get("iam") == "ENABLED" and not encrypted:
        raise client_error("Transit encryption must be enabled when using IAM authorization.")


def _check_fargate(request: Document) -> None:
    if request.get("networkMode") != "awsvpc":
        raise client_error("Fargate only supports network mode ‘awsvpc’.")  # noqa: RUF001 - AWS's own quotes
    for name in ("cpu", "memory"):
        if not request.get(name):
            raise client_error(f"Fargate requires that '{name}' be defined at the task level.")
    memory = parse_memory(request["memory"])
    require_fargate_size(parse_cpu(request["cpu"]), memory)
    if request.get("ephemeralStorage"):
        check_storage(request["ephemeralStorage"]["sizeInGiB"])
    _check_task_members(request)
    for container in request["containerDefinitions"]:
        _check_fargate_container(container, memory, bool(request.get("executionRoleArn")))


def _check_task_members(request: Document) -> None:
    for name in ("inferenceAccelerators", "ipcMode"):
        if request.get(name):
            raise _not_on_fargate(name)
    if request.get("placementConstraints"):
        raise _not_on_fargate("constraints")
    for volume in request.get("volumes") or ():
        if volume.get("dockerVolumeConfiguration"):
            raise _not_on_fargate("dockerVolumeConfiguration")
        if (volume.get("host") or {}).get("sourcePath"):
            raise _not_on_fargate("sourcePath")


def _check_fargate_container(container: Document, task_memory: int, has_role: bool) -> None:
    if (container.get("memory") or container.get("memoryReservation") or 0) > task_memory:
        raise client_error(f"The 'memory' setting for container '{container['name']}' is greater than for the task.")
    if container.get("stopTimeout", _STOP_TIMEOUT[0]) not in _STOP_TIMEOUT:
        raise client_error("The stopTimeout of a container on Fargate must be between 2 and 120 seconds.")
    for name in ("privileged", "links", "extraHosts", "dockerSecurityOptions", "disableNetworking"):
        if container.get(name):
            raise _not_on_fargate(name)
    _check_linux(container.get("linuxParameters") or {})
    _check_gpu(container)
    driver = (container.get("logConfiguration") or {}).get("logDriver")
    if driver is not None and driver not in _FARGATE_LOG_DRIVERS:
        raise _not_on_fargate(f"log driver {driver}")
    if not has_role:
        _check_role_is_not_needed(container, driver)


def _check_role_is_not_needed(container: Document, driver: str | None) -> None:
    if driver == "awslogs":
        raise _needs_role("log driver awslogs")
    if _ECR.match(container["image"]):
        raise _needs_role("ECR images")
    if container.get("secrets"):
        raise client_error(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
        )


def _check_linux(parameters: Document) -> None:
    for name in ("devices", "maxSwap", "swappiness", "sharedMemorySize"):
        if parameters.get(name):
            raise _not_on_fargate(name)
    added = set((parameters.get("capabilities") or {}).get("add") or ()) - {"SYS_PTRACE"}
    if added:
        raise _not_on_fargate(f"capability {sorted(added)[0]}")


def _check_gpu(container: Document) -> None:
    for requirement in container.get("resourceRequirements") or ():
        raise _not_on_fargate(str(requirement["type"]))


def _not_on_fargate(name: str) -> Exception:
    return client_error(f"Fargate compatible task definitions do not support {name}.")


def _needs_role(what: str) -> Exception:
    return client_error(f"Fargate requires task definition to have execution role ARN to support {what}.")
