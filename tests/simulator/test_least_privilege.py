"""What is printed by `cromulent policy` is enough, and no statement of it can be spared."""

from __future__ import annotations

from typing import Any

import pytest

from cromulent_wdl.provision.permissions import Place, policy
from cromulent_wdl.provision.wishes import Wishes

from .cloud import Cloud
from .conftest import account_number
from .deployments import down
from .inventory import inventory
from .stories import REFUSALS, allowed, place_of, whole_life, with_what_is_given

SERVICE_ROLES = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html"

DEMANDED = {
    ("deploy", "ServiceRoles"): SERVICE_ROLES,  # only an account that has not used ECS or EFS yet makes them
}
"""Statements without which a story here ends all the same, and AWS's page that demands them."""

SAID_OTHERWISE = {"YourBucket": "that these credentials may read"}
"""What is said where S3's refusal, which has no words, is not passed on."""

ANY = Place("aws", "us-east-1", "123456789012")
POLICY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


def sids(wishes: Wishes) -> list[str]:
    return [each["Sid"] for each in policy("deploy", wishes, ANY)["Statement"]]


def given(root: Cloud, name: str) -> Wishes:
    """Return a wish for all that an account may want of a deployment; bucket and boundary are there."""
    root.client("s3").create_bucket(Bucket=f"{name}-given")
    document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    boundary = root.client("iam").create_policy(PolicyName=f"{name}-boundary", PolicyDocument=document)["Policy"]["Arn"]
    key = root.client("kms").create_key()["KeyMetadata"]["Arn"]
    return Wishes(name, bucket=f"{name}-given", task_policies=(POLICY,), permissions_boundary=boundary, kms_key=key)


PLAIN = sids(Wishes("lab"))
GIVEN = Wishes("lab", bucket="b", task_policies=("p",), permissions_boundary="b", kms_key="k")
MORE = [sid for sid in sids(GIVEN) if sid not in PLAIN]


def tell(root: Cloud, wishes: Wishes, without: str = "") -> None:
    """Tell the story that needs the statement, as somebody without it; whatever comes of it is taken away after."""
    before = inventory(root)
    statements: list[dict[str, Any]] = policy("deploy", wishes, place_of(root))["Statement"]
    kept = [each for each in statements if each["Sid"] != without]
    assert len(statements) - len(kept) == bool(without)
    story = with_what_is_given if wishes.bucket else whole_life
    try:
        with allowed(root, f"maker-of-{wishes.name}", kept) as caller:
            story(caller, root, wishes)
    finally:
        down(root, wishes.name, delete_data=True, stop_runs=True)
        assert inventory(root) == before


def names_an_action_of(sid: str, refusal: pytest.ExceptionInfo[Exception]) -> bool:
    """Whether a story broke off for want of this statement, not of anything else."""
    statement = next(each for each in policy("deploy", GIVEN, ANY)["Statement"] if each["Sid"] == sid)
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    return any(words in str(refusal.value) for words in [*actions, SAID_OTHERWISE.get(sid, actions[0])])


def test_the_policy_is_enough(root: Cloud) -> None:
    tell(root, Wishes(f"all{account_number()}"))


def test_the_policy_is_enough_for_what_is_given(root: Cloud) -> None:
    tell(root, given(root, f"given{account_number()}"))


@pytest.mark.parametrize("sid", [each for each in PLAIN if ("deploy", each) not in DEMANDED])
def test_no_statement_can_be_spared(root: Cloud, sid: str) -> None:
    with pytest.raises(REFUSALS) as refusal:
        tell(root, Wishes(f"less{account_number()}"), sid)
    assert names_an_action_of(sid, refusal)


@pytest.mark.parametrize("sid", [each for each in MORE if ("deploy", each) not in DEMANDED])
def test_no_statement_for_what_is_given_can_be_spared(root: Cloud, sid: str) -> None:
    with pytest.raises(REFUSALS) as refusal:
        tell(root, given(root, f"less{account_number()}"), sid)
    assert names_an_action_of(sid, refusal)


@pytest.mark.parametrize("sid", [sid for whose, sid in DEMANDED if whose == "deploy"])
def test_what_is_demanded_by_aws_alone_is_not_shown_here(root: Cloud, sid: str) -> None:
    tell(root, Wishes(f"spared{account_number()}"), sid)
