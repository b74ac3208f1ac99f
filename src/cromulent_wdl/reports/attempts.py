"""An attempt in words: how long, where, with what."""

from __future__ import annotations

from ..model import EcsTaskLaunched
from ..pricing.bill import FREE_STORAGE
from ..runs.status import Attempt
from ..units import GIB, format_duration, format_memory

__all__ = ["circumstances", "disk_given", "given", "launched_of", "place_of", "took"]


def circumstances(attempt: Attempt) -> str:
    """Say where an attempt ran and with what: `on Fargate Spot in eu-west-1, with 4 vCPU and 8 GiB`."""
    return ", ".join(filter(None, [_place(attempt), _given(attempt)]))


def took(attempt: Attempt) -> str:
    """Say how long an attempt's command took; nothing where it did not begin."""
    ended = attempt.ended
    if ended is None or attempt.started_at is None:
        return ""
    return format_duration(ended.usage.seconds or ended.at - attempt.started_at)


def _given(attempt: Attempt) -> str:
    launched = launched_of(attempt)
    if launched is not None:
        storage = f", {launched.storage} GiB of disk" if launched.storage > FREE_STORAGE else ""
        return f"with {launched.cpu:g} vCPU and {format_memory(launched.memory)}{storage}"
    placed = attempt.placed
    if placed is None:
        return ""
    cores = f"{placed.cpu} core{'s' if placed.cpu > 1 else ''}" if placed.cpu else ""
    memory = format_memory(placed.memory_limit or placed.memory) if placed.memory_limit or placed.memory else ""
    return "with " + " and ".join(filter(None, [cores, memory])) if cores or memory else ""


def launched_of(attempt: Attempt) -> EcsTaskLaunched | None:
    """Return the last ECS task that was launched for the attempt."""
    return next((task.launched for task in reversed(list(attempt.ecs_tasks.values())) if task.launched), None)


def _place(attempt: Attempt) -> str:
    where = place_of(attempt)
    preposition = "on" if where.startswith("Fargate") else "in"
    return f"{preposition} {where}" + (f" ({attempt.image})" if attempt.image else "") if where else ""


def place_of(attempt: Attempt) -> str:
    """Say where an attempt ran: `Docker here`, `Fargate Spot in eu-west-1`; nothing where it was not placed."""
    launched, placed = launched_of(attempt), attempt.placed
    if launched is not None:
        return f"Fargate{' Spot' if launched.place == 'spot' else ''} in {launched.region}"
    if placed is None:
        return ""
    return {"process": "a process here", "fargate": "Fargate"}.get(
        placed.backend, f"{placed.backend.capitalize()} here"
    )


def given(attempt: Attempt) -> tuple[float | None, int | None]:
    """Return the cores and the bytes of memory that an attempt had for itself; None where no limit was set."""
    launched = launched_of(attempt)
    if launched is not None:
        return launched.cpu, launched.memory
    placed = attempt.placed
    if placed is None:
        return None, None
    return placed.cpu or None, placed.memory_limit or placed.memory or None


def disk_given(attempt: Attempt) -> int | None:
    """Return the bytes of disk that an attempt had or asked for; None or 0 where it did not say."""
    launched = launched_of(attempt)
    if launched is not None:
        return launched.storage * GIB
    return attempt.placed.disk if attempt.placed is not None else None
