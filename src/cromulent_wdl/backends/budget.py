"""What a run may cost: asked before each launch of a task that has a price."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..units import format_dollars

__all__ = ["Spent", "nothing", "over_budget"]

Spent = Callable[[Path], float]
"""Returns the dollars that the run in a directory has cost so far."""


def nothing(_: Path) -> float:
    """Return what a run costs that is not paid for."""
    return 0.0


def over_budget(spent: float, limit: float) -> str:
    """Return in a sentence that a run may launch no more, or nothing; a limit of 0 is none. Pure."""
    if not limit or spent < limit:
        return ""
    return f"stopped launching: {format_dollars(spent)} of {format_dollars(limit)} spent"
