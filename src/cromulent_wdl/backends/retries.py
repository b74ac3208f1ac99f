"""Which endings are tried again in a cloud, at whose expense, and with what: one table. Pure.

Only FAILED is the command's own: that is retried by the engine, up to `maxRetries`, and never here. The rest is the
provider's doing, or a matter of size, and costs the call nothing; each ending has a count of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..model import Ending, Outcome
from ..units import GIB, format_memory

__all__ = ["Again", "Allowances", "History", "again"]

_SMALLEST_DISK = 20 * GIB


class Allowances(msgspec.Struct, frozen=True):
    """What the user grants."""

    preemptible: int = 0
    """Losses of Spot before the task goes on demand."""
    memory: int = 1
    """How often memory is doubled."""
    pause: float = 0.5
    """Seconds, of which all pauses are multiples."""
    failures: int = 0
    """How often the engine tries again what is the command's own doing: `maxRetries`."""


class Again(msgspec.Struct, frozen=True):
    """How an attempt is repeated."""

    why: str
    pause: float = 0.0
    memory: int = 0
    """Bytes to ask for; 0 for as many as before."""
    disk: int = 0
    """The same of disk."""


class _Free(msgspec.Struct, frozen=True):
    """An ending that is retried at no cost: how often, and after how many times the user's pause, which doubles."""

    times: int
    pause: int


_FREE: Mapping[Ending, _Free] = {
    Ending.NETWORK: _Free(4, 10),
    Ending.PULL_TRANSIENT: _Free(5, 30),
    Ending.THROTTLED: _Free(5, 20),
    Ending.MOUNT: _Free(3, 20),
    Ending.LOST: _Free(3, 2),
}
_LONGEST_PAUSE = 240


class History(msgspec.Struct, frozen=True):
    """How earlier attempts at the call ended, the last one included."""

    counts: Mapping[Ending, int] = {}

    def plus(self, ending: Ending) -> History:
        """Return the history with one more."""
        return History({**self.counts, ending: self.counts.get(ending, 0) + 1})


def again(outcome: Outcome, history: History, allowances: Allowances) -> Again | None:
    """Return how to repeat the attempt that ended so, or None where that is not for us to do."""
    if outcome.final:
        return None
    count, said = history.counts.get(outcome.ending, 0), outcome.message
    if outcome.ending is Ending.SPOT:
        of = allowances.preemptible
        more = "again on Spot" if count < of else "now on demand"
        return Again(f"{said} ({min(count, of)} of {of}): {more}") if count <= of + 1 else None
    if outcome.ending is Ending.OOM and outcome.memory and count <= allowances.memory:
        memory = 2 * outcome.memory
        return Again(f"{said}: again with {format_memory(memory)}", memory=memory)
    if outcome.ending is Ending.DISK_FULL and count == 1:
        disk = 2 * max(outcome.disk, _SMALLEST_DISK)
        return Again(f"{said}: again with {disk // GIB} GiB of disk", disk=disk)
    free = _FREE.get(outcome.ending)
    if free is None or count > free.times:
        return None
    pause = allowances.pause * min(_LONGEST_PAUSE, free.pause * 2 ** (count - 1))
    return Again(f"{said}: again in {pause:g} s ({count} of {free.times})", pause=pause)
