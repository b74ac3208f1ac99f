"""What is to go wrong, as a small file says it (TOML or JSON), frozen.

::

    seed = 7
    [[faults]]
    kind = "spot_interruption"      # what: see `Kind`
    probability = 0.1               # when: by chance, or on = [3, 5] (the n-th time), or every = 10; else always
    after = 2.0                     # seconds into the life of the task, or the length of what lasts
    warning = 1.0                   # Spot: from the warning to the kill (120 on AWS)

`action`, `family` and `provider` narrow what a fault may strike, and only such occasions are counted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

__all__ = ["REQUEST_KINDS", "TASK_KINDS", "Fault", "FaultPlan", "Kind", "read_plan"]

Kind = Literal[
    "throttling",
    "server_error",
    "connection_reset",
    "answer_lost",
    "latency",
    "capacity",
    "missing",
    "eni_timeout",
    "empty_containers",
    "pull_rate_limit",
    "pull_not_found",
    "pull_wrong_architecture",
    "pull_disk_full",
    "efs_mount",
    "spot_interruption",
    "host_lost",
    "out_of_memory",
    "no_exit_code",
    "stays_running",
    "late_logs",
]

REQUEST_KINDS = frozenset(("throttling", "server_error", "connection_reset", "answer_lost", "latency"))
"""`connection_reset` cuts before the request is carried out, `answer_lost` after; `latency` answers `after` seconds."""
TASK_KINDS = frozenset(Kind.__args__) - REQUEST_KINDS - {"capacity"}  # type: ignore[attr-defined]  # of a Literal


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong, and when."""

    kind: Kind
    probability: float | None = None
    on: tuple[int, ...] = ()
    every: int | None = None
    times: int | None = None
    """At most so often."""
    action: str | None = None
    family: str | None = None
    """A shell pattern on the task definition's family."""
    provider: Literal["FARGATE", "FARGATE_SPOT"] | None = None
    after: float = 0.0
    warning: float | None = None
    stop_code: str | None = "InfrastructureHealth"
    """Of `host_lost`; null leaves it out."""
    exit_code: int = 137
    """Of `out_of_memory`: 0 where a child of the main process was killed."""


class FaultPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is to go wrong, and the seed of its chances."""

    seed: int = 0
    faults: tuple[Fault, ...] = ()


def read_plan(file: Path) -> FaultPlan:
    """Return the plan in a TOML or JSON file; msgspec.DecodeError or ValidationError says what is wrong with it."""
    content = file.read_bytes()
    if file.suffix == ".json":
        return msgspec.json.decode(content, type=FaultPlan)
    return msgspec.toml.decode(content, type=FaultPlan)
