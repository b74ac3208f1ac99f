"""`python -m benchmarks.provision`: measure making, looking at and taking away a deployment on the simulator, print a
row a figure, exit with 1 if one is short.

What AWS itself takes for a stack is not in it: the simulator makes one at once. What is left is ours.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import boto3

from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings

from .clouds import Lab
from .commands import home
from .environments import CACHE, Absent, cromulent
from .figures import Row, as_json, table
from .measure import Command, Failed, Sample, in_turn, once


def main() -> int:
    """Measure, and return the exit status."""
    options = _arguments().parse_args()
    try:
        rows = _measured(options.repetitions)
    except (Absent, Failed) as error:
        rows = [Row(1, "a deployment's life", missing=" ".join(str(error).split()))]
    print(f"\n{table(rows)}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"rows": as_json(rows)}, indent=2))
    print(f"\nAlso in {options.json}")
    return 1 if any(row.verdict == "short" for row in rows) else 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.provision", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5, metavar="N", help="of status (default: 5)")
    parser.add_argument(
        "--json", type=Path, default=CACHE / "provision.json", metavar="FILE", help="where to write rows"
    )
    return parser


def _measured(repetitions: int) -> list[Row]:
    with _simulation() as (simulation, environment):
        made = once(_command("cromulent up", environment, "up", "--yes"))
        task = once(_task(simulation, environment))
        again = once(_command("cromulent up, nothing to change", environment, "up", "--yes"))
        status = in_turn([_command("cromulent status", environment, "status")], repetitions)["cromulent status"]
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
    keys = simulation.environment
    client = boto3.client(
        "efs",
        endpoint_url=simulation.address,
        region_name=keys["AWS_REGION"],
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
    )
    (found,) = client.describe_file_systems()["FileSystems"]
    return str(found["FileSystemId"])


if __name__ == "__main__":
    sys.exit(main())
