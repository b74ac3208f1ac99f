"""Task definitions, to be removed: AWS keeps them for ever, until each is deregistered and then deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import AwsError
from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

__all__ = ["Definition", "find", "remove"]

_BATCH = 10
"""DeleteTaskDefinitions takes no more."""


@dataclass(frozen=True)
class Definition:
    """One revision of a family."""

    arn: str
    active: bool


def find(access: Access, prefix: str) -> tuple[Definition, ...]:
    """Return all revisions, active or not, of the families whose names begin so."""
    client, found = _client(access), set[Definition]()
    with asking(f"listing the task definitions {prefix}*"):
        for page in client.get_paginator("list_task_definition_families").paginate(familyPrefix=prefix, status="ALL"):
            for family in page["families"]:
                found |= _revisions(client, family)
    return tuple(sorted(found, key=lambda each: each.arn))


def _revisions(client: ECSClient, family: str) -> set[Definition]:
    found = set()
    for status in ("ACTIVE", "INACTIVE"):
        wanted: Any = {"familyPrefix": family, "status": status}
        for page in client.get_paginator("list_task_definitions").paginate(**wanted):
            found |= {Definition(arn, status == "ACTIVE") for arn in page["taskDefinitionArns"]}
    return found


def remove(access: Access, definitions: Sequence[Definition]) -> None:
    """Deregister task definitions and delete them. AWS lets it be done at a rate of one a second."""
    client = _client(access)
    for each in definitions:
        if each.active:
            with asking(f"deregistering {each.arn.rpartition('/')[2]}"):
                client.deregister_task_definition(taskDefinition=each.arn)
    for start in range(0, len(definitions), _BATCH):
        batch = [each.arn for each in definitions[start : start + _BATCH]]
        with asking("deleting task definitions"):
            answer = client.delete_task_definitions(taskDefinitions=batch)
        if refused := answer.get("failures"):
            raise AwsError(f"AWS did not delete {refused[0].get('arn')}: {refused[0].get('reason')}")


def _client(access: Access) -> ECSClient:
    client: ECSClient = access.client("ecs")
    return client
