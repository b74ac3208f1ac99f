"""CloudFormation: stacks, change sets and what happens to a stack, as our values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..errors import AwsError
from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

__all__ = [
    "Change",
    "ChangeSet",
    "Event",
    "Request",
    "Stack",
    "continue_rollback",
    "delete_change_set",
    "delete_stack",
    "describe_change_set",
    "events",
    "execute_change_set",
    "find_stack",
    "resources",
    "submit_change_set",
]

_MISSING = re.compile(r"does not exist|no such stack", re.IGNORECASE)
_NOTHING = re.compile(r"didn't contain changes|No updates are to be performed", re.IGNORECASE)
_CAPABILITIES: tuple[Any, ...] = ("CAPABILITY_IAM",)


@dataclass(frozen=True)
class Stack:
    """A stack as CloudFormation describes it. `status` is CloudFormation's own word."""

    name: str
    identity: str
    """Its ARN, by which it is found when it has been deleted, too."""
    status: str
    reason: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]

    @property
    def busy(self) -> bool:
        """Whether CloudFormation is at work on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


@dataclass(frozen=True)
class Change:
    """What a change set would do to one resource."""

    action: str
    """Add, Modify, Remove or Import."""
    logical: str
    kind: str
    """The resource's type, as AWS::S3::Bucket."""
    physical: str
    replacement: str
    """True, False, Conditional, or nothing."""
    kept: bool = False
    """Whether what is removed or replaced is kept, by its policy in the template."""


@dataclass(frozen=True)
class ChangeSet:
    """A change set; `ready` when it can be carried out, `empty` when there is nothing to change."""

    identity: str
    stack: str
    status: str
    reason: str
    changes: tuple[Change, ...]

    @property
    def ready(self) -> bool:
        """Whether it can be carried out."""
        return self.status == "CREATE_COMPLETE"

    @property
    def empty(self) -> bool:
        """Whether it failed for the only reason that there is nothing to do."""
        return self.status == "FAILED" and bool(_NOTHING.search(self.reason))


@dataclass(frozen=True)
class Event:
    """One thing that happened to a resource of a stack, or to the stack itself."""

    identity: str
    time: datetime
    logical: str
    physical: str
    kind: str
    status: str
    reason: str


@dataclass(frozen=True)
class Request:
    """What a stack is to become."""

    name: str
    template: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]


def find_stack(access: Access, name: str) -> Stack | None:
    """Return the stack of a name or ARN, or None. A name finds none that was deleted."""
    try:
        with asking("looking for the stack"):
            found = _client(access).describe_stacks(StackName=name)["Stacks"]
    except AwsError as error:
        if error.code == "ValidationError" and _MISSING.search(str(error)):
            return None
        raise
    return _stack(found[0]) if found else None


def submit_change_set(access: Access, request: Request, *, name: str, new: bool) -> str:
    """Have a change set worked out and return its ARN. `new`: there is no stack yet, or one in review."""
    with asking("planning the stack's change"):
        answer = _client(access).create_change_set(
            StackName=request.name,
            ChangeSetName=name,
            ChangeSetType="CREATE" if new else "UPDATE",
            TemplateBody=request.template,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in request.parameters.items()],
            Tags=[{"Key": key, "Value": value} for key, value in request.tags.items()],
            Capabilities=_CAPABILITIES,
        )
    return answer["Id"]


def describe_change_set(access: Access, identity: str) -> ChangeSet:
    """Return a change set with all its changes."""
    changes: list[Change] = []
    more: dict[str, Any] = {}
    while True:
        with asking("reading the stack's change"):
            answer: Any = _client(access).describe_change_set(ChangeSetName=identity, **more)
        changes += [_change(each["ResourceChange"]) for each in answer.get("Changes", ()) if "ResourceChange" in each]
        if not answer.get("NextToken"):
            return ChangeSet(
                identity, answer["StackId"], answer["Status"], answer.get("StatusReason", ""), tuple(changes)
            )
        more = {"NextToken": answer["NextToken"]}


def execute_change_set(access: Access, identity: str) -> None:
    """Begin to carry out a change set."""
    with asking("changing the stack"):
        _client(access).execute_change_set(ChangeSetName=identity)


def delete_change_set(access: Access, identity: str) -> None:
    """Forget a change set that is not wanted."""
    with asking("forgetting the stack's change"):
        _client(access).delete_change_set(ChangeSetName=identity)


def delete_stack(access: Access, identity: str) -> None:
    """Begin to delete a stack."""
    with asking("deleting the stack"):
        _client(access).delete_stack(StackName=identity)


def continue_rollback(access: Access, identity: str) -> None:
    """Try again to undo an update whose undoing failed."""
    with asking("undoing the stack's update"):
        _client(access).continue_update_rollback(StackName=identity)


def events(access: Access, identity: str) -> Iterator[Event]:
    """Yield what happened to a stack, the latest first; pages are asked for as they are wanted."""
    more: dict[str, Any] = {}
    while True:
        with asking("following the stack"):
            answer: Any = _client(access).describe_stack_events(StackName=identity, **more)
        yield from (_event(each) for each in answer["StackEvents"])
        if not answer.get("NextToken"):
            return
        more = {"NextToken": answer["NextToken"]}


def resources(access: Access, identity: str) -> dict[str, str]:
    """Return the types of a stack's resources that are there, by their logical ids."""
    found: dict[str, str] = {}
    with asking("listing the stack's resources"):
        for page in _client(access).get_paginator("list_stack_resources").paginate(StackName=identity):
            for each in page["StackResourceSummaries"]:
                if each["ResourceStatus"] != "DELETE_COMPLETE":
                    found[each["LogicalResourceId"]] = each["ResourceType"]
    return found


def _client(access: Access) -> CloudFormationClient:
    client: CloudFormationClient = access.client("cloudformation")
    return client


def _stack(found: Any) -> Stack:
    return Stack(
        found["StackName"],
        found["StackId"],
        found["StackStatus"],
        found.get("StackStatusReason", ""),
        _named(found.get("Outputs", ()), "OutputKey", "OutputValue"),
        _named(found.get("Parameters", ()), "ParameterKey", "ParameterValue"),
        _named(found.get("Tags", ()), "Key", "Value"),
    )


def _named(pairs: Sequence[Mapping[str, str]], key: str, value: str) -> dict[str, str]:
    return {each[key]: each.get(value, "") for each in pairs}


def _change(found: Mapping[str, Any]) -> Change:
    policy = str(found.get("PolicyAction", ""))
    return Change(
        found["Action"],
        found["LogicalResourceId"],
        found["ResourceType"],
        found.get("PhysicalResourceId", ""),
        found.get("Replacement", ""),
        policy in ("Retain", "ReplaceAndRetain"),
    )


def _event(found: Mapping[str, Any]) -> Event:
    return Event(
        found["EventId"],
        found["Timestamp"],
        found.get("LogicalResourceId", ""),
        found.get("PhysicalResourceId", ""),
        found.get("ResourceType", ""),
        found.get("ResourceStatus", ""),
        found.get("ResourceStatusReason", ""),
    )
