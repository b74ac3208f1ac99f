"""What is decided about a deployment without AWS: the template, its parameters, plans and failures in words."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from cfnlint import api, decode
from cfnlint.config import ManualArgs

from cromulent_wdl.aws.buckets import Holding
from cromulent_wdl.aws.cloudformation import Change, Event, Stack
from cromulent_wdl.aws.deployments import deployment_of
from cromulent_wdl.aws.file_systems import FileSystem, MountTarget
from cromulent_wdl.aws.network import Subnet
from cromulent_wdl.errors import UsageError
from cromulent_wdl.model.deployment import Deployment
from cromulent_wdl.pricing.card import shipped
from cromulent_wdl.provision import parameters, template
from cromulent_wdl.provision.failure import explained, first_cause
from cromulent_wdl.provision.holdings import Data
from cromulent_wdl.provision.plan import Plan, kind_in_words
from cromulent_wdl.provision.surroundings import Kept, Surroundings
from cromulent_wdl.provision.wishes import ROLES, Wishes, check
from cromulent_wdl.units import GIB

PRICES = shipped().rates("eu-west-1")
IAM = "arn:aws:iam::123456789012"
ZONES = ("use1-az1", "use1-az2", "use1-az3", "use1-az4", "use1-az6")
REGIONS = (
    "af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 "
    "ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-7 ca-central-1 ca-west-1 cn-north-1 "
    "cn-northwest-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 "
    "il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-gov-east-1 us-gov-west-1 "
    "us-west-1 us-west-2"
).split()
FREE = {
    "AWS::EC2::VPC",
    "AWS::EC2::Subnet",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::EC2::RouteTable",
    "AWS::EC2::Route",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCEndpoint",  # of the type Gateway
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EFS::FileSystem",  # by what it holds, and by what is read and written
    "AWS::EFS::MountTarget",
    "AWS::EFS::AccessPoint",
    "AWS::S3::Bucket",  # by what it holds
    "AWS::S3::BucketPolicy",
    "AWS::ECS::Cluster",
    "AWS::ECS::TaskDefinition",  # without Container Insights
    "AWS::ECS::ClusterCapacityProviderAssociations",
    "AWS::Logs::LogGroup",  # by what is written
    "AWS::IAM::Role",
    "AWS::StepFunctions::StateMachine",  # by transitions
    "AWS::Events::Rule",  # events of AWS's own services are free
}
"""Types without an hourly price (the services' price pages, November 2026). Others must be looked up."""


@pytest.fixture(scope="module")
def parsed() -> dict[str, Any]:
    document, problems = decode.decode_str(template.body())
    assert not problems
    return dict(document)


def test_the_template_has_no_finding_in_any_region_with_fargate() -> None:
    found = api.lint(template.body(), config=ManualArgs(regions=REGIONS))

    assert not [f"{each.rule.id} {each.message}" for each in found]


def test_rows_16_and_39_nothing_in_the_template_has_an_hourly_price(parsed: dict[str, Any]) -> None:
    resources = parsed["Resources"]
    of_type: dict[str, list[Any]] = {}
    for each in resources.values():
        of_type.setdefault(each["Type"], []).append(each.get("Properties", {}))

    assert set(of_type) <= FREE
    assert all(each["VpcEndpointType"] == "Gateway" for each in of_type["AWS::EC2::VPCEndpoint"])
    assert all(each["ThroughputMode"] == "elastic" for each in of_type["AWS::EFS::FileSystem"])
    assert of_type["AWS::ECS::Cluster"][0]["ClusterSettings"] == [{"Name": "containerInsights", "Value": "disabled"}]
    assert all(each["StateMachineType"] == "STANDARD" for each in of_type["AWS::StepFunctions::StateMachine"])


def test_every_type_has_a_word(parsed: dict[str, Any]) -> None:
    assert not [each for each in FREE if kind_in_words(each) == each]


def test_the_reference_has_every_resource(parsed: dict[str, Any]) -> None:
    reference = (Path(__file__).parents[2] / "docs/reference/deployment.md").read_text()

    assert not [name for name in parsed["Resources"] if f"`{name}`" not in reference]


def test_storage_survives_its_stack(parsed: dict[str, Any]) -> None:
    for name in ("Files", "Results", "ResultsPolicy"):
        assert parsed["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert parsed["Resources"][name]["UpdateReplacePolicy"] == "Retain"


def test_the_template_takes_the_parameters_that_are_given_and_fits_into_a_request(parsed: dict[str, Any]) -> None:
    given = parameters.first(Wishes(), Surroundings(ZONES))

    assert set(given) == set(parsed["Parameters"])
    assert len(template.body().encode()) < 51_200  # CreateChangeSet's TemplateBody
    assert not re.search(r"[&*]\w+$", template.body(), re.MULTILINE)  # CloudFormation knows no YAML aliases


def test_zones_without_fargate_are_left_out() -> None:
    given = parameters.first(Wishes(), Surroundings(ZONES))

    assert [given[f"Zone{letter}"] for letter in "ABC"] == ["use1-az1", "use1-az2", "use1-az4"]
    two = parameters.first(Wishes(), Surroundings(("usw1-az1", "usw1-az2", "usw1-az3")))
    assert [two[f"Zone{letter}"] for letter in "ABC"] == ["usw1-az1", "usw1-az3", ""]
    with pytest.raises(UsageError, match="no two zones"):
        parameters.first(Wishes(), Surroundings(("usw1-az1", "usw1-az2")))


def subnet(identity: str, **other: Any) -> Subnet:
    given: dict[str, Any] = {"vpc": "vpc-1", "zone": f"use1-az{identity}", "free_addresses": 100, "way_out": "igw-1"}
    return Subnet(f"subnet-{identity}", **{**given, **other})


@pytest.mark.parametrize(("way_out", "public"), [("igw-1", "true"), ("nat-1", "false"), ("tgw-1", "false")])
def test_row_15_addresses_follow_the_routes(way_out: str, public: str) -> None:
    there = Surroundings(subnets=(subnet("1", way_out=way_out), subnet("2", way_out=way_out)))
    given = parameters.first(Wishes(), there)

    assert (given["Vpc"], given["AssignPublicIp"]) == ("vpc-1", public)
    assert [given[f"Subnet{letter}"] for letter in "ABC"] == ["subnet-1", "subnet-2", ""]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"vpc": "vpc-2"}, "are of vpc-1, vpc-2"),
        ({"zone": "use1-az1"}, "in one zone"),
        ({"zone": "use1-az3"}, "has no Fargate"),
        ({"way_out": ""}, "no way to the internet"),
        ({"way_out": "nat-1"}, "some are not"),
    ],
)
def test_subnets_that_do_not_do_are_refused(other: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        parameters.first(Wishes(), Surroundings(subnets=(subnet("1"), subnet("2", **other))))


def test_a_file_system_without_mount_targets_gets_its_own() -> None:
    files = FileSystem("fs-1", "available", 0, 0, ())
    given = parameters.first(Wishes(), Surroundings(ZONES, file_system=files, kept=Kept("bucket-1", "fs-1")))

    assert (given["FileSystem"], given["MountTargets"], given["Bucket"]) == ("fs-1", "make", "bucket-1")


def test_a_file_system_that_is_reached_elsewhere_is_refused() -> None:
    target = MountTarget("fsmt-1", "vpc-1", "subnet-1", "use1-az1", ("sg-1",), "available")
    files = FileSystem("fs-1", "available", 0, 0, (target,))

    given = parameters.first(Wishes(), Surroundings(subnets=(subnet("1"),), file_system=files))
    assert (given["MountTargets"], given["FilesGroup"]) == ("given", "sg-1")
    with pytest.raises(UsageError, match="fs-1 is reached from vpc-1, in use1-az1 only"):
        parameters.first(Wishes(), Surroundings(subnets=(subnet("1"), subnet("2")), file_system=files))


def test_buckets_to_read_become_arns_of_them_and_of_their_objects() -> None:
    given = parameters.first(Wishes(read_buckets=("s3://one/", "arn:aws:s3:::two")), Surroundings(ZONES))

    assert given["ReadBuckets"] == "arn:aws:s3:::one,arn:aws:s3:::one/*,arn:aws:s3:::two,arn:aws:s3:::two/*"


def stack_of(status: str = "CREATE_COMPLETE", **members: Any) -> Stack:
    given: dict[str, Any] = {"outputs": {}, "parameters": {}, "tags": {"cromulent:deployment": "lab"}}
    return Stack("lab", "arn:aws:cloudformation:eu-west-1:111111111111:stack/lab/1", status, "", **{**given, **members})


def test_what_is_not_wished_stays_and_what_is_no_more_goes() -> None:
    before = {"ZoneA": "euw1-az2", "LogRetention": "7", "Forgotten": "x", "Version": "0.0.1"}
    given = parameters.changed(Wishes("lab", secrets=("arn:aws:s:::x",)), stack_of(parameters=before))

    assert (given["ZoneA"], given["LogRetention"], given["Secrets"]) == ("euw1-az2", "7", "arn:aws:s:::x")
    assert "Forgotten" not in given and given["Version"] != "0.0.1"
    assert parameters.tags_of(Wishes("lab"), {"a": "b", "aws:x": "y"}) == {"a": "b", "cromulent:deployment": "lab"}
    assert parameters.tags_of(Wishes("lab", tags={}), {"a": "b"}) == {"cromulent:deployment": "lab"}


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        (Wishes("lab_2"), "cannot be called"),
        (Wishes("2lab"), "cannot be called"),
        (Wishes(log_retention=8), "8 days"),
        (Wishes(subnets=("a", "b", "c", "d")), "4 subnets are too many"),
        (Wishes(tags={"aws:x": "y"}), "not yours to give"),
        (Wishes(roles={"task": f"{IAM}:role/x"}), "each of execution, task, head, states, rule"),
        (Wishes(roles=dict.fromkeys(ROLES, f"{IAM}:user/x")), "--roles wants KIND= and the ARN of a role"),
        (Wishes(vpc="vpc-mine"), "--vpc wants the id of a VPC, not 'vpc-mine'"),
        (Wishes(subnets=("subnet-1",)), "--subnets wants ids of subnets"),
        (Wishes(file_system="fsap-0123456789abcdef0"), "--file-system wants the id of an EFS file system"),
        (Wishes(bucket="My_Bucket"), "--bucket wants a bucket's name, not 'My_Bucket'"),
        (Wishes(bucket="s3://mine"), "--bucket wants a bucket's name"),
        (Wishes(bucket="10.0.0.1"), "--bucket wants"),
        (Wishes(bucket="a..b"), "--bucket wants"),
        (Wishes(bucket="it"), "--bucket wants"),
        (Wishes(read_buckets=("good", "s3://good/folder")), "--read-bucket wants a bucket's name, not 's3://good/f"),
        (Wishes(task_policies=(f"{IAM}:role/x",)), "--task-policy wants the ARN of a policy"),
        (Wishes(permissions_boundary="mine"), "--permissions-boundary wants the ARN of a policy"),
        (Wishes(kms_key="alias/mine"), "--kms-key wants the ARN of a key, and an alias is none"),
        (Wishes(kms_key="arn:aws:kms:us-east-1:123456789012:alias/mine"), "--kms-key wants the ARN of a key"),
        (Wishes(head_image="two words"), "--head-image wants an image"),
        (Wishes(head_image=""), "--head-image wants an image, and was given nothing"),
    ],
)
def test_wishes_that_cannot_be_are_refused(wishes: Wishes, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        check(wishes)


def test_what_should_be_the_arn_of_a_secret_is_not_repeated() -> None:
    with pytest.raises(UsageError) as refused:
        check(Wishes(secrets=("hunter2",)))
    assert "hunter2" not in str(refused.value)


def test_wishes_that_can_be_are_not_refused() -> None:
    check(
        Wishes(
            vpc="vpc-0123456789abcdef0",
            subnets=("subnet-01234567", "subnet-0123456789abcdef0"),
            file_system="fs-0123456789abcdef0",
            bucket="lab.results-1",
            read_buckets=("one", "s3://two/", "arn:aws:s3:::three"),
            secrets=("arn:aws:secretsmanager:eu-west-1:123456789012:secret:lab/token-a1b2c3",),
            task_policies=("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", f"{IAM}:policy/team/blue"),
            permissions_boundary=f"{IAM}:policy/bound",
            roles=dict.fromkeys(ROLES, f"{IAM}:role/team/x"),
            kms_key="arn:aws:kms:us-east-1:123456789012:key/mrk-0123456789abcdef0123456789abcdef",
            head_image="public.ecr.aws/docker/library/python:3.13-slim",
        )
    )
    check(Wishes(bucket="", permissions_boundary="", secrets=()))


def test_a_deployment_is_what_the_outputs_say(parsed: dict[str, Any]) -> None:
    outputs = {name: f"<{name}>" for name in parsed["Outputs"]} | {"Subnets": "a,b", "AssignPublicIp": "false"}
    found = deployment_of(stack_of(outputs=outputs))

    assert isinstance(found, Deployment)
    assert (found.region, found.account, found.subnets) == ("eu-west-1", "111111111111", ("a", "b"))
    assert not found.assign_public_ip and found.sweep_machine == "<SweepMachine>"
    assert deployment_of(stack_of(outputs={**outputs, "Bucket": ""})) is None
    assert deployment_of(stack_of(outputs=outputs, tags={})) is None


def plan(*changes: Change, **other: Any) -> list[str]:
    given: dict[str, Any] = {"name": "lab", "region": "eu-west-1", "account": "1", "new": False, "kept": Kept()}
    return Plan(**{**given, **other}, changes=changes, change_set="arn").in_words(PRICES)


def test_a_plan_says_what_is_made_replaced_and_taken_away() -> None:
    lines = plan(
        Change("Add", "A", "AWS::EC2::Subnet", "", ""),
        Change("Add", "B", "AWS::EC2::Subnet", "", ""),
        Change("Add", "Net", "AWS::EC2::VPC", "", ""),
        Change("Modify", "Logs", "AWS::Logs::LogGroup", "x", "False"),
        Change("Modify", "Tasks", "AWS::ECS::Cluster", "x", "Conditional"),
        Change("Remove", "Files", "AWS::EFS::FileSystem", "fs-1", "", kept=True),
        Change("Remove", "Queue", "AWS::SQS::Queue", "q", ""),
    )

    assert lines[:-1] == [
        "make       3 resources, none with an hourly price: network (VPC), 2 subnets",
        "replace    Tasks (cluster, ECS), perhaps",
        "let go of  Files (file system, EFS), which is kept",
        "remove     Queue (AWS::SQS::Queue)",
        "change     Logs (log group), in place",
    ]
    assert lines[-1].startswith("idle cost  $0.00, and storage: about $0.30 a GB-month, $0.023 in")
    assert plan()[0] == "change     the version that is noted, and nothing else"


def event(logical: str, status: str, reason: str = "") -> Event:
    return Event(logical, datetime(2026, 11, 23, tzinfo=timezone.utc), logical, "", "AWS::EC2::VPC", status, reason)


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("The maximum number of VPCs has been reached. (VpcLimitExceeded)", "give --vpc"),
        ("User x is not authorized to perform: iam:CreateRole on resource y", "--roles"),
        ("User x is not authorized to perform: ecs:CreateCluster", "cromulent policy"),
        ("Unable to assume the service linked role. Please verify that the ECS service linked role exists.", "again"),
        ("something else", None),
    ],
)
def test_the_first_cause_is_told_with_a_hint(reason: str, hint: str | None) -> None:
    happened = [
        event("Network", "CREATE_IN_PROGRESS"),
        event("Logs", "CREATE_FAILED", "Resource creation cancelled"),
        event("Network", "CREATE_FAILED", reason),
        event("lab", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Network]."),
    ]
    error = explained(stack_of("ROLLBACK_COMPLETE"), happened)

    assert first_cause(happened) == happened[2]
    assert str(error) == (
        f"Network (network, VPC) failed: {reason}\n"
        "All of it was taken away again. The stack 'lab' is ROLLBACK_COMPLETE."
    )
    assert (error.hint or "None").find(hint or "None") >= 0


def test_kept_data_has_its_price() -> None:
    data = Data("b", Holding(2, 118 * 10**9), FileSystem("fs-1", "available", 4 * 10**9, 3 * 10**9, ()))

    assert data.idle(PRICES).total == pytest.approx((118 * 0.023 + 0.3 + 3 * 0.025) * 1e9 / GIB)
    assert data.in_words(PRICES) == [
        "bucket b: 118 GB in 2 object versions, $2.53 a month",
        "file system fs-1: 4 GB, $0.35 a month",
    ]
