"""What a data plane that really runs tasks needs of the simulator around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...clock import Clock
from ..ecs.seam import ContainerPlan, Launch, Place
from ..ecs.timers import Timers
from .disks import Disk, Disks

__all__ = ["CannotStart", "Places", "Surroundings"]

PutLines = Callable[[Place, str, str, Sequence[tuple[float, str]]], None]
"""Appends lines (epoch seconds, text) to the stream of a log group; with none the stream is only made."""


@dataclass(frozen=True)
class Surroundings:
    """Where tasks live, and what they are given."""

    directory: Path
    """Holds `tasks/<task id>/` while a task runs, and all else that goes with the simulator."""
    files: Path
    """Holds a directory for each file system of EFS."""
    owner: str
    """The id of the head (backends/heads.py) that cleans up after us: on all containers and processes."""
    clock: Clock
    timers: Timers
    put_lines: PutLines
    environment: Callable[[Launch, ContainerPlan], Mapping[str, str]]
    """What Fargate sets in a container: region, where credentials and metadata are; and the simulator's endpoint."""
    disks: Disks | None = None
    """What makes ephemeral storage of a size, where that can be made."""


@dataclass(frozen=True)
class Places:
    """Where a task's containers find what they mount: each volume's directory, and the task's disk if it has one."""

    volumes: Mapping[str, Path]
    disk: Disk | None = None


class CannotStart(Exception):
    """A task cannot start; the message is its stoppedReason."""
