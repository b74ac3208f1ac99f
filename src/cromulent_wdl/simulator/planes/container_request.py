"""From a container of a task to what the engine is asked for, pure."""

from __future__ import annotations

from collections.abc import Mapping

from ...engine import Bind, ContainerRequest, EngineFacts
from ...engine.request import HEAD_LABEL, IMAGE_LABEL
from ...units import MIB
from ..ecs.seam import ContainerPlan, Launch
from .surroundings import Places
from .volumes import user_of

__all__ = ["TASK_LABEL", "container_request"]

TASK_LABEL = "cromulent.simulator.task"


def container_request(
    launch: Launch,
    plan: ContainerPlan,
    image: str,
    places: Places,
    around: tuple[EngineFacts, str, Mapping[str, str]],
) -> ContainerRequest:
    """Return the request; `around` is the engine, the head's id and what Fargate would put in the environment.

    The network is the machine's: there the simulator is (ledger).
    """
    facts, owner, given = around
    return ContainerRequest(
        name=f"cromulent-simulator-{launch.task_id}-{plan.name}",
        image=image,
        entrypoint=plan.entry_point or (),
        command=plan.command or (),
        working_directory=plan.working_directory or "",
        binds=_binds(plan, places),
        labels={HEAD_LABEL: owner, IMAGE_LABEL: plan.image, TASK_LABEL: launch.task_arn},
        environment={**given, **plan.environment},
        user=_user(launch, plan),
        cpu=min(_cores(launch, plan), facts.cores) if facts.limits_cpu else 0,
        memory_limit=(plan.memory or launch.memory) * MIB if facts.limits_memory else 0,
        network="host",
        tmpfs={path: size * MIB for path, size in plan.tmpfs},
        read_only=plan.read_only_root,
        init=plan.init,
        confined=not facts.selinux,
    )


def _binds(plan: ContainerPlan, places: Places) -> tuple[Bind, ...]:
    """Return the volumes, and `/tmp` on the task's disk, unless something else is there or nothing may be written."""
    binds = [Bind(str(places.volumes[name]), path, writable=not only) for name, path, only in plan.mounts]
    taken = {path for _, path, _ in plan.mounts} | {path for path, _ in plan.tmpfs}
    if places.disk is not None and "/tmp" not in taken and not plan.read_only_root:
        binds.append(Bind(str(places.disk.temporary(plan.name)), "/tmp", writable=True))
    return tuple(binds)


def _cores(launch: Launch, plan: ContainerPlan) -> float:
    return (plan.cpu or launch.cpu) / 1024


def _user(launch: Launch, plan: ContainerPlan) -> str:
    point = user_of(launch, plan.name)
    if plan.user or point is None:
        return plan.user or ""
    return f"{point[0]}:{point[1]}"
