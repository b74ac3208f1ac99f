"""Waiting in tests for what happens elsewhere, in another thread or process."""

from __future__ import annotations

from collections.abc import Callable

from cromulent_wdl.clock import SYSTEM
from tests.programs import PATIENCE

__all__ = ["eventually"]


def eventually(condition: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Return whether the condition comes true in time, looking often."""
    end = SYSTEM.monotonic() + seconds
    while not condition():
        if SYSTEM.monotonic() > end:
            return False
        SYSTEM.sleep(0.01)
    return True
