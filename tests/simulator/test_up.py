"""`up` in all the states that a stack can be found in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cromulent_wdl import __version__
from cromulent_wdl.aws import cloudformation
from cromulent_wdl.errors import ProvisionFailed, UsageError
from cromulent_wdl.pricing.card import shipped
from cromulent_wdl.provision import applying, find_deployment, template
from cromulent_wdl.provision.wishes import ROLES, Wishes

from .cloud import Cloud
from .deployments import access_to, down, quietly, up
from .inventory import inventory

LAB = Wishes("lab")
OLDER = Path(__file__).with_name("older.yaml").read_text()
BROKEN = template.body().replace(
    "CapacityProviders: [FARGATE, FARGATE_SPOT]", "CapacityProviders: [FARGATE, NONE_SUCH]"
)


def test_up_and_up_again(cloud: Cloud) -> None:
    made = up(cloud, LAB)
    before = inventory(cloud)

    assert made is not None and made.version == __version__
    assert up(cloud, LAB) is None
    assert inventory(cloud) == before


def test_a_plan_makes_nothing_and_leaves_nothing_when_it_is_not_wanted(cloud: Cloud) -> None:
    access = access_to(cloud)
    planned = applying.plan(access, LAB, quietly)

    assert planned.new and len(planned.changes) > 20
    assert inventory(cloud) == {}
    applying.discard(access, planned)
    assert cloudformation.find_stack(access, "lab") is None


def test_a_parameter_changes_in_place_and_stays(cloud: Cloud) -> None:
    first = up(cloud, LAB)
    planned = applying.plan(access_to(cloud), Wishes("lab", log_retention=7), quietly)
    assert "change     Logs (log group), in place" in planned.in_words(shipped().rates("us-east-1"))
    second = up(cloud, Wishes("lab", log_retention=7, tags={"team": "blue"}))
    groups = cloud.client("logs").describe_log_groups()["logGroups"]

    assert first == second
    assert [group["retentionInDays"] for group in groups] == [7]
    assert up(cloud, LAB) is None
    stack = cloudformation.find_stack(access_to(cloud), "lab")
    assert stack is not None and stack.tags["team"] == "blue"


def test_an_older_template_is_brought_up_to_date_and_keeps_bucket_and_files(cloud: Cloud) -> None:
    parameters = {"Version": "0.0.1", "ZoneA": "use1-az1", "ZoneB": "use1-az2"}
    cloud.client("cloudformation").create_stack(
        StackName="lab",
        TemplateBody=OLDER,
        Tags=[{"Key": "cromulent:deployment", "Value": "lab"}],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    older = cloud.settled("lab")
    updated = up(cloud, LAB)

    assert updated is not None
    assert (updated.bucket, updated.file_system) == (older["Bucket"], older["FileSystem"])
    assert updated.version == __version__
    assert "queues" not in inventory(cloud)


def test_what_fails_in_the_middle_is_taken_away_and_the_next_up_makes_it(cloud: Cloud) -> None:
    with pytest.raises(
        ProvisionFailed, match=r"^TasksCapacity \(capacity.*\) failed: The specified capacity provider"
    ) as failure:
        up(cloud, LAB, BROKEN)

    assert "All of it was taken away again. The stack 'lab' is ROLLBACK_COMPLETE" in str(failure.value)
    assert inventory(cloud) == {}
    assert up(cloud, LAB) is not None


def test_what_failed_for_want_of_a_role_that_aws_makes_then_is_made_at_once_again(cloud: Cloud) -> None:
    access = access_to(cloud)
    late = template.body().replace("{Name: containerInsights,", "{Name: 'service linked role',")
    planned = applying.plan(access, LAB, quietly, body=late)

    assert applying.make(access, LAB, planned, quietly) == find_deployment(access, "lab")
    with pytest.raises(ProvisionFailed, match="service linked role"):
        applying.make(access, LAB, applying.plan(access, LAB, quietly, body=late), quietly)


def test_a_change_that_fails_leaves_the_deployment_as_it_was(cloud: Cloud) -> None:
    first = up(cloud, LAB)
    with pytest.raises(ProvisionFailed, match="The deployment is as it was before"):
        up(cloud, LAB, BROKEN)

    assert find_deployment(access_to(cloud), "lab") == first
    assert up(cloud, Wishes("lab", log_retention=7)) is not None


def test_a_plan_that_nobody_carried_out_is_no_obstacle(cloud: Cloud) -> None:
    applying.plan(access_to(cloud), LAB, quietly)

    assert up(cloud, LAB) is not None


def test_what_was_begun_and_not_watched_is_waited_for(cloud: Cloud) -> None:
    access = access_to(cloud)
    planned = applying.plan(access, LAB, quietly)
    cloudformation.execute_change_set(access, planned.change_set)

    assert up(cloud, LAB) is None
    assert find_deployment(access, "lab").name == "lab"


def test_data_is_never_replaced(cloud: Cloud) -> None:
    up(cloud, LAB)
    other = template.body().replace("ThroughputMode: elastic", "PerformanceMode: maxIO")

    with pytest.raises(ProvisionFailed, match="this would replace Files, with your data; nothing was changed"):
        up(cloud, LAB, other)
    assert up(cloud, LAB) is None


def test_a_stack_of_others_is_left_alone(cloud: Cloud) -> None:
    cloud.create_stack("lab", "Resources: {Queue: {Type: 'AWS::SQS::Queue'}}")

    with pytest.raises(UsageError, match="not one of cromulent's"):
        up(cloud, LAB)


def network(cloud: Cloud, *, way_out: bool = True, names: bool = True) -> tuple[str, list[str]]:
    """Make a VPC of a user's with three subnets in two zones; return their ids."""
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": names})
    zones = ("us-east-1a", "us-east-1b", "us-east-1b")
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(zones)
    ]
    if way_out:
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
        ec2.create_route(RouteTableId=tables[0]["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    return vpc, subnets


def test_a_network_of_the_users_is_used(cloud: Cloud) -> None:
    vpc, subnets = network(cloud)
    made = up(cloud, Wishes("lab", vpc=vpc, subnets=tuple(subnets[:2])))

    assert made is not None
    assert (made.vpc, list(made.subnets), made.assign_public_ip) == (vpc, subnets[:2], True)
    assert inventory(cloud)["vpcs"] == [vpc]


@pytest.mark.parametrize(
    ("made", "chosen", "reason"),
    [
        ({"way_out": False}, slice(0, 2), "no way to the internet"),
        ({"names": False}, slice(0, 2), "does not resolve names"),
        ({}, slice(1, 3), "in one zone"),
        ({}, slice(0, 0), "which subnets"),
    ],
)
def test_a_network_that_does_not_do_is_refused(cloud: Cloud, made: dict[str, Any], chosen: slice, reason: str) -> None:
    vpc, subnets = network(cloud, **made)

    with pytest.raises(UsageError, match=reason):
        up(cloud, Wishes("lab", vpc=vpc, subnets=tuple(subnets[chosen])))
    assert cloudformation.find_stack(access_to(cloud), "lab") is None


def test_a_file_system_with_mount_targets_gets_the_one_rule(cloud: Cloud) -> None:
    vpc, subnets = network(cloud)
    ec2, efs = cloud.client("ec2"), cloud.client("efs")
    group = ec2.create_security_group(GroupName="files", Description="files", VpcId=vpc)["GroupId"]
    files = efs.create_file_system(CreationToken="theirs")["FileSystemId"]
    for subnet in subnets[:2]:
        efs.create_mount_target(FileSystemId=files, SubnetId=subnet, SecurityGroups=[group])

    with pytest.raises(UsageError, match=f"is reached from {vpc}"):
        up(cloud, Wishes("lab", file_system=files))
    made = up(cloud, Wishes("lab", file_system=files, subnets=tuple(subnets[:2])))
    rules = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]

    assert made is not None and made.file_system == files
    assert [(rule["FromPort"], rule["UserIdGroupPairs"][0]["GroupId"]) for rule in rules] == [
        (2049, made.security_group)
    ]
    assert len(efs.describe_mount_targets(FileSystemId=files)["MountTargets"]) == 2


def test_what_only_a_new_deployment_can_have_is_refused(cloud: Cloud) -> None:
    up(cloud, LAB)
    key = Wishes("lab", kms_key="arn:aws:kms:us-east-1:111111111111:key/12345678-1234-1234-1234-123456789012")

    network = Wishes("lab", vpc="vpc-0123456789abcdef0"), Wishes("lab", subnets=("subnet-0123456789abcdef0",))
    for wishes in (key, *network, Wishes("lab", bucket="mine")):
        with pytest.raises(UsageError, match="cannot be changed once"):
            up(cloud, wishes)


def test_a_boundary_is_every_roles(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    boundary = iam.create_policy(PolicyName="bound", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    up(cloud, Wishes("lab", permissions_boundary=boundary))

    def bounds() -> set[str]:
        roles = [iam.get_role(RoleName=each["RoleName"])["Role"] for each in iam.list_roles()["Roles"]]
        return {each.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "") for each in roles}

    assert bounds() == {boundary}
    assert up(cloud, LAB) is None
    up(cloud, Wishes("lab", permissions_boundary=""))
    assert bounds() == {""}


def test_a_key_encrypts_what_is_stored_and_comes_back_with_it(cloud: Cloud) -> None:
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    made = up(cloud, Wishes("lab", kms_key=key))
    assert made is not None
    rules = cloud.client("s3").get_bucket_encryption(Bucket=made.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    down(cloud, "lab")

    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    with pytest.raises(UsageError, match="is encrypted with"):
        up(cloud, Wishes("lab", kms_key=key[:-1]))
    again = up(cloud, LAB)
    stack = cloudformation.find_stack(access_to(cloud), "lab")
    assert again is not None and again.bucket == made.bucket
    assert stack is not None and stack.parameters["KmsKey"] == key


def test_what_is_for_roles_to_allow_is_said_to_be_in_vain_where_they_are_the_users(cloud: Cloud) -> None:
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "x"}, "Action": "*"}]}
    role = cloud.client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    up(cloud, Wishes("lab", roles=dict.fromkeys(ROLES, role)))

    planned = applying.plan(access_to(cloud), Wishes("lab", read_buckets=("reads",), secrets=()), quietly)
    assert planned.unheeded == ("--read-bucket",)
    assert applying.plan(access_to(cloud), LAB, quietly).unheeded == ()


def test_subnets_that_are_not_there_are_refused(cloud: Cloud) -> None:
    with pytest.raises(UsageError, match="not all of subnet-01234567 are there"):
        up(cloud, Wishes("lab", subnets=("subnet-01234567",)))
