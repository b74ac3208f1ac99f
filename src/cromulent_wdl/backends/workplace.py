"""What every local backend is built from."""

from __future__ import annotations

import msgspec

from ..clock import SYSTEM, Clock
from ..config import Settings
from .budget import Spent, nothing
from .heads import Head

__all__ = ["Workplace"]


class Workplace(msgspec.Struct, frozen=True):
    """The settings, the head on whose behalf tasks run, and the clock."""

    settings: Settings
    head: Head
    clock: Clock = SYSTEM
    spent: Spent = nothing
    """Asked where the settings limit what a run may cost."""
