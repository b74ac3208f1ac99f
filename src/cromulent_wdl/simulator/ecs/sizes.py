"""Fargate's sizes (facts: cpu/memory; ephemeralStorage), pure."""

from __future__ import annotations

import re

from .answers import client_error, invalid_parameter

__all__ = ["DEFAULT_STORAGE", "check_storage", "parse_cpu", "parse_memory", "require_fargate_size"]

_GB = 1024
_MEMORY: dict[int, frozenset[int]] = {
    256: frozenset((512, 1 * _GB, 2 * _GB)),
    512: frozenset(range(1 * _GB, 4 * _GB + 1, _GB)),
    1024: frozenset(range(2 * _GB, 8 * _GB + 1, _GB)),
    2048: frozenset(range(4 * _GB, 16 * _GB + 1, _GB)),
    4096: frozenset(range(8 * _GB, 30 * _GB + 1, _GB)),
    8192: frozenset(range(16 * _GB, 60 * _GB + 1, 4 * _GB)),
    16384: frozenset(range(32 * _GB, 120 * _GB + 1, 8 * _GB)),
}
_CPU = re.compile(r"(\d+(?:\.\d+)?)\s*(vcpu)?", re.IGNORECASE)
_MEMORY_TEXT = re.compile(r"(\d+(?:\.\d+)?)\s*(gb)?", re.IGNORECASE)

DEFAULT_STORAGE = 20
_STORAGE = range(21, 201)


def parse_cpu(text: str) -> int:
    """Return CPU units from "1024" or "1 vCPU" (botocore, RegisterTaskDefinition.cpu)."""
    match = _CPU.fullmatch(text.strip())
    if match is None or (match.group(2) is None and "." in match.group(1)):
        raise client_error("Invalid 'cpu' setting for task.")
    return int(float(match.group(1)) * 1024) if match.group(2) else int(match.group(1))


def parse_memory(text: str) -> int:
    """Return MiB from "2048" or "2 GB" (botocore, RegisterTaskDefinition.memory)."""
    match = _MEMORY_TEXT.fullmatch(text.strip())
    if match is None or (match.group(2) is None and "." in match.group(1)):
        raise client_error("Invalid 'memory' setting for task.")
    return int(float(match.group(1)) * _GB) if match.group(2) else int(match.group(1))


def require_fargate_size(cpu: int, memory: int) -> None:
    """Refuse what is not in the matrix (facts: task definition: Fargate)."""
    if memory not in _MEMORY.get(cpu, ()):
        raise client_error(
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. "
            "See the Amazon ECS documentation for the valid values."
        )


def check_storage(size: int) -> int:
    """Return the ephemeral storage in GiB if Fargate has that size."""
    if size not in _STORAGE:
        raise invalid_parameter(
            f"Invalid ephemeral storage size {size}. Valid values are between {_STORAGE[0]} and {_STORAGE[-1]}."
        )
    return size
