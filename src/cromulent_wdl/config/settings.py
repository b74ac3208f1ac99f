"""Every setting of this project: its type, its default, and what it is for."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

__all__ = ["Settings", "help_of"]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of one run, resolved."""

    backend: Annotated[
        Literal["auto", "docker", "podman", "process", "fargate"],
        Meta(description="Where tasks run. auto takes the first of docker, podman and process that is there."),
    ] = "auto"
    progress: Annotated[
        Literal["auto", "live", "plain", "json"],
        Meta(description="How a run is shown on standard error. auto is live on a terminal, plain elsewhere."),
    ] = "auto"
    sandbox: Annotated[
        Literal["auto", "always", "never"],
        Meta(description="Whether process tasks run in bubblewrap. auto: where it works; always: refuse otherwise."),
    ] = "auto"
    process_for_images: Annotated[
        bool,
        Meta(description="Let auto run tasks that name an image without a container where there is no engine."),
    ] = False
    docker_host: Annotated[
        str, Meta(description="Address of Docker's engine; empty: DOCKER_HOST, then the usual sockets.")
    ] = ""
    podman_host: Annotated[
        str, Meta(description="Address of Podman's engine; empty: CONTAINER_HOST, then the usual sockets.")
    ] = ""
    pull_attempts: Annotated[
        int, Meta(ge=1, description="How often an image pull that failed for a passing reason is tried.")
    ] = 4
    retry_pause: Annotated[
        float,
        Meta(ge=0, description="Seconds before a failed task is tried again; doubles up to sixty times as much."),
    ] = 0.5
    stop_grace: Annotated[
        float, Meta(ge=0, description="Seconds between SIGTERM and SIGKILL when a process task is stopped.")
    ] = 2.0
    profile: Annotated[str, Meta(description="The AWS profile; empty: as the AWS CLI finds credentials.")] = ""
    region: Annotated[str, Meta(description="The AWS region; empty: as the AWS CLI finds it.")] = ""
    deployment: Annotated[str, Meta(description="The name of the deployment, which is its stack's.")] = "cromulent"
    spot: Annotated[bool, Meta(description="Whether Fargate tasks are tried on Spot first.")] = True
    preemptible: Annotated[
        int,
        Meta(ge=0, description="Losses of Spot after which a task goes on demand, unless runtime.preemptible says."),
    ] = 2
    memory_retry: Annotated[
        int, Meta(ge=0, description="How often a Fargate task that ran out of memory gets twice as much.")
    ] = 1
    task_timeout: Annotated[
        float,
        Meta(ge=0, description="Seconds that a Fargate task may take, unless runtime.timeout_minutes says; 0: any."),
    ] = 0.0
    max_cost: Annotated[
        float,
        Meta(ge=0, description="Dollars of a run's Fargate tasks at which no more are launched; 0: any."),
    ] = 0.0
    task_concurrency: Annotated[
        int, Meta(gt=0, description="Calls that run at once in the cloud, unless miniwdl's own option says.")
    ] = 2000
    started_by: Annotated[
        str, Meta(description="The run's name in ECS; empty: its id and a random end. For heads that others start.")
    ] = ""
    capacity_patience: Annotated[
        float,
        Meta(
            ge=0,
            description="Seconds for which a task waits for room in AWS, or for AWS to take calls, before it fails.",
        ),
    ] = 3600.0
    capacity_pause: Annotated[
        float,
        Meta(ge=0.01, description="Seconds before such a task is tried anew; doubles up to twelve times as much."),
    ] = 5.0
    room_pause: Annotated[
        float,
        Meta(ge=0, description="Seconds between two readings of quotas and free addresses while tasks wait for room."),
    ] = 60.0
    access_point_patience: Annotated[
        float, Meta(ge=0, description="Seconds for which a run's access point may take until it can be mounted.")
    ] = 60.0
    head_patience: Annotated[
        float, Meta(ge=0, description="Seconds for which a run's earlier head may take to be known as dead.")
    ] = 120.0
    head_pause: Annotated[float, Meta(gt=0, description="Seconds between two looks at whether it is dead.")] = 0.5
    stop_patience: Annotated[float, Meta(ge=0, description="Seconds for which a stopped ECS task is waited for.")] = (
        180.0
    )
    stop_timeout: Annotated[
        int,
        Meta(ge=2, le=120, description="Seconds that a Fargate task has to end when it is stopped, or Spot takes it."),
    ] = 120
    deadline_grace: Annotated[
        float, Meta(ge=1, description="Seconds that it has to end when its time is over, or it was given up.")
    ] = 10.0
    fence_pause: Annotated[
        float, Meta(ge=1, description="Seconds between two looks of a task at whether it was given up.")
    ] = 20.0
    result_wait: Annotated[
        float,
        Meta(ge=0, description="Seconds that an ended task's result and files may take to show on the shared disk."),
    ] = 60.0
    killed_wait: Annotated[
        float,
        Meta(ge=0, description="The same of the result of a task that was killed, which has most likely left none."),
    ] = 10.0
    log_wait: Annotated[
        float,
        Meta(ge=0, description="Seconds after its end for which lines of a task's log may come, if it left nothing."),
    ] = 10.0
    log_pause: Annotated[float, Meta(gt=0, description="Seconds between two looks at such a log.")] = 1.0
    call_pause_most: Annotated[
        float,
        Meta(
            ge=0, description="Seconds, at most, before a call of ECS that failed is made anew; at first retry_pause."
        ),
    ] = 20.0
    lost_after: Annotated[
        float, Meta(ge=0, description="Seconds for which ECS may not know a task before it is lost.")
    ] = 120.0
    stuck_after: Annotated[
        float, Meta(ge=0, description="Seconds for which ECS may not notice that a task has ended.")
    ] = 60.0
    poll_least: Annotated[float, Meta(gt=0, description="Seconds between two looks at a young ECS task.")] = 1.0
    poll_most: Annotated[float, Meta(gt=0, description="Seconds between two looks at an old one.")] = 10.0
    head_image: Annotated[
        str, Meta(description="Image of heads, with python3 for Linux on x86_64; empty: a stock Python of Docker's.")
    ] = ""
    head_cpu: Annotated[str, Meta(description="CPU units of a head on Fargate.")] = "1024"
    head_memory: Annotated[str, Meta(description="MiB of memory of a head on Fargate.")] = "2048"
    vpc: Annotated[str, Meta(description="Your VPC for a new deployment; empty: one of its own.")] = ""
    subnets: Annotated[
        tuple[str, ...], Meta(description="Its subnets, one a zone: public, or private with a way out by NAT.")
    ] = ()
    file_system: Annotated[str, Meta(description="Your EFS file system; empty: one of its own.")] = ""
    mount: Annotated[
        str, Meta(description="Where the file system is mounted here; empty: found in the mount table.")
    ] = ""
    mount_root: Annotated[
        str, Meta(description="The directory of the file system that is mounted there; empty: the access point's.")
    ] = ""
    security_group: Annotated[str, Meta(description="Security group of Fargate tasks; empty: the deployment's.")] = ""
    default_cpu: Annotated[float, Meta(ge=0.25, le=16, description="vCPUs of Fargate tasks that declare no cpu.")] = 1.0
    default_memory: Annotated[
        int, Meta(ge=512, le=122880, description="MiB of memory of Fargate tasks that declare none.")
    ] = 2048
    bucket: Annotated[str, Meta(description="Your bucket; empty: one of its own.")] = ""
    read_buckets: Annotated[tuple[str, ...], Meta(description="More buckets that runs may read.")] = ()
    secrets: Annotated[tuple[str, ...], Meta(description="ARNs of secrets that tasks may be given.")] = ()
    task_secrets: Annotated[
        tuple[str, ...], Meta(description="Secrets that Fargate tasks find in their environment, each TASK.NAME=ARN.")
    ] = ()
    task_policies: Annotated[
        tuple[str, ...], Meta(description="ARNs of policies that tasks get; without, they may only mount their files.")
    ] = ()
    registries: Annotated[
        tuple[str, ...], Meta(description="Secrets that open private registries, each HOST=ARN of Secrets Manager.")
    ] = ()
    image_digests: Annotated[
        bool, Meta(description="Whether registries are asked for the digests of images before Fargate tasks start.")
    ] = True
    registry_wait: Annotated[
        float,
        Meta(gt=0, description="Seconds for which a registry may be silent before images go by their names alone."),
    ] = 5.0
    permissions_boundary: Annotated[str, Meta(description="ARN of the boundary of every role that is made.")] = ""
    roles: Annotated[
        tuple[str, ...], Meta(description="Roles made beforehand, each KIND=ARN: execution, task, head, states, rule.")
    ] = ()
    tags: Annotated[tuple[str, ...], Meta(description="Tags of all that a deployment is made of, each KEY=VALUE.")] = ()
    log_retention: Annotated[int, Meta(description="Days for which logs are kept in CloudWatch.")] = 30
    kms_key: Annotated[str, Meta(description="ARN of your key for files, bucket and logs; empty: AWS's.")] = ""


def help_of(name: str) -> str:
    """Return the description of a setting."""
    for field in msgspec.inspect.type_info(Settings).fields:  # type: ignore[attr-defined]
        if field.name == name:
            return str(field.type.extra_json_schema["description"])
    raise KeyError(name)
