"""How a strategy splits a batch of tasks over capacity providers, pure (botocore, CapacityProviderStrategyItem)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["split"]


def split(strategy: Sequence[Mapping[str, Any]], count: int) -> list[str]:
    """Return the capacity provider of each of `count` tasks: the base first, then by weight.

    One provider alone needs no weight. Weights split a batch; they are no fallback when a provider has no capacity
    (facts: capacityProviderStrategy for RunTask).
    """
    placed: list[str] = []
    for item in strategy:
        placed += [item["capacityProvider"]] * min(item.get("base") or 0, count - len(placed))
    weights = {item["capacityProvider"]: item.get("weight") or 0 for item in strategy}
    if len(weights) == 1:
        weights = dict.fromkeys(weights, 1)
    given = dict.fromkeys(weights, 0)
    while len(placed) < count:
        # Whoever is furthest behind its share is next; the order of the strategy settles ties.
        provider = min((name for name in weights if weights[name]), key=lambda name: (given[name] + 1) / weights[name])
        given[provider] += 1
        placed.append(provider)
    return placed
