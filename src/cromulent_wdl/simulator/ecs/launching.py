"""From a task to what a data plane is asked to run: overrides applied, volumes resolved.

What is missing at this point fails the task, not the request, as on Fargate (facts: EFS mount failure; awslogs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .run_request import Batch
from .seam import (
    ContainerPlan,
    FileAccess,
    Launch,
    LogTarget,
    Place,
    PullRefused,
    SecretUnavailable,
    Subnet,
    VolumePlan,
    World,
)

__all__ = ["CannotLaunch", "container_plans", "launch_of"]

_DEFAULT_STOP_TIMEOUT = 30

Document = Mapping[str, Any]


_NO_GROUP = "ResourceNotFoundException"


class CannotLaunch(Exception):
    """The task cannot start; the message is its stoppedReason."""


def launch_of(world: World, place: Place, batch: Batch, task: tuple[str, str], where: tuple[Subnet, bool]) -> Launch:
    """Return the launch of the task (ARN, id) in (a subnet, on Spot or not), or raise CannotLaunch."""
    arn, task_id = task
    subnet, spot = where
    document = batch.definition.document
    volumes = tuple(_volume(world, place, each, (subnet, batch.task_role)) for each in document["volumes"])
    return Launch(
        place=place,
        task_arn=arn,
        task_id=task_id,
        definition_arn=batch.definition.arn,
        family=batch.definition.family,
        cpu=batch.cpu,
        memory=batch.memory,
        storage=batch.storage,
        architecture=batch.architecture,
        spot=spot,
        task_role_arn=batch.task_role,
        containers=tuple(_within(each, volumes) for each in container_plans(world, place, batch, task_id)),
        volumes=volumes,
    )


def container_plans(world: World, place: Place, batch: Batch, task_id: str) -> tuple[ContainerPlan, ...]:
    """Return the task's containers with the overrides applied."""
    overrides = {each["name"]: each for each in batch.overrides.get("containerOverrides") or ()}
    _check_pulls(world, place, batch)
    return tuple(
        _container(
            each,
            overrides.get(each["name"], {}),
            _log(world, place, batch, each, task_id),
            _secrets(world, place, batch, each),
        )
        for each in batch.definition.document["containerDefinitions"]
    )


def _check_pulls(world: World, place: Place, batch: Batch) -> None:
    """Refuse images that the execution role may not pull, or whose registry's secret it may not fetch."""
    role = batch.execution_role or ""
    try:
        for each in batch.definition.document["containerDefinitions"]:
            world.check_pull(place, role, each["image"])
            if registry := each.get("repositoryCredentials"):
                world.secret(place, role, registry["credentialsParameter"])
    except (PullRefused, SecretUnavailable) as refused:
        raise CannotLaunch(str(refused)) from refused


def _secrets(world: World, place: Place, batch: Batch, container: Document) -> dict[str, str]:
    """Return the variables whose values are secrets (facts: secrets)."""
    role = batch.execution_role or ""  # a definition with secrets has one
    try:
        return {each["name"]: world.secret(place, role, each["valueFrom"]) for each in container.get("secrets") or ()}
    except SecretUnavailable as unavailable:
        raise CannotLaunch(str(unavailable)) from unavailable


def _within(plan: ContainerPlan, volumes: tuple[VolumePlan, ...]) -> ContainerPlan:
    """Return a container that mounts read-only what its task may not write to."""
    bound = {volume.name for volume in volumes if volume.read_only}
    return replace(plan, mounts=tuple((name, path, only or name in bound) for name, path, only in plan.mounts))


