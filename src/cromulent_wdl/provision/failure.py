"""Why a stack could not be made, changed or deleted: the first cause, in words, with what to do. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..aws.cloudformation import Event, Stack
from ..errors import ProvisionFailed
from .plan import named

__all__ = ["explained", "first_cause"]

_FOLLOWS = re.compile(r"cancelled|The following resource\(s\) failed", re.IGNORECASE)
"""What CloudFormation says of resources that failed because another did."""

_MADE_BY_FAILING = re.compile(r"service.linked role", re.IGNORECASE)
"""Who uses ECS in an account for the first time makes ECS make its role there, and is refused: it comes too late."""

_HINTS = (
    (r"VpcLimitExceeded|maximum number of VPCs", "an account has five VPCs a region: delete one, or give --vpc"),
    (
        r"LimitExceeded|limit|quota",
        "raise the limit in Service Quotas, or use something you have (`cromulent up --help`)",
    ),
    (r"service.linked role", "AWS makes its role for ECS in an account's first minutes with it: `cromulent up` again"),
    (
        r"managed-rule",
        "what keeps the role of the state machines from AWS's own rule? A boundary has to allow it, too"
        " (`cromulent policy --roles`)",
    ),
    (r"boundary", "give the boundary that your account wants: --permissions-boundary ARN"),
    (
        r"iam:(Create|Put|Attach|Pass|Tag)\w*",
        "have an administrator make the roles: --roles (`cromulent policy --roles`)",
    ),
    (r"not authorized|AccessDenied|UnauthorizedOperation", "`cromulent policy` prints what a user needs"),
    (r"already exists", "take that away, or choose another --name"),
    (r"not empty", "`cromulent down --delete-data` empties what it deletes"),
    (r"has dependencies|dependent object|DependencyViolation", "something of yours uses it: take that away first"),
)

_LEFT = {
    "ROLLBACK_COMPLETE": "All of it was taken away again.",
    "ROLLBACK_FAILED": "Not all of it could be taken away again; the next `cromulent up` or `down` tries that.",
    "CREATE_FAILED": "What was made is still there; the next `cromulent up` or `down` takes it away.",
    "UPDATE_ROLLBACK_COMPLETE": "The deployment is as it was before.",
    "UPDATE_ROLLBACK_FAILED": "Half of the change could not be undone; the next `cromulent up` tries that first.",
    "DELETE_FAILED": "What is left is still a stack; `cromulent down` goes on from here.",
}


def first_cause(events: Sequence[Event]) -> Event | None:
    """Return the first event that is a failure by itself. `events` are in the order of time."""
    failed = [each for each in events if each.status.endswith("_FAILED")]
    return next((each for each in failed if not _FOLLOWS.search(each.reason)), failed[0] if failed else None)


def explained(stack: Stack, events: Sequence[Event]) -> ProvisionFailed:
    """Return the error that says why an operation on the stack failed, and what state it is in."""
    cause = first_cause(events)
    state = f"{_LEFT.get(stack.status, '')} The stack '{stack.name}' is {stack.status}.".strip()
    if cause is None:
        return ProvisionFailed(f"CloudFormation did not get through: {stack.reason or 'it does not say why'}\n{state}")
    what = named(cause.logical, cause.kind)
    again = bool(_MADE_BY_FAILING.search(cause.reason))
    hint = next((hint for words, hint in _HINTS if re.search(words, cause.reason, re.IGNORECASE)), None)
    return ProvisionFailed(
        f"{what} failed: {cause.reason or 'CloudFormation does not say why'}\n{state}", hint=hint, again=again
    )
