"""The policies, printed and in the template, hold what is needed and nothing else, by the code and by AWS's lists."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data

from cromulent_wdl.provision import template
from cromulent_wdl.provision.permissions import Place, policy
from cromulent_wdl.provision.role_permissions import roles
from cromulent_wdl.provision.wishes import ROLES, Wishes
from tests.permissions.actions import actions_of
from tests.permissions.api_calls import AWS, api_calls
from tests.permissions.needs import (
    DEMANDED,
    NOT_OURS,
    called,
    callers_of,
    left_out,
    schema_actions,
)

HERE = Place("aws", "us-east-1", "123456789012")
ALL = Wishes(
    "lab",
    bucket="mine",
    read_buckets=("yours",),
    secrets=("arn:aws:secretsmanager:us-east-1:123456789012:secret:s-123456",),
    task_policies=("arn:aws:iam::aws:policy/A",),
    permissions_boundary="arn:aws:iam::123456789012:policy/b",
    kms_key="arn:aws:kms:us-east-1:123456789012:key/k",
)
"""Everything that adds a statement."""


def statements(whose: str) -> list[dict[str, Any]]:
    if whose in ("deploy", "run"):
        return list(policy("deploy" if whose == "deploy" else "run", ALL, HERE)["Statement"])
    return [each for part in roles(ALL, HERE)[whose]["Policies"] for each in part["PolicyDocument"]["Statement"]]


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def allowed(whose: str) -> set[str]:
    return {action for each in statements(whose) for action in listed(each["Action"])}


def machines() -> set[str]:
    """Return what the state machines call: `ecs:runTask.sync` and `aws-sdk:ecs:listTasks` at the end of an ARN."""
    found: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            resource = value.get("Resource")
            text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
            if value.get("Type") == "Task" and isinstance(text, str):
                service, action = text.partition(":states:::")[2].removeprefix("aws-sdk:").split(":")[:2]
                found.add(f"{service}:{action[0].upper()}{action[1:].partition('.')[0]}")
            for each in value.values():
                look(each)
        for each in value if isinstance(value, list) else ():
            look(each)

    look([each for each in template.parsed()["Resources"].values() if each["Type"].endswith("StateMachine")])
    return found


def needed(whose: str) -> set[str]:
    """Return what must be allowed."""
    found = set(called(whose)) | set(DEMANDED.get(whose, ()))
    if whose == "deploy":
        found |= {action for action in schema_actions() if left_out(action) is None or action in called("deploy")}
        found |= {"iam:AttachRolePolicy", "iam:DetachRolePolicy"}
    return found | (machines() if whose == "states" else set())


EVERYBODY = ("deploy", "run", *ROLES)


def test_every_call_is_somebodys() -> None:
    nobodys = [f"{call.module}.{call.function}: {call.operation}" for call in api_calls() if not callers_of(call)]

    assert nobodys == []


def test_no_module_that_opens_a_client_is_overlooked() -> None:
    opening = {file.stem for file in AWS.rglob("*.py") if ".client(" in file.read_text()}

    assert opening - {call.module.rpartition(".")[2] for call in api_calls()} <= {"access", "doorway"}


@pytest.mark.parametrize("whose", EVERYBODY)
def test_row_55_no_action_is_missing(whose: str) -> None:
    assert sorted(needed(whose) - allowed(whose)) == []


@pytest.mark.parametrize("whose", EVERYBODY)
def test_no_action_is_more_than_is_needed(whose: str) -> None:
    assert sorted(allowed(whose) - needed(whose)) == []


@pytest.mark.parametrize("pattern", NOT_OURS)
def test_what_is_left_out_is_in_the_schemas(pattern: str) -> None:
    assert any(fnmatchcase(action, pattern) for action in schema_actions())


@pytest.mark.parametrize("whose", EVERYBODY)
def test_iam_knows_every_action_and_judges_it_on_such_a_resource_by_such_keys(whose: str) -> None:
    wrong = [finding for each in statements(whose) for finding in findings(each)]

    assert wrong == []


VARIABLE = re.compile(r"\$\{\w+\}")
GLOBAL_KEYS = {"aws:CalledVia", "aws:RequestedRegion"}


def findings(statement: dict[str, Any]) -> list[str]:
    """Return what IAM's own lists have against a statement."""
    found = []
    for action in listed(statement["Action"]):
        service, _, name = action.partition(":")
        data = get_action_data(service, name)
        if "*" in action or not data:
            found.append(f"{statement['Sid']}: IAM has no action {action}")
            continue
        rows = data[service]
        kinds = {row["resource_arn_format"] for row in rows} - {"*"}
        resources = listed(statement["Resource"])
        if resources == ["*"]:
            if kinds and action not in WITHOUT_RESOURCE:
                found.append(f"{statement['Sid']}: {action} can be limited to {sorted(kinds)}")
        elif not any(fits(resource, kind) for resource in resources for kind in kinds):
            found.append(f"{statement['Sid']}: {action} is of no use on {resources}, but on {sorted(kinds)}")
        keys = {key for keys in statement.get("Condition", {}).values() for key in keys} - GLOBAL_KEYS
        known = {key for row in rows for key in row["condition_keys"]} | {"kms:ViaService"}
        for key in keys:
            if not any(fnmatchcase(key, k.replace("${TagKey}", "*")) for k in known) and key not in MOUNT_KEYS:
                found.append(f"{statement['Sid']}: {action} is not judged by {key}")
    return found


WITHOUT_RESOURCE = {
    "ecs:ListTasks": "on a container instance, if one is named; we name none",
    "servicequotas:GetServiceQuota": "only the latest of AWS's lists gives it one",
}
"""Actions that we allow on `*`, though IAM's list has a resource for them, and why."""
MOUNT_KEYS = {"elasticfilesystem:AccessPointArn"}


def fits(resource: str, kind: str) -> bool:
    """Whether something is both what our pattern says and what IAM's format of a kind says."""
    return _meet(resource, VARIABLE.sub("*", kind.replace("${Partition}", "aws")))


def _meet(one: str, other: str) -> bool:
    """Whether two patterns have a text in common."""
    if not one or not other:
        return set(one + other) <= {"*"}
    if one[0] == "*":
        return _meet(one[1:], other) or (other[0] != "*" and _meet(one, other[1:])) or _meet(one[1:], other[1:])
    if other[0] == "*":
        return _meet(other, one)
    return one[0] == other[0] and _meet(one[1:], other[1:])


def test_every_operation_has_an_action_that_iam_knows() -> None:
    actions = {action for call in api_calls() for action in actions_of(call.service, call.operation)}

    assert sorted(action for action in actions if not get_action_data(*action.split(":"))) == []


@pytest.mark.parametrize("whose", EVERYBODY)
def test_the_reference_says_why_each_statement_is_there(whose: str) -> None:
    reference = (Path(__file__).parents[2] / "docs" / "reference" / "permissions.md").read_text()

    assert [each["Sid"] for each in statements(whose) if f"`{each['Sid']}`" not in reference] == []
