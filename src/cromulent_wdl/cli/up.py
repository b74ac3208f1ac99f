"""`cromulent up`: makes or changes a deployment, after it has said what that would do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from ..aws.access import Access
from ..clock import SYSTEM
from ..config import Resolved
from ..errors import UsageError
from ..provision import applying
from ..provision.plan import Plan
from ..provision.wishes import Wishes
from ..units import format_duration
from . import ui, up_here
from .deployment import access_by, agreed, prices_in, resolved, where
from .watching import Watch

__all__ = ["command", "of_your_own", "wishes_of"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_GIVEN_UP = 1


_OF_YOUR_OWN = (
    click.option("--file-system", metavar="ID", help="Use your EFS file system."),
    click.option("--bucket", metavar="NAME", help="Use your bucket."),
    click.option(
        "--read-bucket", "read_buckets", multiple=True, metavar="NAME", help="Let runs read this bucket, too."
    ),
    click.option("--secret", "secrets", multiple=True, metavar="ARN", help="Let tasks be given this secret."),
    click.option("--task-policy", "task_policies", multiple=True, metavar="ARN", help="Give tasks this policy."),
    click.option("--permissions-boundary", metavar="ARN", help="The boundary that your account wants on roles."),
    click.option("--kms-key", metavar="ARN", help="Encrypt files, bucket and logs with your key."),
)


def of_your_own(command: _Command) -> _Command:
    """Add the options that name what your account has already, or wants; what may be done depends on them."""
    for option in reversed(_OF_YOUR_OWN):
        command = option(command)
    return command


@click.command("up")
@where
@click.option("--vpc", metavar="ID", help="Use your VPC.")
@click.option("--subnets", metavar="ID,…", help="Its subnets, one a zone: public, or private with a NAT.")
@of_your_own
@click.option("--roles", multiple=True, metavar="KIND=ARN", help="Use roles made beforehand: each of the five.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Tag all that is made.")
@click.option("--head-image", metavar="IMAGE", help="Run heads in this image: Linux with python3, no more.")
@click.option("--log-retention", type=int, metavar="DAYS", help="Keep logs so long.  [default: 30]")
@click.option("--here", is_flag=True, help="For the EFS file system that is mounted on this EC2 host.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and stop.")
def command(here: bool, yes: bool, dry_run: bool, **flags: Any) -> int | None:
    """Make what runs workflows in your AWS account, or change it: one CloudFormation stack.

    It costs nothing while nothing runs, but for storage. Type it again after an upgrade, to change a setting, or
    when it was interrupted: it goes on from whatever is there. Options are settings, too (`cromulent config`);
    what is not given stays as it is.
    """
    settings = resolved(flags)
    wishes = wishes_of(settings)
    access = access_by(settings.settings)
    if here:
        access, wishes = up_here.found(access, wishes, settings.settings)
    with _told_when_interrupted(), Watch(0) as watch:
        plan = applying.plan(access, wishes, watch)
    _show(plan, access.profile)
    if not plan.change_set:
        ui.note("  nothing to change")
        return None
    if dry_run or not _wanted(access, plan, yes):
        applying.discard(access, plan)
        ui.note("Nothing was made." if plan.new else "Nothing was changed.")
        return None if dry_run else _GIVEN_UP
    began = SYSTEM.monotonic()
    with _told_when_interrupted(), Watch(len(plan.changes)) as watch:
        deployment = applying.make(access, wishes, plan, watch)
    took = format_duration(SYSTEM.monotonic() - began)
    ui.note(f"Ready: {deployment.name} {deployment.version}, in {took}. {_next(plan)}".rstrip())
    return None


def _wanted(access: Access, plan: Plan, yes: bool) -> bool:
    """Whether the plan is wanted. Whoever does not answer leaves no plan behind."""
    try:
        return agreed("Create it?" if plan.new else "Change it?", yes=yes)
    except BaseException:
        applying.discard(access, plan)
        raise


def _show(plan: Plan, profile: str) -> None:
    ui.note(f"Deployment {plan.name} in {plan.region}, account {plan.account} (profile {profile})")
    if plan.unheeded:
        vain = f"{' and '.join(plan.unheeded)} changes nothing; `cromulent policy --roles` prints what they need"
        ui.item(f"yours      the roles: {vain}", hang=11)
    for line in plan.in_words(prices_in(plan.region)) if plan.change_set else ():
        ui.item(line, hang=11)


@contextmanager
def _told_when_interrupted() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        ui.note("What was begun goes on by itself; `cromulent up` waits for it and finishes what is missing.")
        raise


def wishes_of(given: Resolved) -> Wishes:
    """Return what was asked for by flags, environment and files; what stands at its default is no wish."""
    settings = given.settings
    asked: dict[str, Any] = {
        name: getattr(settings, name)
        for name in Wishes.__dataclass_fields__
        if name != "name" and given.origins.get(name, "default") != "default"
    }
    for name in ("roles", "tags"):
        if name in asked:
            asked[name] = _pairs(asked[name], f"--{name.removesuffix('s')}" if name == "tags" else "--roles")
    return Wishes(name=settings.deployment, **asked)


def _pairs(texts: Sequence[str], option: str) -> Mapping[str, str]:
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UsageError(f"{option} wants KEY=VALUE, not '{text}'")
        pairs[key] = value
    return pairs


def _next(plan: Plan) -> str:
    """Return what to type once a deployment is there."""
    named = f" --name {plan.name}" if plan.name != "cromulent" else ""
    return f"Try: cromulent run hello.wdl --on aws{named}" if plan.new else ""
