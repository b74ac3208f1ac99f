"""What befalls one run in the cloud, and when, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum

__all__ = ["Blow", "Peril", "Perils", "perils_of"]


class Blow(Enum):
    """One thing that happens from outside."""

    HEAD_KILLED = "head-killed"
    STOPPED = "stopped"
    """Its execution, by somebody at the console."""
    HEAD_CUT_OFF = "head-cut-off"
    WATCHER_KILLED = "watcher-killed"
    WATCHER_CUT_OFF = "watcher-cut-off"


_BLOWS = tuple(Blow)
_BEFORE = tuple(blow for blow in Blow if blow is not Blow.STOPPED)
"""What may happen to a run that goes on after it."""
_LONG_CUT = 45.0
"""Seconds: longer than botocore tries on its own."""
_CALM = 3
"""Seeds, those of CI, in which nothing is cut off for so long."""


@dataclass(frozen=True)
class Peril:
    """A blow, so many seconds after the one before it."""

    blow: Blow
    after: float
    length: float
    """Seconds for which something is cut off."""
    silent: bool
    """Whether that is as where packets are lost; else connections are refused."""


@dataclass(frozen=True)
class Perils:
    """All that befalls a run."""

    seed: int
    blows: tuple[Peril, ...]
    real: bool
    """Whether head and tasks are containers."""

    @property
    def stopped(self) -> bool:
        """Whether somebody stops the execution."""
        return any(peril.blow is Blow.STOPPED for peril in self.blows)

    def __str__(self) -> str:
        blows = "-".join(peril.blow.value for peril in self.blows)
        return f"{self.seed}-{blows}{'-containers' if self.real else ''}"


def perils_of(seed: int) -> Perils:
    """Return what befalls the run of a seed: each kind in turn, with others; each fifth run is one of containers."""
    chances = random.Random(seed)
    blows = [_BLOWS[seed % len(_BLOWS)], *chances.choices(_BEFORE, k=chances.randint(0, 2))]
    chances.shuffle(blows)
    blows.sort(key=lambda blow: blow is Blow.STOPPED)
    perils = tuple(_peril(blow, chances, long=seed >= _CALM) for blow in blows)
    round_of, kind = divmod(seed, len(_BLOWS))
    return Perils(seed, perils, real=kind == (round_of + 3) % len(_BLOWS))  # another kind in each round


def _peril(blow: Blow, chances: random.Random, *, long: bool) -> Peril:
    length = _LONG_CUT if long and chances.random() < 0.15 else round(chances.uniform(1, 10), 1)
    return Peril(blow, round(chances.uniform(0.3, 6), 1), length, chances.random() < 0.5)
