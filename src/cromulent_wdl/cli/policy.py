"""`cromulent policy`: prints what IAM has to allow, for an administrator who is to allow it."""

from __future__ import annotations

from typing import Any

import click

from ..aws import identity
from ..aws.access import Access
from ..errors import DeploymentNotFound, UsageError
from ..model.deployment import Deployment
from ..provision import find_deployment, permissions
from ..provision.permissions import Place, Purpose
from ..provision.role_permissions import roles
from ..provision.wishes import Wishes, check
from . import ui
from .deployment import access_by, resolved, where
from .up import of_your_own, wishes_of

__all__ = ["command"]

_DIGITS = 12


@click.command("policy")
@where
@click.option("--run", is_flag=True, help="For running workflows only, in a deployment that is there.")
@click.option("--roles", "for_roles", is_flag=True, help="For the five roles, to be made beforehand: `up --roles`.")
@click.option("--account", metavar="ID", help="The AWS account.  [default: that of your credentials]")
@click.option(
    "--part", type=click.IntRange(1), metavar="N", help="The Nth part, of a size that a managed policy takes."
)
@of_your_own
def command(run: bool, for_roles: bool, account: str | None, part: int | None, **flags: Any) -> None:
    """Print the least IAM policy for `up`, `down`, `status` and `doctor`, as JSON.

    It is written for one deployment: its name, account and region, and what else you give to `up`. Nothing is made or
    changed. Without --account your credentials are asked whose they are, which needs no permission.
    """
    if (run and for_roles) or (for_roles and part):
        raise UsageError("--run, --part and --roles do not go together", hint="ask for one after the other")
    if account and not (account.isdigit() and len(account) == _DIGITS):
        raise UsageError(f"'{account}' is not an account's id", hint=f"they have {_DIGITS} digits")
    settings = resolved(flags)
    wishes = wishes_of(settings)
    check(wishes)
    access = access_by(settings.settings)
    place = Place(identity.partition(access.region), access.region, account or identity.account(access))
    if for_roles:
        ui.json_result(roles(wishes, place, None if account else _standing(access, wishes.name)))
    else:
        ui.json_result(_document("run" if run else "deploy", wishes, place, part))


def _standing(access: Access, name: str) -> Deployment | None:
    try:
        return find_deployment(access, name)
    except DeploymentNotFound:
        return None


def _document(purpose: Purpose, wishes: Wishes, place: Place, part: int | None) -> dict[str, Any]:
    document = permissions.policy(purpose, wishes, place)
    parts = permissions.in_parts(document)
    if part is None:
        if len(parts) > 1:
            size = f"{permissions.length(document)} characters, of which a managed policy may have {permissions.LIMIT}"
            ui.note(f"{size}: --part 1 to --part {len(parts)} print it in {len(parts)}.")
        return document
    if part > len(parts):
        raise UsageError(f"there is no part {part}", hint=f"it has {len(parts)}")
    return parts[part - 1]
