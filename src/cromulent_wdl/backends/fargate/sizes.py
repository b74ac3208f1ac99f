"""Which of Fargate's sizes holds a task. Pure (facts: cpu/memory; ephemeralStorage)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ...model import Resources
from ...units import GIB, MIB, format_bytes, format_memory

__all__ = ["LARGEST_DISK", "SMALLEST_DISK", "Size", "defaulted", "no_size", "rounding", "size_for"]

_SIZES = {
    # cpu units: the least and the most memory in GiB, and its step
    256: (0.5, 2, 0),
    512: (1, 4, 1),
    1024: (2, 8, 1),
    2048: (4, 16, 1),
    4096: (8, 30, 1),
    8192: (16, 60, 4),
    16384: (32, 120, 8),
}
UNITS = 1024
"""Of cpu, a vCPU."""
SMALLEST_DISK = 20
LARGEST_DISK = 200
"""GiB of ephemeral storage."""


@dataclass(frozen=True)
class Size:
    """What Fargate gives: cpu in units of 1/1024 vCPU, memory in MiB, disk in GiB."""

    cpu: int
    memory: int
    disk: int = SMALLEST_DISK

    @property
    def vcpus(self) -> float:
        """The size's vCPUs."""
        return self.cpu / UNITS

    def __str__(self) -> str:
        disk = f" {self.disk} GiB disk" if self.disk > SMALLEST_DISK else ""
        return f"{self.vcpus:g} vCPU {format_memory(self.memory * MIB)}{disk}"


def _memories(cpu: int) -> Iterator[int]:
    least, most, step = _SIZES[cpu]
    if not step:  # 0.25 vCPU doubles
        yield from (512, 1024, 2048)
        return
    memory = int(least)
    while memory <= most:
        yield memory * 1024
        memory += step


def _all() -> Iterator[tuple[int, int]]:
    for cpu in _SIZES:
        for memory in _memories(cpu):
            yield cpu, memory


def defaulted(resources: Resources, cpu: int, memory: int) -> tuple[int, int]:
    """Return the units of cpu and the MiB that a task wants; what it does not declare is the default's."""
    wanted = max(resources.memory, resources.memory_limit)
    return (resources.cpu * UNITS or cpu), (-(-wanted // MIB) or memory)


@lru_cache
def size_for(cpu: int, memory: int, disk: int = 0) -> Size | None:
    """Return the smallest size that holds so many units of cpu, MiB, and bytes of disk; None where none does."""
    storage = max(SMALLEST_DISK, -(-disk // GIB))
    if storage > LARGEST_DISK:
        return None
    fitting = ((c, m) for c, m in _all() if c >= cpu and m >= memory)
    found = min(fitting, default=None)
    return None if found is None else Size(*found, storage)


def no_size(cpu: int, memory: int, disk: int = 0) -> str:
    """Return in one sentence why no size holds that, and what the nearest is."""
    if -(-disk // GIB) > LARGEST_DISK:
        return f"it asks for {format_bytes(disk)} of disk, and Fargate has {LARGEST_DISK} GiB at most"
    nearest = Size(16384, max(m for m in _memories(16384) if m <= max(memory, 32 * 1024)))
    asked = f"{cpu / UNITS:g} cpu and {format_memory(memory * MIB)} of memory"
    return f"no size of Fargate holds {asked}; the nearest is {nearest}"


def rounding(resources: Resources, size: Size) -> str:
    """Return in words what a task gets that asked for less, or nothing."""
    rounded = []
    if resources.cpu and size.cpu > resources.cpu * UNITS:
        rounded.append(f"{resources.cpu} vCPU rounded to {size.vcpus:g}")
    if resources.memory and size.memory * MIB > resources.memory:
        rounded.append(f"{format_memory(resources.memory)} rounded to {format_memory(size.memory * MIB)}")
    return ", ".join(rounded)
