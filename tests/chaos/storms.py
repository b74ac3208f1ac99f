"""What goes wrong in one run, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from cromulent_wdl.model import Ending
from cromulent_wdl.simulator.ecs.fault_plan import REQUEST_KINDS, Kind

__all__ = ["Storm", "storm_of"]

_SHARE = 0.2
"""Of the occasions go wrong, whether one thing can or everything."""
_KINDS: tuple[str, ...] = tuple(sorted(get_args(Kind)))
_MANNERS: Mapping[str, Mapping[str, Any]] = {
    "spot_interruption": {"after": 0.2, "warning": 0.5},
    "host_lost": {"after": 0.2},
    "missing": {"after": 1.0},
    "stays_running": {"after": 0.1},
    "late_logs": {"after": 0.5},
}
_ENDINGS: Mapping[str, frozenset[Ending]] = {
    "pull_not_found": frozenset({Ending.PULL_PERMANENT}),
    "pull_wrong_architecture": frozenset({Ending.PULL_PERMANENT}),
    "pull_disk_full": frozenset({Ending.DISK_FULL}),
    "pull_rate_limit": frozenset({Ending.PULL_TRANSIENT}),
    "efs_mount": frozenset({Ending.MOUNT}),
    "eni_timeout": frozenset({Ending.NETWORK}),
    "out_of_memory": frozenset({Ending.OOM}),
    "spot_interruption": frozenset({Ending.SPOT}),
    "host_lost": frozenset({Ending.LOST}),
    "missing": frozenset({Ending.LOST}),
    "no_exit_code": frozenset({Ending.LOST}),
    "empty_containers": frozenset({Ending.LOST, Ending.PULL_TRANSIENT, Ending.NETWORK}),
    "capacity": frozenset({Ending.CAPACITY}),
    "throttling": frozenset({Ending.THROTTLED}),
}
"""With what a run may end that met so much of it that no retry was left; what is not here must never end one."""


@dataclass(frozen=True)
class Storm:
    """One run's weather."""

    seed: int
    kinds: tuple[str, ...]
    real: bool
    """Whether tasks really run, the wrapper in them."""
    tasks: int
    kills: tuple[float, ...]
    """Seconds into each head's life after which it is killed; the one after the last lives."""

    @property
    def faults(self) -> list[dict[str, Any]]:
        """What the simulator is told."""
        share = _SHARE / len(self.kinds)
        return [_fault(kind, share) for kind in self.kinds]

    @property
    def endings(self) -> frozenset[Ending]:
        """With what the run may fail."""
        return frozenset().union(*(_ENDINGS.get(kind, frozenset()) for kind in self.kinds))

    def __str__(self) -> str:
        weather = self.kinds[0] if len(self.kinds) == 1 else "everything"
        return f"{self.seed}-{weather}-{'real' if self.real else 'played'}-{len(self.kills)}-kills"


def _fault(kind: str, share: float) -> dict[str, Any]:
    everywhere = {"family": None} if kind in REQUEST_KINDS else {}
    return {"kind": kind, "probability": share, **_MANNERS.get(kind, {}), **everywhere}


def storm_of(seed: int, kills: int) -> Storm:
    """Return the weather of a seed: every other one of everything, each fifth with tasks that really run."""
    chances = random.Random(seed)
    real = seed % 5 == 0
    kinds = _KINDS if seed % 2 == 0 else (_KINDS[(seed // 2) % len(_KINDS)],)
    moments = tuple(round(chances.uniform(0.8, 4.0), 2) for _ in range(kills))
    return Storm(seed, kinds, real, 40 if real else 200, moments)
