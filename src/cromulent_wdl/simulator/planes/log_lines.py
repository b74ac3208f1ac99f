"""What a container says, as lines in CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from ..ecs.seam import LogTarget, Place
from .surroundings import Surroundings

__all__ = ["ship"]

_LONGEST = 256 * 1024
"""Bytes of an event (facts: CloudWatch Logs); a longer line goes as several."""


def ship(said: Iterable[tuple[int, bytes]], place: Place, target: LogTarget | None, surroundings: Surroundings) -> None:
    """Send what comes by each stream as lines until nothing more comes; without a target it is read and forgotten."""
    if target is not None:  # the stream is there from the start, though nothing may be said
        surroundings.put_lines(Place(place.account, target.region), target.group, target.stream, [])
    rests: dict[int, bytes] = {}
    for stream, chunk in said:
        *lines, rest = (rests.get(stream, b"") + chunk).split(b"\n")
        while len(rest) >= _LONGEST:
            lines.append(rest[:_LONGEST])
            rest = rest[_LONGEST:]
        rests[stream] = rest
        _send(lines, place, target, surroundings)
    _send(list(rests.values()), place, target, surroundings)


def _send(lines: list[bytes], place: Place, target: LogTarget | None, surroundings: Surroundings) -> None:
    texts = [line.removesuffix(b"\r").decode(errors="replace") for line in lines]
    now = surroundings.clock.now()
    # An event cannot be empty (botocore, CloudWatch Logs, InputLogEvent.message), so empty lines are left out.
    events = [(now, text) for text in texts if text]
    if target is None or not events:
        return
    home = Place(place.account, target.region)
    put = partial(surroundings.put_lines, home, target.group, target.stream, events)
    if target.delay:
        surroundings.timers.after(target.delay, put)
    else:
        put()
