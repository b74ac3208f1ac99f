"""`cromulent reap`: stops ECS tasks whose run is dead."""

from __future__ import annotations

import json
from typing import Any

import click

from ..aws.deployments import find_deployment
from ..aws.ecs import Ecs
from ..backends.fargate.cloud import Files
from ..backends.fargate.reaping import Left, Standing, left_by_runs
from ..errors import UsageError
from ..units import counted
from . import ui
from .deployment import access_by, agreed, resolved, where

__all__ = ["command"]

_EPILOG = """\b
Examples:
  cromulent reap --dry-run
  cromulent reap --run 20261122_190411_align-5f3a --yes

A run is dead when no process holds the lock in its directory, so this is for a machine that has the deployment's
file system mounted. Runs of which it cannot be told are listed, and stopped only by name.
"""


@click.command("reap", epilog=_EPILOG)
@where
@click.option("--run", "runs", multiple=True, metavar="NAME", help="Stop this run's tasks, whether it is dead or not.")
@click.option("--dry-run", is_flag=True, help="List, and stop nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def command(runs: tuple[str, ...], dry_run: bool, yes: bool, as_json: bool, **flags: Any) -> int | None:
    """Stop tasks on Fargate whose run is dead: what a machine that vanished left behind."""
    settings = resolved(flags).settings
    access = access_by(settings)
    deployment = find_deployment(access, settings.deployment)
    ecs = Ecs(access, deployment.cluster, pauses=(settings.retry_pause, settings.call_pause_most))
    files = Files(access, deployment, settings)
    left = left_by_runs(ecs.describe_all(ecs.everything()).tasks, files.are_here)
    unknown = sorted(set(runs) - {each.run for each in left})
    if unknown:
        raise UsageError(f"no task of a run '{unknown[0]}' is there", hint="cromulent reap --dry-run lists the runs")
    wanted = [each for each in left if (each.run in runs if runs else each.standing is Standing.DEAD)]
    if as_json:
        ui.data(json.dumps([_record(each) for each in left], indent=2))
    else:
        _list(left)
    if dry_run or not wanted:
        return None
    count = sum(len(each.tasks) for each in wanted)
    if not agreed(f"Stop {counted(count, 'task')} of {counted(len(wanted), 'run')}?", yes=yes):
        return 1
    for each in wanted:
        for task in each.tasks:
            ecs.stop(task.arn, "Its run is dead" if each.standing is Standing.DEAD else "Stopped by cromulent reap")
        ui.note(f"stopping {len(each.tasks)} of {each.run}")
    return None


def _list(left: tuple[Left, ...]) -> None:
    if not left:
        ui.note("No task of a run is on Fargate.")
    for each in left:
        count = len(each.tasks)
        ui.note(f"{each.standing.value:<8} {count:>5} task{'s' if count != 1 else ' '}  {each.run}  {each.directory}")


def _record(left: Left) -> dict[str, object]:
    return {
        "run": left.run,
        "directory": str(left.directory),
        "standing": left.standing.value,
        "tasks": [task.arn for task in left.tasks],
    }
