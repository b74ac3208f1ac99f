"""What tidying a disk has removed, or would."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

__all__ = ["Tidied"]


class Tidied(msgspec.Struct, frozen=True):
    """Bytes of each run, and of other things."""

    runs: Mapping[str, int] = {}
    in_part: tuple[str, ...] = ()
    """Runs of which something stays, since the call cache needs it."""
    inputs: int = 0
    input_bytes: int = 0
    results: int = 0
    """Entries of the call cache."""
