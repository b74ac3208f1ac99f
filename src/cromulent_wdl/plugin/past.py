"""What the earlier heads of a run have told of it in its journal, as far as the next head has to know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ..model import CallCached, CallEnded, EcsTaskLaunched, Event, Outcome, RunEnded, TaskEnded, TaskImage
from ..units import GIB

__all__ = ["Past", "past_of"]

Attempts = Mapping[int, Outcome]
"""How attempts at one call ended, by their numbers."""


class Past(msgspec.Struct, frozen=True):
    """What came before."""

    images: Mapping[str, str] = {}
    """The digests of the images that tasks had, by their names, the first of each: a name stands for one image
    throughout a run, also where its registry does not answer the later head."""
    attempts: Mapping[str, Attempts] = {}
    """Those that have ended, at each call that has not."""


def past_of(events: Iterable[Event]) -> Past:
    """Return what a journal says. Pure.

    An attempt that a second head has taken over may have ended twice: the last word counts. A call that has ended, or
    whose run has, begins anew where it is done again.
    """
    images: dict[str, str] = {}
    attempts: dict[str, dict[int, Outcome]] = {}
    launches: dict[str, dict[int, EcsTaskLaunched]] = {}
    for event in events:
        if isinstance(event, TaskImage):
            if event.digest:
                images.setdefault(event.image, event.digest)
        elif isinstance(event, EcsTaskLaunched):
            launches.setdefault(event.call, {})[event.attempt] = event
        elif isinstance(event, TaskEnded):
            had = launches.get(event.call, {}).get(event.attempt)
            attempts.setdefault(event.call, {})[event.attempt] = _outcome(event, had)
        elif isinstance(event, CallEnded | CallCached):
            attempts.pop(event.call, None)
            launches.pop(event.call, None)
        elif isinstance(event, RunEnded):
            attempts.clear()
    return Past(images, attempts)


def _outcome(ended: TaskEnded, had: EcsTaskLaunched | None) -> Outcome:
    return Outcome(
        ended.ending,
        ended.exit_code,
        ended.message,
        ended.usage,
        memory=had.memory if had else 0,
        disk=had.storage * GIB if had else 0,
    )
