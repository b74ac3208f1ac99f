"""`cromulent doctor`: whether everything that runs workflows is as it must be."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from ..clock import SYSTEM
from . import ui
from .deployment import access_by, resolved, where

TYPE_CHECKING = False  # see overview.py
if TYPE_CHECKING:
    from ..config import Settings
    from ..provision.doctor import Facts, Finding

__all__ = ["command"]

_UNWELL = 1
_MARKS = {"ok": ("✔", "green"), "warning": ("!", "yellow"), "failure": ("✘", "red")}


@click.command("doctor")
@where
@click.option("--tasks", type=click.IntRange(1), metavar="N", help="So many tasks are to run at a time on AWS.")
@click.option("--quick", is_flag=True, help="Leave out what takes long: registries, and drift of the stack.")
@click.option("--strict", is_flag=True, help="Exit with status 1 on a warning, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(tasks: int | None, quick: bool, strict: bool, as_json: bool, **flags: Any) -> int | None:
    """Check this machine, the AWS account and the deployment. Nothing is changed.

    Exits with status 1 if something will not work. Without credentials or a deployment it checks what there is.
    """
    from ..provision.doctor import State, findings

    found = findings(_facts(resolved(flags).settings, tasks, quick))
    if as_json:
        ui.json_result([{**asdict(each), "state": each.state.value} for each in found])
    else:
        _show(found)
    bad = {State.FAILURE, State.WARNING} if strict else {State.FAILURE}
    return _UNWELL if any(each.state in bad for each in found) else None


def _facts(settings: Settings, tasks: int | None, quick: bool) -> Facts:
    from ..provision.doctor import Facts
    from ..provision.doctor.account import look_at_account, look_at_deployment
    from ..provision.doctor.facts import Unknown
    from ..provision.doctor.here import look_here, unreachable

    here = look_here(settings, None if quick else unreachable)
    access = access_by(settings)
    account = look_at_account(access, SYSTEM)
    if isinstance(account.caller, Unknown):
        return Facts(here, account, account.caller, tasks)
    deployed = look_at_deployment(access, settings.deployment, account, SYSTEM, with_drift=not quick)
    return Facts(here, account, deployed, tasks)


def _show(found: Sequence[Finding]) -> None:
    width = max(len(each.check) for each in found)
    for each in found:
        mark, colour = _MARKS[each.state.value]
        first, *others = ui.folded(each.text, sys.stdout, indent=width + 4)
        ui.data(f"{ui.painted(mark, colour, sys.stdout)} {each.check:<{width}}  {first.lstrip()}")
        for line in others + (ui.folded(f"→ {each.hint}", sys.stdout, indent=width + 4) if each.hint else []):
            ui.data(line)
    counts = {state: sum(each.state.value == state for each in found) for state in ("failure", "warning")}
    said = ", ".join(f"{count} {state}{'s' * (count != 1)}" for state, count in counts.items() if count)
    ui.note(said or "All is well.")
