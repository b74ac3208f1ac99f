"""What a task's ailments change in what is asked of the data plane and heard from it, pure."""

from __future__ import annotations

from dataclasses import replace

from .faults import START_FAILURES, Ailments
from .seam import ContainerExit, Launch
from .tasks import TaskRecord

__all__ = ["delayed_logs", "ending_with", "holds_back", "no_address", "start_failure"]

_PENDING_FAILURES = tuple(kind for kind in START_FAILURES if kind != "eni_timeout")
_OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
_PLATFORMS = {"X86_64": "amd64", "ARM64": "arm64"}


def start_failure(record: TaskRecord) -> str | None:
    """Return why the task cannot start, if one of its ailments says so."""
    kind = next((each for each in _PENDING_FAILURES if each in record.ailments), None)
    if kind is None:
        return None
    image = record.batch.definition.document["containerDefinitions"][0]["image"]
    platform = _PLATFORMS[record.batch.architecture]
    return START_FAILURES[kind].replace("{image}", image).replace("{platform}", platform)


def no_address(record: TaskRecord) -> str:
    """Return why the task of a full subnet cannot start (facts: network)."""
    public = "with public IP assignment enabled " if record.batch.public_ip else ""
    return (
        f"Unexpected EC2 error while attempting to Create Network Interface {public}in subnet '{record.subnet.id}': "
        "InsufficientFreeAddressesInSubnet"
    )


def ending_with(ailments: Ailments, ending: ContainerExit) -> ContainerExit:
    """Return a container's end as ECS hears of it (facts: OOM)."""
    if "no_exit_code" in ailments:
        return ContainerExit(None, ending.reason)
    if "out_of_memory" in ailments:
        return ContainerExit(ailments["out_of_memory"].exit_code, _OUT_OF_MEMORY)
    return ending


def holds_back(ailments: Ailments) -> float | None:
    """Return for how many seconds ECS does not hear of an end: 0 until somebody stops the task, None not at all.

    PID 1 has exited, yet nobody notices (facts: stays RUNNING).
    """
    return ailments["stays_running"].after if "stays_running" in ailments else None


def delayed_logs(launch: Launch, ailments: Ailments) -> Launch:
    """Return the launch with its log lines late, if they are to be."""
    fault = ailments.get("late_logs")
    if fault is None:
        return launch
    containers = tuple(
        each if each.log is None else replace(each, log=replace(each.log, delay=fault.after))
        for each in launch.containers
    )
    return replace(launch, containers=containers)
