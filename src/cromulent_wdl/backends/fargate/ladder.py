"""Where a task is tried, one place after another: rungs as data. Pure.

Spot before on-demand, and both in one subnet before the next (facts: capacityProviderStrategy for RunTask):
ECS itself does not fall back. What no rung takes waits, then begins at the first again. Another service is more rungs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Rung", "pause_after", "providers", "rungs"]

ON_DEMAND = "FARGATE"
SPOT = "FARGATE_SPOT"
_LONGEST = 12
"""Times the first pause."""


@dataclass(frozen=True)
class Rung:
    """One place: a capacity provider of ECS, and a subnet, which is an availability zone."""

    provider: str
    subnet: str

    def __str__(self) -> str:
        return f"{'Spot' if self.provider == SPOT else 'on demand'} in {self.subnet}"


def providers(*, spot: bool) -> tuple[str, ...]:
    """Return the capacity providers of a task, the first that it would rather have first."""
    return (SPOT, ON_DEMAND) if spot else (ON_DEMAND,)


def rungs(subnets: Sequence[str], turn: int, *, spot: bool) -> tuple[Rung, ...]:
    """Return the rungs of a task; `turn` spreads tasks over the subnets."""
    first = turn % len(subnets)
    places = (*subnets[first:], *subnets[:first])
    return tuple(Rung(provider, subnet) for subnet in places for provider in providers(spot=spot))


def pause_after(round_: int, first: float) -> float:
    """Return for how many seconds to wait when all rungs were tried so many times in vain."""
    return first * min(_LONGEST, float(2 ** min(round_ - 1, 8)))
