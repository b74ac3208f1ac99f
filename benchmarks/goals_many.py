"""Goal 9: a thousand tasks to the end, each costing what one of a hundred costs; without the call cache.

CPU time and memory are Cromulent's own and, for processes, those of the commands. What containers cost is the engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .commands import WORKFLOWS, cromulent_run
from .environments import Absent, cromulent
from .figures import Row
from .goals_docker import contained
from .goals_processes import in_memory
from .measure import Command, Failed, in_turn
from .scale import Scale

__all__ = ["thousand"]

_KIBIBYTE = 1 << 10
_LIMIT = 1.20


def thousand(scale: Scale) -> list[Row]:
    """Measure CPU time and memory a task, as processes and on Docker."""
    rows: list[Row] = []
    for backend, command, times in (("process", _processes, min(scale.times, 3)), ("docker", _containers, 1)):
        try:
            rows += _beside(backend, command, scale, times)
        except (Absent, Failed) as error:
            rows.append(Row(9, f"many tasks on {backend}", missing=" ".join(str(error).split())))
    return rows


def _beside(backend: str, command: Callable[[int], Command], scale: Scale, times: int) -> Sequence[Row]:
    few, many = scale.size(100, 10), scale.size(1000, 100)
    one, some, all_of_them = (command(count) for count in (1, few, many))
    found = in_turn([one, some, all_of_them], times, warm=False)
    start = found[one.name]

    def a_task(of: Command, count: int) -> tuple[float, float]:
        spent = found[of.name]
        return (spent.cpu - start.cpu) / (count - 1) * 1000, (spent.memory - start.memory) / (count - 1) / _KIBIBYTE

    (cpu, memory), (cpu_of_few, memory_of_few) = a_task(all_of_them, many), a_task(some, few)
    what, beside = f"a task of {many}, {backend}", f"of {few}"
    return [
        Row(9, what, "ms CPU", cpu, beside, cpu_of_few, _LIMIT),
        Row(9, what, "KiB", memory, beside, memory_of_few, _LIMIT),
        Row(9, f"{many} tasks, {backend}", "s", found[all_of_them.name].wall),
    ]


def _processes(count: int) -> Command:
    arguments = [str(WORKFLOWS / "files.wdl"), f"count={count}", "--no-cache", "--backend", "process"]
    return in_memory(cromulent_run(f"{count} processes", cromulent(), arguments))


def _containers(count: int) -> Command:
    return in_memory(cromulent_run(f"{count} containers", cromulent(), [*contained(count), "--no-cache"]))
