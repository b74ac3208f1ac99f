"""Stories of a deployment where IAM is enforced, told as whoever may do what some statements say and nothing else.

A story ends, or raises one of `REFUSALS` where a statement is missing. `proofs` of a policy are its statements with
those left out that only AWS itself demands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cromulent_wdl.cli.usage import month_usage
from cromulent_wdl.errors import AwsError, ProvisionFailed, UsageError
from cromulent_wdl.model.deployment import Deployment
from cromulent_wdl.provision import standing
from cromulent_wdl.provision.doctor.account import look_at_account, look_at_deployment
from cromulent_wdl.provision.doctor.facts import Deployed, Unknown
from cromulent_wdl.provision.permissions import Place, in_parts
from cromulent_wdl.provision.wishes import Wishes
from cromulent_wdl.storage.bucket import RunKeys
from tests.fakes.clocks import FakeClock, QuickClock

from .cloud import Cloud
from .deployments import access_to, down, up
from .test_deployment import go_on
from .test_down import fill

__all__ = ["REFUSALS", "Refused", "allowed", "place_of", "whole_life", "with_what_is_given"]


class Refused(Exception):
    """Something was not told for want of a permission."""


REFUSALS = (AwsError, ProvisionFailed, UsageError, Refused)


@contextmanager
def allowed(root: Cloud, name: str, statements: Sequence[dict[str, Any]]) -> Iterator[Cloud]:
    """Make a user with these statements, in managed policies as an administrator would, and remove it again."""
    iam, policies = root.client("iam"), []
    iam.create_user(UserName=name)
    keys = iam.create_access_key(UserName=name)["AccessKey"]
    for number, part in enumerate(in_parts({"Version": "2012-10-17", "Statement": list(statements)})):
        made = iam.create_policy(PolicyName=f"{name}-{number}", PolicyDocument=json.dumps(part))["Policy"]["Arn"]
        iam.attach_user_policy(UserName=name, PolicyArn=made)
        policies.append(made)
    try:
        with Cloud.at(root.address, keys["AccessKeyId"], keys["SecretAccessKey"]) as cloud:
            yield cloud
    finally:
        for arn in policies:
            iam.detach_user_policy(UserName=name, PolicyArn=arn)
            iam.delete_policy(PolicyArn=arn)
        iam.delete_access_key(UserName=name, AccessKeyId=keys["AccessKeyId"])
        iam.delete_user(UserName=name)


def place_of(root: Cloud) -> Place:
    """Return where the simulator's account is."""
    return Place("aws", "us-east-1", str(root.client("sts").get_caller_identity()["Account"]))


def whole_life(caller: Cloud, root: Cloud, wishes: Wishes) -> None:
    """Make a deployment, change it, look at it, take it away while it runs, take its data back, delete all."""
    name = wishes.name
    made = up(caller, wishes)
    assert made is not None
    assert up(caller, Wishes(name, log_retention=7, tags={"team": "blue"})) is not None
    _live(root, made)
    _look(caller, name)
    assert down(caller, name, stop_runs=True) == ()
    assert up(caller, wishes) is not None
    assert down(caller, name, delete_data=True) == ()


def with_what_is_given(caller: Cloud, root: Cloud, wishes: Wishes) -> None:
    """Make a deployment with what an account may want of it, and take it away."""
    made = up(caller, wishes)
    assert made is not None
    assert up(caller, Wishes(wishes.name, tags={"team": "blue"})) is not None
    _leave_record(root, made)
    month_usage(access_to(caller), made, (), FakeClock().now())
    assert down(caller, wishes.name, delete_data=True) == ()


def _live(root: Cloud, made: Deployment) -> None:
    """Have runs leave what runs leave, as somebody who may do everything."""
    go_on(root, made, f"of-{made.name}")
    tags = [{"Key": "cromulent:deployment", "Value": made.name}]
    root.client("efs").create_access_point(FileSystemId=made.file_system, Tags=tags)
    fill(root, made.bucket)
    _leave_record(root, made)


def _leave_record(root: Cloud, made: Deployment) -> None:
    root.client("s3").put_object(Bucket=made.bucket, Key=RunKeys("story").segment(1), Body=b"no journal\n")


def _look(caller: Cloud, name: str) -> None:
    """Have status and doctor tell all that they can."""
    access, clock = access_to(caller), QuickClock()
    found = standing.look(access, name)
    if found.quotas is None or found.in_bucket is None or found.files is None:
        raise Refused(f"status tells less: {found}")
    month_usage(access, found.deployment, (), clock.now())
    account = look_at_account(access, clock)
    deployed = look_at_deployment(access, name, account, clock, with_drift=True)
    if isinstance(deployed, Unknown) or isinstance(account.quotas, Unknown):
        raise Refused(f"doctor knows nothing: {deployed}")
    told = {field: getattr(deployed, field) for field in Deployed.__dataclass_fields__}
    if lacking := {field: value for field, value in told.items() if isinstance(value, Unknown)}:
        raise Refused(f"doctor knows less: {lacking}")
    if deployed.manager_lacks or deployed.head_lacks:
        raise Refused(f"doctor misses: {deployed.manager_lacks} {deployed.head_lacks}")
