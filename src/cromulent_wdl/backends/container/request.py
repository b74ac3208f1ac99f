"""From a `Task` to the containers that it needs. Pure: no file is touched, no engine asked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...engine import Bind, ContainerRequest, EngineFacts, Image
from ...engine.request import CALL_LABEL, HEAD_LABEL, IMAGE_LABEL, RUN_LABEL
from ...model import Task
from ...storage.layout import USAGE
from ...units import MIB
from .wrapper import entrypoint

__all__ = ["Invoker", "heir", "refusal", "repair_request", "task_request"]

_LARGEST_ID = 2**31 - 1
_SMALLEST_LIMIT = 6 * MIB
"""Docker refuses less."""


@dataclass(frozen=True)
class Invoker:
    """The user on whose behalf tasks run, and the head that runs them."""

    uid: int
    gid: int
    head: str

    def owner(self, facts: EngineFacts) -> str:
        """Return `uid:gid` by which containers of the engine know the user."""
        return "0:0" if facts.rootless else f"{self.uid}:{self.gid}"


def refusal(task: Task, facts: EngineFacts, invoker: Invoker) -> str | None:
    """Return in one sentence why the task cannot run in the engine, or None."""
    if not task.images and task.dockerfile is None:
        return "the task names no image, and none is configured for tasks that do not"
    if task.as_user and not facts.rootless and max(invoker.uid, invoker.gid) > _LARGEST_ID:
        return f"tasks cannot run as you: user {invoker.uid}:{invoker.gid} is beyond the numbers that containers know"
    return None


def task_request(task: Task, image: Image, facts: EngineFacts, invoker: Invoker, unique: str) -> ContainerRequest:
    """Return the container of the task; `unique` ends its name."""
    needs = task.resources
    memory, limit = _memory(task, facts)
    return ContainerRequest(
        name=_name(task, unique),
        image=image.id,
        entrypoint=entrypoint(task.shell, heir(task, facts, invoker)),
        working_directory=f"{task.container_directory}/work",
        binds=_binds(task),
        labels=_labels(task, image, invoker),
        environment=task.environment,
        user=invoker.owner(facts) if task.as_user else "",
        groups=_groups(facts, invoker),
        cpu=min(needs.cpu, facts.cores) if facts.limits_cpu else 0,
        memory=memory,
        memory_limit=limit,
        network=task.network or "",
        gpu=needs.gpu and facts.gpu,
        all_capabilities=task.privileged,
        confined=not facts.selinux,
    )


def repair_request(task: Task, image: Image, facts: EngineFacts, invoker: Invoker, unique: str) -> ContainerRequest:
    """Return a container that gives the task's working directory to the invoking user."""
    work = f"{task.container_directory}/work"
    return ContainerRequest(
        name=_name(task, f"chown-{unique}"),
        image=image.id,
        entrypoint=("/bin/sh", "-c", 'chown -Rh "$1" .', "cromulent", invoker.owner(facts)),
        working_directory=work,
        binds=(Bind(str(task.work), work, writable=True),),
        labels=_labels(task, image, invoker),
        user="0:0",
        network="none",
        confined=not facts.selinux,
    )


def heir(task: Task, facts: EngineFacts, invoker: Invoker) -> str:
    """Return whom the working directory is given to at the end, or empty where all in it is his already."""
    if not task.return_ownership or task.as_user or (invoker.uid == 0 and not facts.rootless):
        return ""
    return invoker.owner(facts)


def _binds(task: Task) -> tuple[Bind, ...]:
    inside = task.container_directory
    inputs = () if task.inputs_copied else task.inputs
    return (
        Bind(str(task.command), f"{inside}/command"),
        Bind(str(task.stdout), f"{inside}/stdout.txt", writable=True),
        Bind(str(task.stderr), f"{inside}/stderr.txt", writable=True),
        Bind(str(task.directory / USAGE), f"{inside}/{USAGE}", writable=True),
        Bind(str(task.work), f"{inside}/work", writable=True),
        *(Bind(str(mount.host), mount.container) for mount in inputs),
    )


def _labels(task: Task, image: Image, invoker: Invoker) -> dict[str, str]:
    return {HEAD_LABEL: invoker.head, RUN_LABEL: task.run_id, CALL_LABEL: task.call, IMAGE_LABEL: image.name}


def _memory(task: Task, facts: EngineFacts) -> tuple[int, int]:
    """Return the bytes to keep and the bytes to be killed at; Docker wants the first to be the lesser."""
    if not facts.limits_memory:
        return 0, 0
    kept = max(task.resources.memory, _SMALLEST_LIMIT) if task.resources.memory else 0
    limit = max(task.resources.memory_limit, _SMALLEST_LIMIT) if task.resources.memory_limit else 0
    return min(kept, limit or kept), limit


def _groups(facts: EngineFacts, invoker: Invoker) -> tuple[str, ...]:
    """Return the invoking user's group, by which any user of an image can write into the working directory."""
    if facts.rootless:
        return ("0",)
    return (str(invoker.gid),) if invoker.gid <= _LARGEST_ID else ()


def _name(task: Task, unique: str) -> str:
    """Return a name for people, of the characters and the length that engines take, unique by its end."""
    words = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{task.run_id}-{task.call}").strip("-.")
    attempt = f"-{task.attempt}" if task.attempt > 1 else ""
    return f"cromulent-{words[:100]}{attempt}-{unique}"
