"""`cromulent doctor` on the simulator: what it finds is what was done to the deployment."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from cromulent_wdl.aws import permissions
from cromulent_wdl.aws.identity import principal_of
from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.model.deployment import Deployment
from cromulent_wdl.provision.doctor import Facts, Finding, findings
from cromulent_wdl.provision.doctor.account import look_at_account, look_at_deployment
from cromulent_wdl.provision.doctor.facts import Here, Unknown
from cromulent_wdl.provision.doctor.needs import of_caller, wishes_of
from cromulent_wdl.provision.wishes import Wishes
from cromulent_wdl.simulator.process import Simulation
from tests.fakes.clocks import QuickClock

from .cloud import Cloud
from .deployments import access_to, up
from .test_up_command import Run, account, cromulent, environment

__all__ = ["account", "cromulent", "environment"]

LAB = Wishes("lab")
HERE = Here({}, {"docker": "Docker"}, "bwrap", "plugin", {})


def found(cloud: Cloud, *, drift: bool = True) -> dict[str, Finding]:
    access, clock = access_to(cloud), QuickClock()
    account = look_at_account(access, clock)
    deployed = look_at_deployment(access, "lab", account, clock, with_drift=drift)
    return {each.check: each for each in findings(Facts(HERE, account, deployed, 100))}


def drop_mount_target(cloud: Cloud, made: Deployment) -> None:
    efs = cloud.client("efs")
    targets = efs.describe_mount_targets(FileSystemId=made.file_system)["MountTargets"]
    efs.delete_mount_target(MountTargetId=targets[0]["MountTargetId"])


def stop_names(cloud: Cloud, made: Deployment) -> None:
    cloud.client("ec2").modify_vpc_attribute(VpcId=made.vpc, EnableDnsHostnames={"Value": False})


def cut_the_way_out(cloud: Cloud, made: Deployment) -> None:
    ec2 = cloud.client("ec2")
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [made.vpc]}])["RouteTables"]
    for table in tables:
        if any(route.get("DestinationCidrBlock") == "0.0.0.0/0" for route in table["Routes"]):
            ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")


def weaken_the_head(cloud: Cloud, made: Deployment) -> None:
    cloud.client("iam").delete_role_policy(RoleName=made.head_role.rpartition("/")[2], PolicyName="bucket")


def delete_the_bucket(cloud: Cloud, made: Deployment) -> None:
    cloud.client("s3").delete_bucket(Bucket=made.bucket)


def keep_logs_longer(cloud: Cloud, made: Deployment) -> None:
    cloud.client("logs").put_retention_policy(logGroupName=made.log_group, retentionInDays=7)


def test_a_new_deployment_is_well(cloud: Cloud) -> None:
    up(cloud, LAB)
    said = found(cloud)

    assert {name: each for name, each in said.items() if each.state.value != "ok"}.keys() <= {"credentials", "clock"}
    assert "16,372 free in 2 subnets" in said["addresses"].text
    assert "root user" in said["credentials"].text


@pytest.mark.parametrize(
    ("done", "check", "state", "words"),
    [
        (drop_mount_target, "file system", "failure", "is not reached from subnet-"),
        (stop_names, "network", "failure", "does not resolve names"),
        (cut_the_way_out, "network", "failure", "has no way to the internet"),
        (weaken_the_head, "head's role", "failure", "s3:GetObject, s3:ListBucket"),
        (delete_the_bucket, "bucket", "failure", "is not there"),
        (keep_logs_longer, "drift", "warning", "Logs (/RetentionInDays)"),
    ],
)
def test_what_was_done_to_it_is_found(
    cloud: Cloud, done: Callable[[Cloud, Deployment], None], check: str, state: str, words: str
) -> None:
    made = up(cloud, LAB)
    assert made is not None
    done(cloud, made)
    said = found(cloud, drift=check == "drift")[check]

    assert (said.state.value, words in said.text) == (state, True), said


def test_a_user_is_judged_by_its_policies(cloud: Cloud) -> None:
    made = up(cloud, LAB)
    assert made is not None
    iam = cloud.client("iam")
    user = iam.create_user(UserName="runner")["User"]["Arn"]
    allowed = {"Effect": "Allow", "Action": ["states:*", "cloudformation:*"], "Resource": "*"}
    iam.put_user_policy(UserName="runner", PolicyName="p", PolicyDocument=json.dumps({"Statement": [allowed]}))

    lacks = permissions.denied(access_to(cloud), user, of_caller(made, wishes_of(made, {})))

    assert "s3:PutObject" in {need.action for need in lacks}
    assert not [need.action for need in lacks if need.action.startswith(("states:", "cloudformation:"))]


def test_a_session_is_judged_by_its_role(cloud: Cloud) -> None:
    made = up(cloud, LAB)
    assert made is not None
    session = f"arn:aws:sts::{made.account}:assumed-role/{made.head_role.rpartition('/')[2]}/ada"

    assert principal_of(access_to(cloud), session) == made.head_role


def test_credentials_that_are_refused_still_tell_the_time(strict_simulation: Simulation) -> None:
    with Cloud.at(strict_simulation.address, "AKIANOBODYATALL00000", "secret") as nobody:
        account = look_at_account(access_to(nobody), SYSTEM)

    said = {each.check: each for each in findings(Facts(HERE, account, Unknown("")))}
    assert (said["credentials"].state.value, said["clock"].state.value) == ("failure", "ok"), said
    assert "deployment" not in said


def test_the_command(cromulent: Run) -> None:
    without = cromulent("doctor", "--quick")
    assert without.returncode == 0 and "there is no deployment 'cromulent'" in without.stdout
    assert cromulent("doctor", "--quick", "--strict").returncode == 1

    cromulent("up", "--yes")
    said = json.loads(cromulent("doctor", "--quick", "--json").stdout)
    assert {each["check"]: each["state"] for each in said}["head's role"] == "ok"
    assert "drift" not in {each["check"] for each in said}
