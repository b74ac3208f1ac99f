"""Makes and changes a deployment: first a plan, which makes nothing, then what the plan says.

Whatever state an earlier `up` or `down` left the stack in, killed or failed, `plan` first brings it to rest.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from ..aws import cloudformation
from ..aws.access import Access
from ..aws.cloudformation import Request, Stack
from ..aws.deployments import TAG, find_deployment
from ..clock import SYSTEM, Clock
from ..errors import ProvisionFailed, UsageError
from ..model.deployment import Deployment
from . import parameters, template
from .failure import explained
from .following import Report, follow, latest, worked_out
from .plan import Plan
from .surroundings import Kept, look_around
from .wishes import Wishes, check

__all__ = ["carry_out", "discard", "make", "plan", "settled"]

_USELESS = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
"""States out of which CloudFormation lets a stack only be deleted."""
_REVIEW = "REVIEW_IN_PROGRESS"
"""A change set was made for a stack that is not there yet."""


def plan(access: Access, wishes: Wishes, report: Report, clock: Clock = SYSTEM, body: str = "") -> Plan:
    """Return what would have to be done. Nothing of the deployment is made or changed. `body`: another template.

    Raises UsageError for wishes that cannot be fulfilled, ProvisionFailed where CloudFormation cannot plan it.
    """
    check(wishes)
    stack = settled(access, wishes.name, report, clock)
    if stack is not None and stack.status in _USELESS:
        _clear(access, stack, report, clock)
        stack = None
    new = stack is None or stack.status == _REVIEW
    kept = Kept()
    if stack is None or new:
        there = look_around(access, wishes)
        kept = Kept("" if wishes.bucket else there.kept.bucket, "" if wishes.file_system else there.kept.file_system)
        chosen = parameters.first(wishes, there)
    else:
        chosen = parameters.changed(wishes, stack)
    tags = parameters.tags_of(wishes, stack.tags if stack is not None else {})
    request = Request(wishes.name, body or template.body(), chosen, tags)
    planned = _planned(access, request, new, kept, clock)
    return replace(planned, unheeded=parameters.unheeded(wishes, chosen))


def carry_out(access: Access, planned: Plan, report: Report, clock: Clock = SYSTEM) -> Deployment:
    """Do what the plan says and return the deployment. Raises ProvisionFailed with the first cause."""
    since = latest(access, planned.stack)
    cloudformation.execute_change_set(access, planned.change_set)
    stack, happened = follow(access, planned.stack, since, report, clock)
    if stack.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise explained(stack, happened)
    return find_deployment(access, planned.name)


def make(access: Access, wishes: Wishes, planned: Plan, report: Report, clock: Clock = SYSTEM) -> Deployment:
    """Do what the plan says; once more where what failed was there because it failed. Raises ProvisionFailed."""
    try:
        return carry_out(access, planned, report, clock)
    except ProvisionFailed as error:
        if not (error.again and planned.new):
            raise
    return carry_out(access, plan(access, wishes, report, clock), report, clock)


def discard(access: Access, planned: Plan) -> None:
    """Leave nothing of a plan that is not wanted."""
    if planned.new and planned.stack:
        cloudformation.delete_stack(access, planned.stack)
    elif planned.change_set:
        cloudformation.delete_change_set(access, planned.change_set)


def settled(access: Access, name: str, report: Report, clock: Clock = SYSTEM) -> Stack | None:
    """Return the deployment's stack when nothing goes on in it, or None where there is none.

    Raises UsageError where a stack of that name is somebody else's.
    """
    stack = cloudformation.find_stack(access, name)
    if stack is not None and stack.tags.get(TAG) != name and stack.status != _REVIEW:
        raise UsageError(
            f"a stack '{name}' is there, and not one of cromulent's", hint="choose another name with --name"
        )
    if stack is not None and stack.status == "UPDATE_ROLLBACK_FAILED":
        since = latest(access, stack.identity)
        cloudformation.continue_rollback(access, stack.identity)
        stack, happened = follow(access, stack.identity, since, report, clock)
        if stack.status != "UPDATE_ROLLBACK_COMPLETE":
            raise explained(stack, happened)
    if stack is not None and stack.busy:
        stack, _ = follow(access, stack.identity, None, report, clock)
    return None if stack is None or stack.status == "DELETE_COMPLETE" else stack


def _clear(access: Access, stack: Stack, report: Report, clock: Clock) -> None:
    """Delete what is left of a stack that never came to be, or that is half gone."""
    since = latest(access, stack.identity)
    cloudformation.delete_stack(access, stack.identity)
    stack, happened = follow(access, stack.identity, since, report, clock)
    if stack.status != "DELETE_COMPLETE":
        raise explained(stack, happened)


def _planned(access: Access, request: Request, new: bool, kept: Kept, clock: Clock) -> Plan:
    """Have the change worked out and return it; where there is nothing to do, as a plan without a change set."""
    identity = cloudformation.submit_change_set(access, request, name=f"cromulent-{uuid.uuid4().hex}", new=new)
    found = worked_out(access, identity, clock)
    account = identity.split(":")[4]
    opened = request.parameters.get("FilesGroup", "")
    planned = Plan(request.name, access.region, account, new, found.changes, kept, identity, found.stack, opened=opened)
    if found.empty:
        cloudformation.delete_change_set(access, identity)
        return replace(planned, change_set="")
    if found.ready and not planned.replaced_data:
        return planned
    discard(access, planned)
    if not found.ready:
        raise ProvisionFailed(f"CloudFormation cannot plan the deployment: {found.reason}")
    names = ", ".join(each.logical for each in planned.replaced_data)
    raise ProvisionFailed(f"this would replace {names}, with your data; nothing was changed")
