"""Goals 3 and 4: what the engine itself costs a task, with a backend that runs nothing.

The run directory is in memory and the process keeps to one core, so that neither the disk nor the waiting of threads
for Python's lock is measured.
"""

from __future__ import annotations

from dataclasses import replace

from .commands import WORKFLOWS, miniwdl_run, standin_run, standin_site
from .environments import Environment, cromulent, miniwdl, padding
from .figures import Row
from .measure import Command, in_turn
from .scale import Scale

__all__ = ["engine_cost", "growth"]

_GOALS = {30: 0.40, 85: 0.28}
"""Distributions installed beside stock miniwdl, and the ratio to reach with so many."""


def engine_cost(scale: Scale) -> list[Row]:
    """Measure ours beside stock miniwdl, with few and with many distributions installed.

    Few are, for ours, those that it brings along itself, if these are more.
    """
    count = scale.size(10_000, 500)
    own = len(cromulent().distributions())
    commands = [command for installed in _GOALS for command in _both(count, installed, max(installed, own))]
    cpu = {name: samples.cpu / count * 1000 for name, samples in in_turn(commands, scale.times, warm=False).items()}

    def row(ours: str, installed: int, limit: float | None, remark: str = "") -> Row:
        title = f"a task of {count}, {max(installed, own)} distributions{remark}"
        stock = f"stock with {installed}"
        return Row(3, title, "ms CPU", cpu[f"{ours}, {installed}"], stock, cpu[f"stock, {installed}"], limit)

    rows = [row("ours", installed, limit) for installed, limit in _GOALS.items()]
    rows += [row("ours uncached", installed, None, ", no call cache") for installed in _GOALS]
    few, many = (cpu[f"ours, {installed}"] for installed in _GOALS)
    beside = f"a task of {count}, {max(_GOALS)} distributions"
    return [*rows, Row(3, beside, "ms CPU", many, f"ours with {max(min(_GOALS), own)}", few, 1.10)]


def growth(scale: Scale) -> list[Row]:
    """Measure whether a task costs more among many."""
    few, many = scale.size(1000, 100), scale.size(10_000, 1000)
    environment = cromulent()
    commands = [_ours(f"{count} tasks", environment, count) for count in (1, few, many)]
    cpu = {name: samples.cpu for name, samples in in_turn(commands, scale.times, warm=False).items()}
    start = cpu["1 tasks"]
    each = {count: (cpu[f"{count} tasks"] - start) / (count - 1) * 1000 for count in (few, many)}
    return [Row(4, f"a task of {many} beside one of {few}", "ms CPU", each[many], f"of {few}", each[few], 1.15)]


def _ours(name: str, environment: Environment, count: int, site: str = "", *options: str) -> Command:
    arguments = [str(WORKFLOWS / "numbers.wdl"), f"count={count}", *options]
    command = standin_run(name, environment, arguments, {"PYTHONPATH": site} if site else {})
    return replace(command, in_memory=True, one_core=True)


def _both(count: int, installed: int, beside_ours: int) -> tuple[Command, ...]:
    ours, stock = cromulent(), miniwdl()
    surroundings = {
        "PYTHONPATH": f"{standin_site()}:{padding(stock, installed, already=1)}",
        "MINIWDL__SCHEDULER__CONTAINER_BACKEND": "standin",
    }
    arguments = [str(WORKFLOWS / "numbers.wdl"), f"count={count}"]
    peer = miniwdl_run(f"stock, {installed}", stock, arguments, surroundings)
    site = padding(ours, beside_ours)
    return (
        _ours(f"ours, {installed}", ours, count, site),
        _ours(f"ours uncached, {installed}", ours, count, site, "--no-cache"),
        replace(peer, in_memory=True, one_core=True),
    )
