"""What the Fargate backend takes: time beside what AWS's rates allow, calls, CPU and memory of the head.

Where tasks are only played, nothing writes the result that a task leaves on the shared disk; the backend is told
not to wait for one (`result_wait`), and goes by what ECS says. How soon an end is noticed is measured where
tasks really run.
"""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import Any

from cromulent_wdl.model import TaskEnded
from cromulent_wdl.runs.journal import JournalReader
from cromulent_wdl.storage.layout import JOURNAL

from .clouds import Lab, lab
from .commands import STANDINS, WORKFLOWS, home, miniwdl_run, standin_site
from .environments import cromulent, miniwdl, padding
from .figures import Row
from .measure import Command, in_turn, once
from .scale import Scale

__all__ = ["calls", "cost", "early_plugin", "makespan", "memory", "notice"]

_PLAYED = {"result_wait": 0}
_BURST, _RATE = 20, 20.0
"""RunTask on Fargate, the tighter of the two buckets (docs/reference/aws-facts.md)."""
_MEBIBYTE = 1 << 20


def makespan(scale: Scale) -> list[Row]:
    """Measure how long many tasks of a second take, from the start of the command to its end."""
    rows = []
    for count in scale.size((1000, 10_000), (40,)):
        with lab() as here:
            sample = once(here.run(f"{count} tasks of 1 s", count, **_PLAYED))
            met = here.meters()
        floor = (count - _BURST) / _RATE + 1
        rows += [
            Row(1, f"{count} tasks of 1 s", "s", sample.wall, "floor", floor, 1.10),
            Row(2, f"{count} tasks of 1 s: calls a task", "", met.calls / count),
            Row(2, f"{count} tasks of 1 s: registrations", "", _registrations(met.requests), limit=1),
            Row(2, f"{count} tasks of 1 s: throttled calls, of 100", "", 100 * met.throttled / met.calls, limit=0.5),
        ]
    return rows


def calls(scale: Scale) -> list[Row]:
    """Count the calls a task of a thousand that run at once for a minute."""
    count, seconds = scale.size((1000, 60.0), (40, 5.0))
    with lab(seconds=seconds) as here:
        once(here.run(f"{count} tasks of {seconds:g} s", count, **_PLAYED))
        met = here.meters()
    each = met.calls / count
    return [
        Row(2, f"{count} concurrent tasks of {seconds:g} s: calls a task", "", each, limit=1.6),
        Row(2, f"{count} concurrent tasks: registrations", "", _registrations(met.requests), limit=1),
        Row(2, f"{count} concurrent tasks: throttled calls, of 100", "", 100 * met.throttled / met.calls, limit=0.5),
    ]


def early_plugin(scale: Scale) -> list[Row]:
    """Count the calls of the plugin of 2020 for as many tasks as it can hope to run."""
    count, seconds = scale.size((200, 60.0), (20, 5.0))
    with lab(seconds=seconds) as here:
        stack = _described(here)
        arguments = [str(count), stack["Cluster"], stack["Subnets"].partition(",")[0], stack["ExecutionRole"]]
        program = [cromulent().program("python"), str(STANDINS / "plugin_of_2020.py"), *arguments]
        sample = once(Command("plugin of 2020", program, home() | dict(here.simulation.environment), '"outputs"'))
        met = here.meters()
    return [
        Row(2, f"plugin of 2020, {count} tasks of {seconds:g} s: calls a task", "", met.calls / count),
        Row(2, "plugin of 2020: registrations", "", _registrations(met.requests)),
        Row(2, "plugin of 2020: throttled calls, of 100", "", 100 * met.throttled / met.calls),
        Row(2, "plugin of 2020: tasks that failed for it", "", count - sample.noted["ended"]),
    ]


def notice(scale: Scale) -> list[Row]:
    """Measure the time from the end of a task's command to the entry of its end in the journal."""
    count = scale.size(100, 10)
    with lab("process") as here:
        found = _noticed(here, count)
    return [Row(3, f"notice of an end, {count} tasks, median", "s", statistics.median(found), limit=1.0)]


def cost(scale: Scale) -> list[Row]:
    """Measure the CPU of the head beside stock miniwdl with a backend that does nothing.

    miniwdl looks through all installed distributions for each task; so there are as many beside it as beside us.
    """
    count = scale.size(1000, 40)
    site = f"{standin_site()}:{padding(miniwdl(), len(cromulent().distributions()), already=1)}"
    surroundings = {"PYTHONPATH": site, "MINIWDL__SCHEDULER__CONTAINER_BACKEND": "standin"}
    arguments = [str(WORKFLOWS / "numbers.wdl"), f"count={count}"]
    stock = miniwdl_run("stock miniwdl, backend that does nothing", miniwdl(), arguments, surroundings)
    wide = {f"MINIWDL__SCHEDULER__{kind}_CONCURRENCY": str(count) for kind in ("CALL", "TASK")}
    at_pace = {**stock.environment, **wide, "STANDIN_PACE": str(_RATE)}
    paced = replace(stock, name="stock miniwdl, at the rate of launches", environment=at_pace)
    with lab() as here:
        ours = here.run("cromulent run, Fargate", count, **_PLAYED)
        plain = here.plain("miniwdl run, Fargate", cromulent(), count, **_PLAYED)
        pinned = [replace(each, in_memory=True, one_core=True) for each in (stock, paced, ours, plain)]
        found = in_turn(pinned, scale.times, warm=False)
    theirs = found[stock.name].cpu / count * 1000
    return [
        Row(
            4,
            f"{name}: a task of {count}",
            "ms CPU",
            found[command.name].cpu / count * 1000,
            "stock, nothing run",
            theirs,
            limit,
        )
        for name, command, limit in (
            ("cromulent run", ours, 1.25),
            ("plain miniwdl run", plain, 1.8),
            ("stock, at the rate of launches", paced, None),
        )
    ]


def memory(scale: Scale) -> list[Row]:
    """Measure the head's memory with two thousand tasks that run at once."""
    count, seconds = scale.size((2000, 130.0), (40, 5.0))
    with lab(seconds=seconds) as here:
        sample = once(here.run(f"{count} tasks of {seconds:g} s", count, **_PLAYED))
    return [Row(5, f"memory of {count} concurrent tasks", "MiB", sample.memory / _MEBIBYTE, limit=600)]


def _noticed(here: Lab, count: int) -> list[float]:
    """Run tasks for real; return for each the seconds from its output to the entry of its end in the journal."""
    mount = here.simulation.files / _described(here)["FileSystem"] / "cromulent"
    mount.mkdir(parents=True, exist_ok=True)
    ran = here.run(f"{count} real tasks", count, mount=mount)
    run = mount / "run"
    arguments = [f"{run}/." if text == "{place}/run/." else text for text in ran.arguments]
    once(replace(ran, arguments=arguments))
    ended = {event.call: event.at for event in JournalReader(run / JOURNAL).new() if isinstance(event, TaskEnded)}
    written = {f"one[{path.parent.name.rpartition('-')[2]}]": path.stat().st_mtime for path in run.glob("*/stdout.txt")}
    return [at - written[call] for call, at in ended.items()]


def _registrations(requests: Any) -> float:
    return float(requests.get("ecs:RegisterTaskDefinition", 0))


def _described(here: Lab) -> dict[str, str]:
    (stack,) = here.client("cloudformation").describe_stacks(StackName="cromulent")["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
