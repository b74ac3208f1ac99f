"""By what a request is judged: the Service Authorization Reference's page "Actions, resources, and condition keys
for Amazon Elastic Container Service", for the actions that we have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .clusters import short_name
from .seam import Place
from .state import State

__all__ = ["Authorization", "authorization_of"]

_ON_NOTHING = frozenset(
    (
        "ListClusters",
        "ListTaskDefinitions",
        "ListTaskDefinitionFamilies",
        "DescribeTaskDefinition",
        "DeregisterTaskDefinition",
    )
)


@dataclass(frozen=True)
class Authorization:
    """Resources of an action (`*` where it has none), its condition keys, and the roles that it passes on to ECS.

    A caller needs the action on each resource, `also` on the resources beside, and iam:PassRole on each role.
    """

    resources: tuple[str, ...]
    conditions: Mapping[str, str] = field(default_factory=dict)
    passed_roles: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    """Further actions: ecs:TagResource where something is created with tags."""


def authorization_of(state: State, action: str, request: Mapping[str, Any], place: Place) -> Authorization:
    """Return by what a request is judged; it need not be a valid one."""
    cluster = _cluster_arn(place, request.get("cluster") or request.get("clusterName"))
    conditions = {"ecs:cluster": cluster} | _tag_conditions(request)
    also = ("ecs:TagResource",) if request.get("tags") and action != "TagResource" else ()
    if action == "RunTask":
        return _of_run_task(state, request, place, (conditions, also))
    if action == "RegisterTaskDefinition":
        arn = _prefix(place) + f"task-definition/{request.get('family')}:*"
        return Authorization((arn,), _tag_conditions(request), _roles(request), also)
    if action in ("DescribeTasks", "StopTask", "ExecuteCommand"):
        tasks = tuple(_task_arn(cluster, each) for each in request.get("tasks") or [request.get("task")])
        return Authorization(tasks, conditions)
    if action == "ListTasks":
        return Authorization(("*",), conditions)
    return Authorization(_other_resources(action, request, place, cluster), conditions, also=also)


def _other_resources(action: str, request: Mapping[str, Any], place: Place, cluster: str) -> tuple[str, ...]:
    if action in ("TagResource", "UntagResource", "ListTagsForResource"):
        return (str(request.get("resourceArn")),)
    if action == "DescribeClusters":
        return tuple(_cluster_arn(place, each) for each in request.get("clusters") or [None])
    if action == "DeleteTaskDefinitions":
        return tuple(_full_definition_arn(place, each) for each in request.get("taskDefinitions") or ())
    return ("*",) if action in _ON_NOTHING else (cluster,)


def _tag_conditions(request: Mapping[str, Any]) -> dict[str, str]:
    tags: Sequence[Mapping[str, str]] = request.get("tags") or ()
    return {f"aws:RequestTag/{tag.get('key')}": str(tag.get("value", "")) for tag in tags}


def _of_run_task(
    state: State, request: Mapping[str, Any], place: Place, rest: tuple[dict[str, str], tuple[str, ...]]
) -> Authorization:
    """Return the definition's revision and its roles, with the overrides'.

    A family's name is resolved before the authorization (botocore, RunTask), and each role of the task must be
    passed again by whoever runs it (ECS page "Amazon ECS EventBridge IAM role").
    """
    reference = request.get("taskDefinition") or ""
    with state.driver.lock:
        found = state.of(place).definitions.find(reference)
    document: Mapping[str, Any] = found.document if found is not None else {}
    arn = found.arn if found is not None else _full_definition_arn(place, reference)
    conditions, also = rest
    return Authorization((arn,), conditions, _roles({**document, **(request.get("overrides") or {})}), also)


def _roles(members: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(members[name] for name in ("taskRoleArn", "executionRoleArn") if members.get(name))


def _full_definition_arn(place: Place, reference: str) -> str:
    return reference if ":task-definition/" in reference else f"{_prefix(place)}task-definition/{reference}"


def _cluster_arn(place: Place, reference: str | None) -> str:
    return f"{_prefix(place)}cluster/{short_name(reference)}"


def _task_arn(cluster_arn: str, reference: str | None) -> str:
    name = (reference or "").rpartition("/")[2]
    return f"{cluster_arn.replace(':cluster/', ':task/')}/{name}"


def _prefix(place: Place) -> str:
    return f"arn:aws:ecs:{place.region}:{place.account}:"
