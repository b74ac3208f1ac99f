"""`cromulent gc`: removes what old runs in the cloud left."""

from __future__ import annotations

from typing import Any

import click

from ..clock import SYSTEM
from ..errors import UsageError
from ..provision import find_deployment
from ..runs.collection import Collection, collect, survey
from ..units import format_bytes, parse_duration
from . import ui
from .deployment import access_by, resolved, where

__all__ = ["command"]

_DECLINED = 1


@click.command("gc")
@click.option("--older-than", default="30d", show_default=True, metavar="AGE", help="Runs that began before that.")
@click.option(
    "--keep-last", type=click.IntRange(0), default=10, show_default=True, metavar="N", help="Never the last N runs."
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and stop.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@where
def command(older_than: str, keep_last: int, dry_run: bool, yes: bool, **flags: Any) -> int | None:
    """Remove the records and outputs of old runs from the deployment's bucket.

    The access points and task definitions of all runs that are over go, too: a run that is begun again makes its own.
    What the call cache needs is on the shared disk, and stays there. In a bucket with versions, what is removed is
    kept as an older version for as long as the bucket says: 30 days in one that `up` made.
    """
    try:
        before = SYSTEM.now() - parse_duration(older_than)
    except ValueError as error:
        raise UsageError(f"--older-than {error}") from error
    settings = resolved(flags).settings
    access = access_by(settings)
    deployment = find_deployment(access, settings.deployment)
    found = survey(access, deployment, before=before, keep_last=keep_last)
    for line in _lines(found):
        ui.note(line)
    if found.nothing or dry_run:
        return None
    if not (yes or ui.confirm("Remove it?")):
        ui.note("Nothing was removed.")
        return _DECLINED
    collect(access, deployment, found)
    ui.note("Removed.")
    return None


def _lines(found: Collection) -> list[str]:
    if found.nothing:
        return ["There is nothing to remove."]
    lines = []
    if found.runs:
        size = format_bytes(found.bytes)
        lines.append(f"{_count(len(found.runs), 'run')}, {found.runs[0]} … {found.runs[-1]}: {size}")
    lines.append(
        f"{_count(len(found.access_points), 'access point')} and"
        f" {_count(len(found.definitions), 'task definition')} of runs that are over"
    )
    return lines


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
