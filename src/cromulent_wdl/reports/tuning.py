"""What calls asked for against what they used, over any number of runs, and the smallest size that would do.

The sizes are Fargate's, as they are what is paid for; on this machine they are as good a request as any.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..backends.fargate.sizes import Size, defaulted, size_for
from ..model import Ending, Resources, Usage
from ..pricing.bill import Size as Billed
from ..pricing.bill import hourly
from ..pricing.card import Rates
from ..runs.status import Attempt, RunStatus
from ..units import GIB, MIB
from .attempts import disk_given, given, launched_of
from .graph import path_of

__all__ = ["MARGIN", "Advice", "Use", "advice_of", "overrides_of", "uses_of"]

MARGIN = 0.25
"""So much more than the highest use is asked for, by default."""
_LEAST_SEEN = 1.0
"""Seconds below which the processor time of a command says nothing."""
_AFTER_OOM = 1.5
"""A call that ran out of memory gets at least so many times what it had."""
_NEAR = 0.95
"""A peak so near to what it had is too near, although nothing happened."""
_Number = TypeVar("_Number", int, float)
_DEFAULTS = (1024, 2048)
"""Units of cpu and MiB that a task has on Fargate which asks for neither."""


@dataclass(frozen=True)
class Use:
    """All calls of one name, over all runs."""

    name: str
    """As the inputs of the workflow name it: `align`, `inner.count`."""
    calls: int
    seconds: float
    """Of their commands, together."""
    cpu: float | None
    """The most cores that any had for itself, None where none was set."""
    memory: int | None
    """The most bytes."""
    disk: int | None
    cpu_used: float | None
    """The most cores that any kept busy on average."""
    memory_used: int | None
    """The highest peak, in bytes."""
    disk_used: int | None
    out_of_memory: int = 0
    """The most bytes at which one was killed."""
    partly: bool = False
    """Whether the peak is only that of the largest process."""
    architecture: str = "X86_64"
    spot: bool = False

    @property
    def measured(self) -> bool:
        """Whether anything is known of what they used."""
        return self.memory_used is not None or self.cpu_used is not None or bool(self.out_of_memory)


@dataclass(frozen=True)
class Advice:
    """What to ask for instead."""

    use: Use
    before: Size
    after: Size
    dollars: float
    """What all of its calls would have cost less, at the region's prices; below zero where they need more."""
    part: float
    """The same as a part of what they cost."""

    @property
    def changes(self) -> bool:
        """Whether anything is to be changed."""
        return self.before != self.after


def uses_of(runs: Iterable[RunStatus]) -> list[Use]:
    """Return what was used, name by name; calls that did not run, or of which nothing was measured, are left out."""
    groups: dict[str, list[Attempt]] = {}
    for status in runs:
        lone = status.started is not None and status.started.kind == "task"
        for call in status.calls.values():
            name = "" if lone else ".".join(path_of(call.path))
            ended = [attempt for attempt in call.attempts if _counts(attempt)]
            if ended:
                groups.setdefault(name, []).extend(ended)
    return [_use(name, attempts) for name, attempts in groups.items()]


def _counts(attempt: Attempt) -> bool:
    return attempt.ended is not None and attempt.ended.ending in (Ending.OK, Ending.OOM)


def _use(name: str, attempts: Sequence[Attempt]) -> Use:
    had = [given(attempt) for attempt in attempts]
    used = [_usage(attempt) for attempt in attempts]
    launched = launched_of(attempts[-1])
    oom = [
        memory or 0
        for attempt, (_, memory) in zip(attempts, had, strict=True)
        if attempt.ended is not None and attempt.ended.ending is Ending.OOM
    ]
    return Use(
        name,
        sum(attempt.ended is not None and attempt.ended.ending is Ending.OK for attempt in attempts),
        sum(usage.seconds or 0.0 for usage in used),
        _most(cpu for cpu, _ in had),
        _most(memory for _, memory in had),
        _most(map(disk_given, attempts)),
        _most(_busy(usage) for usage in used),
        _most(usage.memory_peak for usage in used),
        _most(usage.disk_peak for usage in used),
        max(oom, default=0),
        any(usage.source == "rusage" for usage in used),
        launched.architecture if launched is not None else "X86_64",
        launched is not None and launched.place == "spot",
    )


def _usage(attempt: Attempt) -> Usage:
    return attempt.ended.usage if attempt.ended is not None else Usage()


def _busy(usage: Usage) -> float | None:
    if usage.cpu_seconds is None or usage.seconds is None or usage.seconds < _LEAST_SEEN:
        return None
    return usage.cpu_seconds / usage.seconds


def _most(values: Iterable[_Number | None]) -> _Number | None:
    return max((value for value in values if value is not None), default=None)


def advice_of(use: Use, rates: Rates, margin: float = MARGIN) -> Advice | None:
    """Return what such calls should ask for; None where nothing was measured, or no size of Fargate holds them."""
    before = _before(use) if use.measured else None
    if before is None:
        return None
    after = _after(use, before, margin)
    if after is None:
        return None
    old, new = _dollars(before, use, rates), _dollars(after, use, rates)
    return Advice(use, before, after, old - new, (old - new) / old if old else 0.0)


def _before(use: Use) -> Size | None:
    asked = Resources(cpu=round(use.cpu or 0), memory=int(use.memory or 0))
    return size_for(*defaulted(asked, *_DEFAULTS), use.disk or 0)


def _after(use: Use, before: Size, margin: float) -> Size | None:
    """Return the smallest size; whole cores, since WDL's `cpu` is, and nothing less where nothing was measured."""
    cpu = before.cpu if use.cpu_used is None else max(1, -(-round(use.cpu_used * 100) // 100)) * 1024
    memory = before.memory if use.memory_used is None else -(-round(use.memory_used * (1 + margin)) // MIB)
    if memory > before.memory and (use.memory_used or 0) < _NEAR * before.memory * MIB:
        memory = before.memory  # it was enough, and the margin is for asking for less
    memory = max(memory, -(-round(use.out_of_memory * _AFTER_OOM) // MIB))
    disk = before.disk * GIB
    if use.disk_used is not None:
        disk = min(disk, round(use.disk_used * (1 + margin)))  # it was enough
    return size_for(cpu, memory, disk)


def _dollars(size: Size, use: Use, rates: Rates) -> float:
    billed = Billed(size.vcpus, size.memory * MIB, size.disk, use.architecture, use.spot)
    return hourly(billed, rates).total * use.seconds / 3600


def overrides_of(workflow: str, advice: Iterable[Advice]) -> Mapping[str, str | int]:
    """Return what `run -i` takes: the runtime of each call that is to ask for something else."""
    overrides: dict[str, str | int] = {}
    for each in advice:
        key = ".".join(filter(None, [workflow, each.use.name, "runtime"]))
        if each.after.cpu != each.before.cpu:
            overrides[f"{key}.cpu"] = max(1, round(each.after.vcpus))
        if each.after.memory != each.before.memory:
            overrides[f"{key}.memory"] = f"{each.after.memory * MIB / GIB:g} GiB"
        if each.after.disk != each.before.disk:
            overrides[f"{key}.disks"] = f"local-disk {each.after.disk} SSD"
    return overrides
