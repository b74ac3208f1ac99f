"""`python -m benchmarks.provision`: measure making, looking at and taking away a deployment on the simulator, and how
soon a run in it comes to its first task; print a row a figure, exit with 1 if one is short.

What AWS itself takes for a stack is not in it: the simulator makes one at once. What is left is ours.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings

from .clouds import Lab
from .commands import STANDINS, WORKFLOWS, home
from .environments import cromulent
from .figures import Row
from .measure import Command, Sample, in_turn, once
from .runner import Goals, run
from .scale import Scale


def life(scale: Scale) -> list[Row]:
    """Measure a deployment from its making to its end."""
    with _simulation() as (simulation, environment):
        made = once(_command("cromulent up", environment, "up", "--yes"))
        task = once(_task(simulation, environment))
        again = once(_command("cromulent up, nothing to change", environment, "up", "--yes"))
        status = in_turn([_command("cromulent status", environment, "status")], scale.times)["cromulent status"]
        gone = once(_command("cromulent down", environment, "down", "--delete-data", "--confirm", "cromulent"))
    return [
        Row(1, "first up to a task that has run", "s", made.wall + task.wall, limit=15),
        *_parts(made, task),
        Row(2, "status", "s CPU", status.cpu, limit=0.6),
        Row(3, "a second up", "s", again.wall),
        Row(3, "down, with data", "s", gone.wall),
    ]


def _parts(made: Sample, task: Sample) -> list[Row]:
    return [Row(1, "of that, up", "s", made.wall), Row(1, "of that, a run of one task", "s", task.wall)]


def cloud(scale: Scale) -> list[Row]:
    """Measure how soon a run in the cloud comes to its first task, the first of a deployment apart."""
    with _simulation() as (_, environment):
        once(_command("cromulent up", environment, "up", "--yes"))
        first = once(_in_the_cloud("the first run in the cloud", environment))
        later = in_turn([_in_the_cloud("a later one", environment)], scale.times, warm=False)["a later one"]
    return [
        Row(4, "from run --on aws to its first task", "s", later.noted("task"), limit=6),
        Row(4, "of the command until its run has ended", "s CPU", later.cpu, limit=3),
        Row(4, "the first run's first task", "s", first.noted["task"]),
    ]


def _in_the_cloud(name: str, environment: Mapping[str, str]) -> Command:
    arguments = [str(WORKFLOWS / "numbers.wdl"), "count=1", "--on", "aws", "--no-cache"]
    noting = [sys.executable, str(STANDINS / "first_task.py")]
    program = [*noting, cromulent().program("cromulent"), "run", *arguments]
    return Command(name, program, environment, shows='"outputs"')


@contextmanager
def _simulation() -> Iterator[tuple[Simulation, Mapping[str, str]]]:
    simulation = Simulation.start(Settings(data_plane="process"))
    try:
        yield simulation, home() | dict(simulation.environment)
    finally:
        simulation.close()


def _command(name: str, environment: Mapping[str, str], *arguments: str) -> Command:
    return Command(name, [cromulent().program("cromulent"), *arguments], environment)


def _task(simulation: Simulation, environment: Mapping[str, str]) -> Command:
    """Return a run of one task that really runs, on the file system of the deployment."""
    files = simulation.files / _file_system(simulation) / "cromulent"
    files.mkdir(parents=True, exist_ok=True)
    ran = Lab(simulation).run("cromulent run, one task on Fargate", 1, mount=files)
    return replace(ran, arguments=[f"{files}/run/." if text == "{place}/run/." else text for text in ran.arguments])


def _file_system(simulation: Simulation) -> str:
    """Return the id of the one file system that there is."""
    (found,) = Lab(simulation).client("efs").describe_file_systems()["FileSystems"]
    return str(found["FileSystemId"])


GOALS: Goals = {1: ("a deployment's life", life), 4: ("a run in the cloud", cloud)}


if __name__ == "__main__":
    sys.exit(run("provision", __doc__, GOALS))
