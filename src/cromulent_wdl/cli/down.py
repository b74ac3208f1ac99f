"""`cromulent down`: takes a deployment away, keeps its data unless told not to, and shows that nothing is left."""

from __future__ import annotations

import sys
from typing import Any

import click

from ..errors import UsageError
from ..pricing.card import Rates
from ..provision import holdings, removal
from ..provision.holdings import Data, Holdings
from ..provision.plan import counted
from . import ui
from .deployment import access_by, agreed, prices_in, resolved, where
from .watching import Watch

__all__ = ["command"]

_GIVEN_UP = 1
_LEFT = 1


@click.command("down")
@where
@click.option(
    "--delete-data", is_flag=True, help="Delete the bucket and the file system, too, with all that is in them."
)
@click.option("--confirm", metavar="NAME", help="The deployment's name, for --delete-data where nobody can be asked.")
@click.option("--stop-runs", is_flag=True, help="Stop what is running.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would go and what would stay, and stop.")
def command(
    delete_data: bool, confirm: str | None, stop_runs: bool, yes: bool, dry_run: bool, **flags: Any
) -> int | None:
    """Take a deployment away: its stack, its task definitions, its logs.

    The bucket and the file system stay, and the next `cromulent up` takes them back. At the end what still carries
    the deployment's tag is looked for; there is nothing but the data that you kept, or it is listed.
    """
    settings = resolved(flags).settings
    access = access_by(settings)
    with Watch(0) as watch:
        held = holdings.survey(access, settings.deployment, watch)
    if (held.runs or held.tasks) and not stop_runs and not dry_run:
        raise UsageError(removal.going_on(held), hint="let them end, or give --stop-runs; --dry-run shows what goes")
    prices = prices_in(access.region)
    place = f"{access.region} (profile {access.profile})"
    if held.nothing:
        ui.note(f"Nothing of a deployment '{held.name}' is in {place}.")
        return None
    ui.note(f"Deployment {held.name} in {place}")
    for line in _in_words(held, delete_data, prices):
        ui.item(line, hang=8)
    if held.only_data and not delete_data:
        left = removal.leftovers(access, held, delete_data=False)
        if left:
            return _prove(held, left, held.data, prices)
        ui.note("There is nothing else to take away; --delete-data deletes that, too.")
        return None
    if dry_run or not _agreed(held, delete_data, confirm, yes):
        ui.note("Nothing was taken away.")
        return None if dry_run else _GIVEN_UP
    try:
        with Watch(len(held.resources)) as watch:
            removal.take_away(access, held, watch, delete_data=delete_data, stop_runs=stop_runs)
    except KeyboardInterrupt:
        ui.note("What was begun goes on by itself; the same command goes on from there.")
        raise
    left = removal.leftovers(access, held, delete_data=delete_data)
    return _prove(held, left, Data() if delete_data else holdings.measured(access, held.data), prices)


def _in_words(held: Holdings, delete_data: bool, prices: Rates) -> list[str]:
    lines = []
    if held.runs or held.tasks:
        lines.append(f"stop    {removal.running(held)}")
    if held.stack is not None:
        listed = ", ".join(counted(held.resources))
        what = f"{len(held.resources)} resources, with all logs in CloudWatch: {listed}"
        lines.append(f"remove  the stack, {what if held.resources else 'in which nothing is left'}")
    for what, found in (("task definition", held.definitions), ("access point", held.access_points)):
        if found:
            lines.append(f"remove  {len(found)} {what}{'s' * (len(found) != 1)}")
    verb = "DELETE" if delete_data else "keep  "
    lines += [f"{verb}  {line}" for line in held.data.in_words(prices)]
    if yours := held.given:
        lines.append(f"leave   {' and '.join(yours)}: yours, and not touched")
    return lines


def _agreed(held: Holdings, delete_data: bool, confirm: str | None, yes: bool) -> bool:
    """Ask; where data would be deleted, for the name. Raises UsageError where nobody can be asked for that."""
    if not delete_data:
        return agreed("Take it away?", yes=yes)
    if confirm is None and sys.stdin.isatty():
        confirm = str(click.prompt("Its data cannot be brought back. The deployment's name, to delete it", err=True))
    if confirm != held.name:
        raise UsageError(
            "the data was not confirmed" if confirm is None else f"'{confirm}' is not '{held.name}'",
            hint=f"to delete it for good: --confirm {held.name}",
        )
    return True


def _prove(held: Holdings, left: tuple[str, ...], data: Data, prices: Rates) -> int | None:
    """Say what is left, and what of the data was kept."""
    kept = data.in_words(prices)
    if left:
        ui.fail(
            "This still carries the deployment's tag:\n" + "\n".join(f"  {arn}" for arn in left),
            f"`cromulent down --name {held.name}` tries again",
        )
        return _LEFT
    ui.note("Gone. Nothing carries the deployment's tag any more" + (" but what you kept:" if kept else "."))
    for line in kept:
        ui.item(line, hang=2)
    if kept:
        again = "cromulent up" if held.name == "cromulent" else f"cromulent up --name {held.name}"
        ui.note(f"  together ${data.idle(prices).total:.2f} a month. `{again}` takes it back.")
    return None
