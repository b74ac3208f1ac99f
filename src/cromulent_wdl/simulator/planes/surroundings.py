"""What a data plane that really runs tasks needs of the simulator around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...clock import Clock
from ..ecs.seam import Launch, Place
from ..ecs.timers import Timers

__all__ = ["CannotStart", "Surroundings"]

PutLines = Callable[[Place, str, str, Sequence[tuple[float, str]]], None]
"""Appends lines (epoch seconds, text) to the stream of a log group."""


@dataclass(frozen=True)
class Surroundings:
    """Where tasks live, and what they are given."""

    directory: Path
    """Holds `efs/<file system>/` and, while a task runs, `tasks/<task id>/`."""
    owner: str
    """Names this simulator on whatever it leaves on the machine."""
    clock: Clock
    timers: Timers
    put_lines: PutLines
    environment: Callable[[Launch], Mapping[str, str]]
    """What Fargate sets in a task's containers: region, credentials of its role; and the simulator's endpoint."""


class CannotStart(Exception):
    """A task cannot start; the message is its stoppedReason."""
