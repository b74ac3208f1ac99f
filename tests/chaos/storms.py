"""What goes wrong in one run, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from cromulent_wdl.model import Ending
from cromulent_wdl.simulator.ecs.fault_plan import REQUEST_KINDS, Kind

__all__ = ["KINDS", "Kill", "Storm", "storm_of"]

KINDS: tuple[str, ...] = tuple(sorted(get_args(Kind)))
_SHARE = 0.2
"""Of the occasions go wrong, whether one thing can or everything."""
_MANNERS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "latency": {"after": (0.05, 1.0)},
    "spot_interruption": {"after": (0.0, 1.0), "warning": (0.1, 1.0)},
    "host_lost": {"after": (0.0, 1.0)},
    "missing": {"after": (0.2, 4.0)},
    "stays_running": {"after": (0.1, 2.0)},
    "late_logs": {"after": (0.1, 2.0)},
}
"""Seconds, between which they are drawn for a storm; a task is lost to the tests' settings after two."""
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
_FOR_GOOD = frozenset({"pull_not_found", "pull_wrong_architecture", "pull_disk_full", "out_of_memory"})
"""Kinds of which few are too many for a run: in every other storm all the rest come together."""
_ALONE = (1, 3, 7, 9)
"""The last digits of seeds with one fault, and 200 tasks that are played; those of 5 have tasks that really run."""
_STARTING = 3.0
"""Seconds that a head may take until its journal begins."""
_JOURNAL_A_TASK = 2500
"""Bytes."""


@dataclass(frozen=True)
class Kill:
    """When a head is killed: once its journal has grown by so much, and then so many seconds later."""

    growth: int
    seconds: float


@dataclass(frozen=True)
class Storm:
    """One run's weather."""

    seed: int
    kinds: tuple[str, ...]
    real: bool
    """Whether tasks really run, the wrapper in them."""
    tasks: int
    kills: tuple[Kill, ...]
    """Of one head each; the one after the last lives."""
    faults: tuple[Mapping[str, Any], ...]
    """What the simulator is told."""

    @property
    def endings(self) -> frozenset[Ending]:
        """With what the run may fail."""
        return frozenset().union(*(_ENDINGS.get(kind, frozenset()) for kind in self.kinds))

    def __str__(self) -> str:
        weather = self.kinds[0] if len(self.kinds) == 1 else "everything" if self.kinds == KINDS else "all-that-passes"
        return f"{self.seed}-{weather}-{'real' if self.real else 'played'}-{len(self.kills)}-kills"


def storm_of(seed: int, kills: int) -> Storm:
    """Return the weather of a seed: every other one of everything, or all that passes; each fifth with real tasks.

    Any fifty seeds in a row that begin with a multiple of fifty have each fault alone, with 200 tasks.
    """
    chances = random.Random(seed)
    real = seed % 5 == 0
    kinds = _kinds(seed, kills)
    tasks = 40 if real else 200
    faults = tuple(_fault(kind, _SHARE / len(kinds), real, chances) for kind in kinds)
    return Storm(seed, kinds, real, tasks, tuple(_kill(tasks, chances) for _ in range(kills)), faults)


def _kinds(seed: int, kills: int) -> tuple[str, ...]:
    if seed % 2 == 0:
        return KINDS if seed % 4 == 2 else tuple(kind for kind in KINDS if kind not in _FOR_GOOD)
    decade, digit = divmod(seed, 10)
    turn = decade * len(_ALONE) + _ALONE.index(digit) if digit in _ALONE else 7 * decade + 3 * bool(kills)
    return (KINDS[turn % len(KINDS)],)


def _fault(kind: str, share: float, real: bool, chances: random.Random) -> Mapping[str, Any]:
    manner = {name: round(chances.uniform(*between), 2) for name, between in _MANNERS.get(kind, {}).items()}
    if kind == "stays_running" and real:
        manner = {}  # for ever: that such a task has ended is known from its result, which a played one does not leave
    everywhere = {"family": None} if kind in REQUEST_KINDS else {}
    return {"kind": kind, "probability": share, **manner, **everywhere}


def _kill(tasks: int, chances: random.Random) -> Kill:
    """Return a moment: one in three while the head starts, the others while it goes about its work."""
    if chances.random() < 1 / 3:
        return Kill(0, round(chances.uniform(0.0, _STARTING), 3))
    return Kill(round(chances.uniform(1, tasks * _JOURNAL_A_TASK)), round(chances.uniform(0.0, 0.1), 3))
