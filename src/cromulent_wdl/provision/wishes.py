"""What a user wishes of a deployment, checked as far as that needs nobody else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import UsageError
from .forms import FORMS, check_forms

__all__ = ["ROLES", "Wishes", "check"]

ROLES = ("execution", "task", "head", "states", "rule")
"""The roles of a deployment, in the order of the template."""

_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,39}")
"""A stack's name, short enough that the names that CloudFormation makes of it can be told apart."""
_RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""The days that CloudWatch Logs knows (page "PutRetentionPolicy")."""
_ZONES = 3


@dataclass(frozen=True)
class Wishes:
    """What was asked for; None is "as it is, or as the template has it", an empty text "none any more"."""

    name: str = "cromulent"
    vpc: str | None = None
    subnets: tuple[str, ...] | None = None
    file_system: str | None = None
    bucket: str | None = None
    read_buckets: tuple[str, ...] | None = None
    secrets: tuple[str, ...] | None = None
    task_policies: tuple[str, ...] | None = None
    permissions_boundary: str | None = None
    roles: Mapping[str, str] | None = None
    """ARNs by the names of `ROLES`."""
    kms_key: str | None = None
    head_image: str | None = None
    log_retention: int | None = None
    tags: Mapping[str, str] | None = None
    here: bool = False
    """Whether network and files are those that were found on this host, and not named by anybody."""
    files_path: str | None = None
    """The directory of the file system that runs live in."""
    files_user: tuple[int, int] | None = None
    """The POSIX user and group that own it."""


def check(wishes: Wishes) -> None:
    """Raise UsageError for what cannot be, whatever there is in the account."""
    if not _NAME.fullmatch(wishes.name):
        raise UsageError(
            f"a deployment cannot be called '{wishes.name}'",
            hint="a letter, then letters, digits and hyphens, 40 together at most",
        )
    if wishes.log_retention is not None and wishes.log_retention not in _RETENTIONS:
        days = ", ".join(map(str, _RETENTIONS))
        raise UsageError(f"logs cannot be kept for {wishes.log_retention} days", hint=f"one of {days}")
    if len(wishes.subnets or ()) > _ZONES:
        raise UsageError(f"{len(wishes.subnets or ())} subnets are too many", hint=f"up to {_ZONES}, each in a zone")
    for tag in wishes.tags or ():
        if tag.startswith(("aws:", "cromulent:")):
            raise UsageError(f"the tag '{tag}' is not yours to give", hint="aws: and cromulent: are taken")
    if wishes.head_image == "":
        stock = FORMS["--head-image"].hint
        raise UsageError("--head-image wants an image, and was given nothing", hint=f"for a stock Python, {stock}")
    _check_forms(wishes)
    _check_roles(wishes.roles or {})


def _check_forms(wishes: Wishes) -> None:
    check_forms(
        {
            "--vpc": [wishes.vpc or ""],
            "--subnets": wishes.subnets or (),
            "--file-system": [wishes.file_system or ""],
            "--bucket": [wishes.bucket or ""],
            "--read-bucket": wishes.read_buckets or (),
            "--secret": wishes.secrets or (),
            "--task-policy": wishes.task_policies or (),
            "--permissions-boundary": [wishes.permissions_boundary or ""],
            "--kms-key": [wishes.kms_key or ""],
            "--head-image": [wishes.head_image or ""],
            "--roles": list((wishes.roles or {}).values()),
        }
    )


def _check_roles(roles: Mapping[str, str]) -> None:
    missing = [role for role in ROLES if role not in roles]
    if roles and (missing or set(roles) - set(ROLES)):
        raise UsageError(
            f"--roles wants each of {', '.join(ROLES)} once", hint="`cromulent policy --roles` prints what they need"
        )
