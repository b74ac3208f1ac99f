"""The policies that are printed: their form, their size, and what is given changes in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cromulent_wdl.cli.main import run
from cromulent_wdl.provision.permissions import LIMIT, Place, in_parts, length, policy
from cromulent_wdl.provision.role_permissions import roles
from cromulent_wdl.provision.wishes import ROLES, Wishes

HERE = Place("aws", "eu-west-1", "123456789012")
KEY = "arn:aws:kms:eu-west-1:123456789012:key/k"
RUNS = "arn:aws:iam::123456789012:role/made"


def statement(document: dict[str, Any], sid: str) -> dict[str, Any]:
    return next(each for each in document["Statement"] if each["Sid"] == sid)


def sids(document: dict[str, Any]) -> set[str]:
    return {each["Sid"] for each in document["Statement"]}


def test_what_is_not_given_is_not_asked_for() -> None:
    optional = {"YourBucket", "RecordsKey", "TaskPolicies", "Boundary", "Key", "EncryptLogs"}
    given = Wishes(
        "lab", bucket="mine", task_policies=("arn:aws:iam::aws:policy/A",), permissions_boundary="b", kms_key=KEY
    )

    assert not sids(policy("deploy", Wishes("lab"), HERE)) & optional
    assert optional <= sids(policy("deploy", given, HERE))
    assert statement(policy("deploy", given, HERE), "Key")["Resource"] == [KEY]


def test_roles_made_beforehand_are_passed_and_not_made() -> None:
    document = policy("deploy", Wishes("lab", roles=dict.fromkeys(ROLES, RUNS)), HERE)

    assert "Roles" not in sids(document)
    assert set(statement(document, "GiveRoles")["Resource"]) == {RUNS}


@pytest.mark.parametrize(("name", "start"), [("lab", "lab-Own*"), ("l" * 40, "l" * 24 + "*")])
def test_roles_are_known_by_how_cloudformation_names_them(name: str, start: str) -> None:
    found = statement(policy("deploy", Wishes(name), HERE), "Roles")["Resource"]

    assert [arn.rpartition("/")[2].replace("**", "*") for arn in found] == [start]


def test_parts_fit_into_managed_policies_and_have_every_statement_once() -> None:
    whole = policy("deploy", Wishes("l" * 40, kms_key=KEY), HERE)
    parts = in_parts(whole)

    assert [each for part in parts for each in part["Statement"]] == whole["Statement"]
    assert max(map(length, parts)) <= LIMIT < length(whole)
    assert len(in_parts(policy("run", Wishes("lab"), HERE))) == 1


def test_roles_are_read_from_the_template() -> None:
    found = roles(Wishes("lab", task_policies=("arn:aws:iam::aws:policy/A",)), HERE)

    assert tuple(found) == ROLES
    assert found["task"]["ManagedPolicyArns"] == ["arn:aws:iam::aws:policy/A"]
    assert "ManagedPolicyArns" not in found["head"]
    heads = {each["Sid"]: each for part in found["head"]["Policies"] for each in part["PolicyDocument"]["Statement"]}
    assert "BucketKey" not in heads
    assert heads["GiveRoles"]["Resource"] == [
        f"arn:aws:iam::123456789012:role/lab-{role}" for role in ("task", "execution")
    ]
    assert heads["Mount"]["Condition"] == {
        "StringLike": {
            "elasticfilesystem:AccessPointArn": "arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/*"
        }
    }


def test_the_command_prints_json_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--name", "lab", "--region", "eu-west-1", "--account", "123456789012"]
    assert run(["policy", *where, "--part", "2"]) == 0
    assert json.loads(capsys.readouterr().out) == in_parts(policy("deploy", Wishes("lab"), HERE))[1]
    assert run(["policy", *where, "--run"]) == 0
    assert json.loads(capsys.readouterr().out) == policy("run", Wishes("lab"), HERE)
    assert run(["policy", *where, "--roles"]) == 0
    assert json.loads(capsys.readouterr().out) == roles(Wishes("lab"), HERE)


@pytest.mark.parametrize(
    "wrong",
    [["--run", "--roles"], ["--part", "3"], ["--account", "12"], ["--name", "1lab"], ["--roles", "--part", "1"]],
)
def test_what_cannot_be_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "--region", "eu-west-1", "--account", "123456789012", *wrong]) == 2
    assert "hint:" in capsys.readouterr().err
