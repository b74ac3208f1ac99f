"""No statement of a policy is wider than the code needs: not by its resources, nor for want of a condition.

What a statement allows is bound to the deployment: by its name or an id of its own, by the tag that it carries, or by
its cluster. What cannot be is listed here, with the reason.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data

from cromulent_wdl.model.deployment import Deployment
from cromulent_wdl.provision.permissions import policy
from cromulent_wdl.provision.role_permissions import roles
from cromulent_wdl.provision.wishes import ROLES

from .test_permissions import ALL, EVERYBODY, HERE, fits, listed

NO_RESOURCES = "IAM judges these actions on no resource"
NEW = "what is made has no id or tag yet, or is a file system of the user's"
LOOKS = "looks, at what has no id that is known before"
IMAGES = "the images of workflows, in any repository of the account"
REGION, FORMATION = "aws:RequestedRegion", "aws:CalledVia"

WIDE = {
    ("deploy", "Look"): (NO_RESOURCES, REGION),
    ("deploy", "LookAtNames"): (LOOKS, ""),
    ("deploy", "MakeNetwork"): (NEW, FORMATION),
    ("deploy", "NewFiles"): (NO_RESOURCES, FORMATION),
    ("deploy", "MakeFiles"): (NEW, FORMATION),
    ("deploy", "LookAtFiles"): (LOOKS, ""),
    ("deploy", "Deregister"): (NO_RESOURCES, REGION),
    ("deploy", "AskIam"): ("asks, about the caller and the deployment's head", ""),
    ("deploy", "ServiceRoles"): ("the roles that AWS itself makes, by their names", "iam:AWSServiceName"),
    ("deploy", "Cluster"): ("two of its resources are AWS's own: Fargate, and Fargate Spot", ""),
    ("run", "LogInToImages"): (NO_RESOURCES, ""),
    ("run", "LookAtImages"): (IMAGES, ""),
    ("run", "Prices"): (f"{NO_RESOURCES}: the list of prices is everybody's", ""),
    ("execution", "LogIn"): (NO_RESOURCES, ""),
    ("execution", "Pull"): (IMAGES, ""),
    ("head", "Look"): (NO_RESOURCES, ""),
    ("head", "Quotas"): (NO_RESOURCES, REGION),
    ("head", "FreeAddresses"): (NO_RESOURCES, REGION),
    ("head", "LogInToImages"): (NO_RESOURCES, ""),
    ("head", "LookAtImages"): (IMAGES, ""),
    ("head", "TagAccessPoint"): ("what is being made has no id yet", "elasticfilesystem:CreateAction"),
    ("head", "FindAccessPoints"): (LOOKS, ""),
    ("states", "Watch"): ("the rule that Step Functions manages, by its name", ""),
}
"""Statements that allow something outside of the deployment, why, and the condition that narrows them all the same."""

STANDING = Deployment(
    name="lab",
    version="1",
    region="us-east-1",
    account="123456789012",
    vpc="vpc-1",
    subnets=("subnet-1",),
    assign_public_ip=True,
    security_group="sg-1",
    file_system="fs-of-lab",
    access_point="fsap-of-lab",
    bucket="lab-results-1",
    cluster="lab-Tasks-1",
    log_group="/cromulent/lab",
    execution_role="arn:aws:iam::123456789012:role/lab-execution",
    task_role="arn:aws:iam::123456789012:role/lab-task",
    head_role="arn:aws:iam::123456789012:role/lab-head",
    states_role="arn:aws:iam::123456789012:role/lab-states",
    state_machine="arn:aws:states:us-east-1:123456789012:stateMachine:lab-run",
    sweep_machine="arn:aws:states:us-east-1:123456789012:stateMachine:lab-sweep",
)
GIVEN = [ALL.bucket, *(ALL.read_buckets or ()), *(ALL.secrets or ()), *(ALL.task_policies or ()), ALL.kms_key]
"""What the user names."""


def statements(whose: str) -> list[dict[str, Any]]:
    """Return the statements as they are where the deployment stands."""
    if whose not in ROLES:
        return list(policy("deploy" if whose == "deploy" else "run", ALL, HERE)["Statement"])
    found = roles(ALL, HERE, STANDING)[whose]["Policies"]
    return [each for part in found for each in part["PolicyDocument"]["Statement"]]


def of_the_deployment(text: str) -> bool:
    """Whether an ARN or a value of a condition names the deployment, or what the user gave to it."""
    named = text.split(":", 5)[-1] if text.startswith("arn:") else text
    own = any(each.startswith(("lab", "fs-of-lab", "fsap-of-lab")) for each in re.split("[/_:]", named))
    return own or any(given and given in text for given in GIVEN)


def bound(statement: dict[str, Any]) -> bool:
    """Whether a statement allows nothing outside of the deployment."""
    if all(of_the_deployment(resource) for resource in listed(statement["Resource"])):
        return True
    compared = {"ArnEquals", "ArnLike", "StringEquals", "StringLike"} & set(statement.get("Condition", {}))
    values = [value for operator in compared for value in statement["Condition"][operator].values()]
    return any(all(of_the_deployment(each) for each in listed(value)) for value in values)


EVERY = [(whose, each["Sid"]) for whose in EVERYBODY for each in statements(whose)]


@pytest.mark.parametrize(("whose", "sid"), EVERY)
def test_a_statement_is_bound_to_the_deployment_or_says_why_not(whose: str, sid: str) -> None:
    statement = next(each for each in statements(whose) if each["Sid"] == sid)

    assert bound(statement) != ((whose, sid) in WIDE), statement


@pytest.mark.parametrize(("whose", "sid"), EVERY)
def test_every_resource_of_a_statement_is_one_that_an_action_of_it_is_judged_on(whose: str, sid: str) -> None:
    statement = next(each for each in statements(whose) if each["Sid"] == sid)
    rows = [
        row
        for action in listed(statement["Action"])
        for row in get_action_data(*action.split(":"))[action.partition(":")[0]]
    ]
    kinds = {row["resource_arn_format"] for row in rows}

    assert [
        each for each in listed(statement["Resource"]) if each != "*" and not any(fits(each, k) for k in kinds)
    ] == []


@pytest.mark.parametrize(("whose", "sid"), WIDE)
def test_what_is_wide_is_narrowed_by_a_condition_where_there_is_one(whose: str, sid: str) -> None:
    (statement,) = (each for each in statements(whose) if each["Sid"] == sid)
    _, key = WIDE[whose, sid]

    assert {key} - {""} <= {each for keys in statement.get("Condition", {}).values() for each in keys}


@pytest.mark.parametrize("whose", EVERYBODY)
def test_roles_are_handed_to_services_that_are_named(whose: str) -> None:
    passing = [each for each in statements(whose) if "iam:PassRole" in listed(each["Action"])]

    assert [each["Sid"] for each in passing if "iam:PassedToService" not in each["Condition"]["StringEquals"]] == []