def _container(base: Document, override: Document, log: LogTarget | None, secrets: Mapping[str, str]) -> ContainerPlan:
    variables = {**secrets}
    variables |= {each["name"]: each.get("value", "") for each in base.get("environment") or ()}
    variables |= {each["name"]: each.get("value", "") for each in override.get("environment") or ()}
    linux = base.get("linuxParameters") or {}
    command = override.get("command") or base.get("command")
    return ContainerPlan(
        name=base["name"],
        image=base["image"],
        essential=base["essential"],
        entry_point=tuple(base["entryPoint"]) if base.get("entryPoint") else None,
        command=tuple(command) if command else None,
        environment=variables,
        working_directory=base.get("workingDirectory"),
        user=base.get("user"),
        cpu=override.get("cpu") or base["cpu"],
        memory=override.get("memory") or base.get("memory"),
        stop_timeout=base.get("stopTimeout") or _DEFAULT_STOP_TIMEOUT,
        mounts=tuple(
            (each["sourceVolume"], each["containerPath"], bool(each.get("readOnly"))) for each in base["mountPoints"]
        ),
        tmpfs=tuple((each["containerPath"], each["size"]) for each in linux.get("tmpfs") or ()),
        read_only_root=bool(base.get("readonlyRootFilesystem")),
        init=bool(linux.get("initProcessEnabled")),
        log=log,
    )


def _log(world: World, place: Place, batch: Batch, container: Document, task_id: str) -> LogTarget | None:
    configuration = container.get("logConfiguration") or {}
    if configuration.get("logDriver") != "awslogs":
        return None
    options = configuration.get("options") or {}
    group, region = str(options.get("awslogs-group", "")), str(options.get("awslogs-region", ""))
    for name, value in (("awslogs-group", group), ("awslogs-region", region)):
        if not value:
            raise CannotLaunch(
                "ResourceInitializationError: failed to validate logger args: unable to get awslogs driver arguments: "
                f"{name} is required"
            )
    # (facts: awslogs stream)
    stream = "/".join((options.get("awslogs-stream-prefix") or "ecs", container["name"], task_id))
    refusal = world.log_refusal(Place(place.account, region), batch.execution_role or "", group, stream)
    if refusal is not None and not (options.get("awslogs-create-group") == "true" and _NO_GROUP in refusal):
        raise CannotLaunch(
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
            f"failed to create Cloudwatch log stream: {refusal}"
        )
    return LogTarget(group, stream, region)


def _volume(world: World, place: Place, volume: Document, task: tuple[Subnet, str | None]) -> VolumePlan:
    """Return a volume as a task in a subnet, with a role, may have it."""
    subnet, role = task
    efs = volume.get("efsVolumeConfiguration")
    if efs is None:
        return VolumePlan(volume["name"])
    file_system = efs["fileSystemId"]
    found = world.file_system(place, file_system)
    if found is None or subnet.availability_zone not in found.mount_target_zones:
        raise _efs_failure(
            f'Failed to resolve "{file_system}.efs.{place.region}.amazonaws.com" - check that your file system ID is '
            "correct, and ensure that the VPC has an EFS mount target for this file system ID. See "
            "https://docs.aws.amazon.com/console/efs/mount-dns-name for more detail. Attempting to lookup mount target "
            "ip address using botocore. Failed to import necessary dependency botocore, please install botocore first.",
            code=1,
        )
    authorization = efs.get("authorizationConfig") or {}
    point = authorization.get("accessPointId")
    access_point = world.access_point(place, point) if point is not None else None
    known = point is None or (access_point is not None and access_point.file_system == file_system)
    access = world.file_access(place, role if authorization.get("iam") == "ENABLED" else None, file_system, point)
    if not known or access is FileAccess.NONE:
        raise _efs_failure("b'mount.nfs4: access denied by server while mounting 127.0.0.1:/'", code=32)
    directory = efs["rootDirectory"] if access_point is None else access_point.root_directory
    return VolumePlan(volume["name"], file_system, directory, access_point, access is FileAccess.READ)


def _efs_failure(words: str, code: int) -> CannotLaunch:
    return CannotLaunch(
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: "
        f"stderr: {words} : unsuccessful EFS utils command execution; code: {code}"
    )
