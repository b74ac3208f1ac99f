"""CloudFormation does what its caller may do: judged by what the registry's schemas say that it calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from cromulent_wdl.simulator.ministack.stack_calls import actions, kinds

from .cloud import Cloud

OPERATIONS = ("create", "read", "update", "delete")
VPC = {"Net": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}}


@contextmanager
def user(root: Cloud, name: str, *statements: dict[str, Any]) -> Iterator[Cloud]:
    """Make a user who may do what the statements say."""
    iam = root.client("iam")
    iam.create_user(UserName=name)
    keys = iam.create_access_key(UserName=name)["AccessKey"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})
    iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=document)
    with Cloud.at(root.address, keys["AccessKeyId"], keys["SecretAccessKey"]) as cloud:
        yield cloud


FORMATION = {"Action": "cloudformation:*", "Resource": "*"}


def networks(*actions: str, **conditions: Any) -> dict[str, Any]:
    return {"Action": [f"ec2:{each}" for each in actions], "Resource": "*", **conditions}


READS = networks(
    "DescribeVpcs",
    "DescribeVpcAttribute",
    "DescribeNetworkAcls",
    "DescribeSecurityGroups",
    "DescribeVpcEncryptionControls",
)
BY_STACKS = {"Condition": {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}}


def test_a_stack_is_made_with_the_callers_permissions(root: Cloud) -> None:
    makes = networks("CreateVpc", "CreateTags", "ModifyVpcAttribute", "DeleteVpc", **BY_STACKS)
    with user(root, "maker", FORMATION, READS, makes) as caller:
        assert caller.create_stack("made", json.dumps({"Resources": VPC})).status == "CREATE_COMPLETE"
        assert caller.delete_stack("made").status == "DELETE_COMPLETE"


def test_what_the_caller_may_not_do_fails_its_resource_and_says_so(root: Cloud) -> None:
    makes = networks("CreateTags", "ModifyVpcAttribute", "DeleteVpc")
    with user(root, "unmaker", FORMATION, READS, makes) as caller:
        assert caller.create_stack("unmade", json.dumps({"Resources": VPC})).status == "ROLLBACK_COMPLETE"
        why = caller.failures("unmade")["Net"]
    assert "user/unmaker is not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:" in why


def test_what_only_stacks_may_do_the_caller_may_not_do(root: Cloud) -> None:
    with user(root, "viewer", networks("DescribeVpcs", **BY_STACKS)) as caller:
        with pytest.raises(Exception, match="not authorized"):
            caller.client("ec2").describe_vpcs()


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_what_is_called_for_a_type_is_in_its_schema(kind: str) -> None:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    known = {action for handler in schema["handlers"].values() for action in handler["permissions"]}
    known |= set(schema.get("tagging", {}).get("permissions", ()))

    assert frozenset().union(*(actions(kind, operation) for operation in OPERATIONS)) <= known
