"""What a command in a container used: the shell functions that tell it, and what is read of their lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ..model import Usage

__all__ = ["FUNCTIONS", "Figures", "parse"]

FUNCTIONS = Path(__file__).with_name("figures.sh").read_text(encoding="utf-8")
"""Shell text that defines `figures`, which prints."""

_LINE = re.compile(r"^([a-z_]+) (\d{1,18}(?:\.\d{1,9})?)\n", re.MULTILINE)


@dataclass(frozen=True)
class Figures:
    """What was seen from within a container."""

    usage: Usage = field(default_factory=Usage)
    oom_kills: int = 0
    no_shell: bool = False
    """The task's shell is not in the image; nothing ran."""
    exit_code: int | None = None
    """The command's own, if its wrapper lived to see it."""


def parse(text: str, own_cgroup: bool = True) -> Figures:
    """Return the figures in the text; lines that are not whole, or no figures, are passed over.

    Without a cgroup of its own, what the container read was the figures of all its neighbours.
    """
    numbers = {name: float(number) for name, number in _LINE.findall(text)}
    timed = {"began", "ended"} <= numbers.keys()
    usage = Usage(seconds=round(numbers["ended"] - numbers["began"], 2) if timed else None)
    oom_kills = 0
    if own_cgroup:
        cpu = numbers.get("cpu_microseconds", numbers.get("cpu_nanoseconds", 0.0) / 1000) / 1_000_000
        peak = int(numbers.get("memory_peak", 0))
        source = "cgroup" if cpu or peak else ""
        usage = msgspec.structs.replace(
            usage, memory_peak=peak or None, cpu_seconds=round(cpu, 3) if cpu else None, source=source
        )
        oom_kills = int(numbers.get("oom_kills", 0))
    return Figures(
        usage=usage,
        oom_kills=oom_kills,
        no_shell="no_shell" in numbers,
        exit_code=int(numbers["exit"]) if "exit" in numbers else None,
    )
