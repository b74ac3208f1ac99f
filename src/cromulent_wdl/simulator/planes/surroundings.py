"""What a data plane that really runs tasks needs of the simulator around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...clock import Clock
from ..ecs.seam import ContainerPlan, Launch, Place
from ..ecs.timers import Timers

__all__ = ["CannotStart", "Surroundings"]

_METADATA = "ECS_CONTAINER_METADATA_URI_V4"
PutLines = Callable[[Place, str, str, Sequence[tuple[float, str]]], None]
"""Appends lines (epoch seconds, text) to the stream of a log group."""


@dataclass(frozen=True)
class Surroundings:
    """Where tasks live, and what they are given."""

    directory: Path
    """Holds `efs/<file system>/` and, while a task runs, `tasks/<task id>/`."""
    owner: str
    """The id of the head (backends/heads.py) that cleans up after us: on all containers and processes."""
    clock: Clock
    timers: Timers
    put_lines: PutLines
    environment: Callable[[Launch], Mapping[str, str]]
    """What Fargate sets in a task's containers: region, credentials of its role; and the simulator's endpoint.

    The address of the task's metadata (ECS_CONTAINER_METADATA_URI_V4) gets the container's name at its end.
    """

    def given_to(self, launch: Launch, plan: ContainerPlan) -> dict[str, str]:
        """Return what a container finds in its environment beside what its definition says."""
        given = dict(self.environment(launch))
        if _METADATA in given:
            given[_METADATA] += f"/{plan.name}"
        return given


class CannotStart(Exception):
    """A task cannot start; the message is its stoppedReason."""
