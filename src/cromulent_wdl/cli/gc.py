"""`cromulent gc`: removes what old runs left, in the cloud or here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from ..clock import SYSTEM
from ..errors import UsageError
from ..units import parse_bytes, parse_duration
from .deployment import where

__all__ = ["Wish", "command"]


@dataclass(frozen=True)
class Wish:
    """Which runs are to go, and how one is asked."""

    before: float
    keep_last: int
    larger_than: int
    dry_run: bool
    yes: bool


@click.command("gc")
@click.option("--older-than", default="30d", show_default=True, metavar="AGE", help="Runs that began before that.")
@click.option(
    "--keep-last", type=click.IntRange(0), default=10, show_default=True, metavar="N", help="Never the last N runs."
)
@click.option(
    "--larger-than", default="0", metavar="SIZE", help="Only runs that hold more; bucket and disk each by itself."
)
@click.option("--here", is_flag=True, help="Runs on this machine: their directories.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and stop.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@where
def command(
    older_than: str, keep_last: int, larger_than: str, here: bool, dry_run: bool, yes: bool, **flags: Any
) -> int | None:
    """Remove what old runs left: records and outputs in the bucket, and their directories on the shared disk.

    Inputs on the disk that nothing has used since go, too, and the access points and task definitions of all runs that
    are over: a run that is begun again makes its own. What a run needs that goes on stays, and what the call cache has
    used since, whichever run made it. For the disk a task is started for a minute, like a run.

    In a bucket with versions, what is removed is kept as an older version for as long as the bucket says: 30 days in
    one that `up` made.
    """
    try:
        before = SYSTEM.now() - parse_duration(older_than)
    except ValueError as error:
        raise UsageError(f"--older-than {error}") from error
    try:
        wish = Wish(before, keep_last, parse_bytes(larger_than), dry_run, yes)
    except ValueError as error:
        raise UsageError(f"--larger-than {error}") from error
    if here:
        from .gc_here import collect_here

        return collect_here(wish)
    from .gc_cloud import collect_in_cloud

    return collect_in_cloud(wish, flags)
