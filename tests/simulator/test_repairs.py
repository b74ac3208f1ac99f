"""What is repaired in ministack, held against ministack as it comes.

Each test says what the emulator gets wrong. One that fails has become needless: take away the repair that it names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cromulent_wdl.simulator.errors import BaseChanged
from cromulent_wdl.simulator.ministack import base

from .cloud import Cloud


def test_the_repairs_were_made_for_the_version_that_is_installed() -> None:
    assert metadata.version("ministack") == base.VERSION
    assert f'"ministack=={base.VERSION}"' in Path("pyproject.toml").read_text()


def test_a_place_that_has_gone_is_noticed() -> None:
    with pytest.raises(BaseChanged, match="has no json"):
        base.replace(json, "nothing", None)
    with pytest.raises(BaseChanged, match="has no json"):
        base.wrap(json, "nothing", print)


def make(stock: Cloud, name: str, resources: dict[str, Any], **outputs: Any) -> str:
    """Create a stack and return how it ended."""
    template = {"Resources": resources}
    if outputs:
        template["Outputs"] = {key: {"Value": value} for key, value in outputs.items()}
    return stock.create_stack(name, json.dumps(template)).status


@pytest.mark.parametrize(
    "kind",
    [
        "AWS::Batch::ComputeEnvironment",
        "AWS::Batch::JobQueue",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::ECS::ClusterCapacityProviderAssociations",
    ],
)
def test_it_lacks_a_resource_type(stock: Cloud, kind: str) -> None:
    """ministack/batch.py, networks.py, ecs_resources.py."""
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        make(stock, "lacking", {"Thing": {"Type": kind}})


def test_its_vpcs_do_not_tell_their_block(stock: Cloud) -> None:
    """ministack/networks.py."""
    vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}

    assert make(stock, "block", {"Net": vpc}, Block={"Fn::GetAtt": ["Net", "CidrBlock"]}) == "ROLLBACK_COMPLETE"


def test_its_change_sets_make_what_a_condition_leaves_out(stock: Cloud) -> None:
    """ministack/change_sets.py."""
    template = {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {
            "Here": {"Type": "AWS::SQS::Queue"},
            "Absent": {"Type": "AWS::SQS::Queue", "Condition": "Never"},
        },
    }
    formation = stock.client("cloudformation")
    made = formation.create_change_set(
        StackName="left-out", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=json.dumps(template)
    )
    changes = formation.describe_change_set(ChangeSetName=made["Id"])["Changes"]

    assert {each["ResourceChange"]["LogicalResourceId"] for each in changes} == {"Here", "Absent"}


def test_it_takes_a_joined_list_for_something_in_conditions(stock: Cloud) -> None:
    """ministack/conditions.py."""
    joined = {"Fn::Join": ["", {"Ref": "List"}]}
    template = {
        "Parameters": {"List": {"Type": "CommaDelimitedList", "Default": ""}},
        "Conditions": {"Some": {"Fn::Not": [{"Fn::Equals": [joined, ""]}]}},
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {"Some": {"Value": {"Fn::If": ["Some", "some", "none"]}}},
    }

    assert stock.create_stack("joined", json.dumps(template))["Some"] == "some"


def test_its_stacks_drop_the_lifecycle_and_tags_of_buckets_and_delete_full_ones(stock: Cloud) -> None:
    """ministack/buckets.py."""
    rules = {"Rules": [{"Id": "r", "Status": "Enabled", "ExpirationInDays": 1}]}
    properties = {"BucketName": "dropped", "LifecycleConfiguration": rules, "Tags": [{"Key": "k", "Value": "v"}]}
    s3 = stock.client("s3")

    assert make(stock, "bucket", {"B": {"Type": "AWS::S3::Bucket", "Properties": properties}}) == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket="dropped")
    with pytest.raises(ClientError, match="NoSuchTagSet"):
        s3.get_bucket_tagging(Bucket="dropped")
    s3.put_object(Bucket="dropped", Key="k", Body=b"v")
    assert stock.delete_stack("bucket").status == "DELETE_COMPLETE"


def definition(**more: Any) -> dict[str, Any]:
    container = {"Name": "main", "Image": "busybox"}
    return {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {"Family": "stock", "ContainerDefinitions": [container], **more},
    }


def test_its_stacks_drop_the_file_systems_of_task_definitions(stock: Cloud) -> None:
    """ministack/ecs_resources.py."""
    volume = {"Name": "v", "EFSVolumeConfiguration": {"FilesystemId": "fs-1"}}

    assert make(stock, "volume", {"D": definition(Volumes=[volume])}) == "CREATE_COMPLETE"
    described = stock.client("ecs").describe_task_definition(taskDefinition="stock")["taskDefinition"]
    assert "efsVolumeConfiguration" not in described["volumes"][0]


def test_its_stacks_take_properties_that_there_are_not(stock: Cloud) -> None:
    """ministack/cloudformation.py."""
    assert make(stock, "unknown", {"D": definition(Family="unknown", Memery="512")}) == "CREATE_COMPLETE"


def execute(stock: Cloud, first: dict[str, Any], more: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Run a machine that begins with a state to its end."""
    role = f"arn:aws:iam::000000000000:role/{make_role(stock)}"
    machines = stock.client("stepfunctions")
    definition = json.dumps({"StartAt": "First", "States": {"First": first, **(more or {})}, **fields})
    name = f"m{len(machines.list_state_machines()['stateMachines'])}"
    machine = machines.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"]
    return stock.ended(stock.start(machine, {"somebody": 1}))


def make_role(stock: Cloud) -> str:
    """Make a role that trusts Step Functions and may do nothing."""
    iam = stock.client("iam")
    if not any(each["RoleName"] == "idle" for each in iam.list_roles()["Roles"]):
        statement = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_role(RoleName="idle", AssumeRolePolicyDocument=trust)
    return "idle"


def test_its_machines_go_on_where_a_path_finds_nothing(stock: Cloud) -> None:
    """ministack/states_paths.py."""
    ended = execute(stock, {"Type": "Pass", "Parameters": {"name.$": "$.nobody"}, "End": True})

    assert json.loads(ended["output"]) == {"name": None}


def test_its_machines_catch_what_nobody_may_catch(stock: Cloud) -> None:
    """ministack/states.py."""
    unknown = {"Type": "Task", "Resource": "arn:aws:states:::nothing:atAll", "End": True}
    parallel = {
        "Type": "Parallel",
        "Branches": [{"StartAt": "Bad", "States": {"Bad": unknown}}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
        "End": True,
    }

    assert execute(stock, parallel, more={"Caught": {"Type": "Succeed"}})["status"] == "SUCCEEDED"


def test_its_machines_do_not_time_out(stock: Cloud) -> None:
    """ministack/states.py."""
    assert execute(stock, {"Type": "Wait", "Seconds": 2, "End": True}, TimeoutSeconds=1)["status"] == "SUCCEEDED"


def test_its_machines_act_without_their_roles_permission(stock: Cloud) -> None:
    """ministack/authorization.py."""
    resource = "arn:aws:states:::aws-sdk:sqs:listQueues"

    assert execute(stock, {"Type": "Task", "Resource": resource, "End": True})["status"] == "SUCCEEDED"


def test_its_machines_see_the_errors_of_ecs_under_one_name_of_its_own(stock: Cloud) -> None:
    """ministack/states_ecs.py."""
    parameters = {"Cluster": "nowhere", "TaskDefinition": "nothing"}
    resource = "arn:aws:states:::ecs:runTask.sync"

    assert execute(stock, {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True})["error"] == (
        "ECS.RunTaskFailed"
    )


def test_it_takes_any_account_number_for_a_root_key(stock: Cloud) -> None:
    """ministack/authorization.py."""
    with Cloud.at(stock.address, "123456789012", "anything") as stranger:
        assert stranger.client("sqs").list_queues()


@contextmanager
def user(stock: Cloud, name: str, **allowed: Any) -> Iterator[Cloud]:
    """Make a user with one statement."""
    iam = stock.client("iam")
    iam.create_user(UserName=name)
    keys = iam.create_access_key(UserName=name)["AccessKey"]
    document = json.dumps({"Statement": [{"Effect": "Allow", **allowed}]})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    with Cloud.at(stock.address, keys["AccessKeyId"], keys["SecretAccessKey"]) as cloud:
        yield cloud


def test_its_stacks_are_made_with_all_permissions(stock: Cloud) -> None:
    """ministack/stack_callers.py."""
    with user(stock, "former", Action="cloudformation:*", Resource="*") as former:
        assert make(
            former, "formed", {"Net": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}}
        ) == ("CREATE_COMPLETE")


def test_it_knows_no_tags_of_networks_and_files_and_judges_them_on_nothing(stock: Cloud) -> None:
    """ministack/request_resources.py."""
    vpc = stock.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    stock.client("ec2").create_tags(Resources=[vpc], Tags=[{"Key": "k", "Value": "v"}])
    tagged = {"StringEquals": {"aws:ResourceTag/k": "v"}}
    files = stock.client("efs").create_file_system(CreationToken="judged")["FileSystemId"]
    with user(stock, "tagged", Action="ec2:DeleteVpc", Resource="*", Condition=tagged) as caller:
        with pytest.raises(ClientError, match="not authorized"):
            caller.client("ec2").delete_vpc(VpcId=vpc)
    arn = "arn:aws:elasticfilesystem:*:*:file-system/*"
    with user(stock, "looking", Action="elasticfilesystem:DescribeMountTargets", Resource=arn) as caller:
        with pytest.raises(ClientError, match="not authorized"):
            caller.client("efs").describe_mount_targets(FileSystemId=files)


def test_a_request_is_not_over_tls(stock: Cloud) -> None:
    """ministack/authorization.py."""
    tls = {"Bool": {"aws:SecureTransport": "true"}}
    with user(stock, "secure", Action="ec2:DescribeVpcs", Resource="*", Condition=tls) as caller:
        with pytest.raises(ClientError, match="not authorized"):
            caller.client("ec2").describe_vpcs()


def test_it_knows_no_variable_in_a_policy(stock: Cloud) -> None:
    """ministack/authorization.py."""
    with user(stock, "myself", Action="iam:GetUser", Resource="arn:aws:iam::*:user/${aws:username}") as myself:
        with pytest.raises(ClientError, match="not authorized"):
            myself.client("iam").get_user(UserName="myself")


def test_it_forgets_what_a_rollback_left(stock: Cloud) -> None:
    """ministack/rollbacks.py."""
    net = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
    subnet = {"Type": "AWS::EC2::Subnet", "Properties": {"CidrBlock": "10.0.0.0/24", "VpcId": {"Ref": "Net"}}}
    where = {"FileSystemId": {"Ref": "Files"}, "SubnetId": {"Ref": "Near"}, "SecurityGroups": []}
    target = {"Type": "AWS::EFS::MountTarget", "Properties": where, "DeletionPolicy": "Retain"}
    files = {"Type": "AWS::EFS::FileSystem", "Properties": {}}
    resources = {"Net": net, "Near": subnet, "Files": files, "Target": target}

    efs = stock.client("efs")
    assert make(stock, "leaving", resources, Bad={"Fn::GetAtt": ["Net", "Nothing"]}) == "ROLLBACK_FAILED"
    for each in efs.describe_mount_targets(FileSystemId=(left := newest(efs)))["MountTargets"]:
        efs.delete_mount_target(MountTargetId=each["MountTargetId"])
    assert stock.delete_stack("leaving").status == "DELETE_COMPLETE"
    assert newest(efs) == left


def newest(efs: Any) -> str:
    found = sorted(efs.describe_file_systems()["FileSystems"], key=lambda each: each["CreationTime"])
    return str(found[-1]["FileSystemId"])


def test_it_judges_run_task_by_the_cluster(stock: Cloud) -> None:
    """ministack/authorization.py and door.py."""
    arn = "arn:aws:ecs:*:*:task-definition/*"
    with user(stock, "runner", Action="ecs:RunTask", Resource=arn) as runner:
        with pytest.raises(ClientError, match="not authorized"):
            runner.client("ecs").run_task(cluster="c", taskDefinition="stock")


def test_its_stacks_forget_the_boundaries_of_roles(stock: Cloud) -> None:
    """ministack/role_boundaries.py."""
    trust = "{Version: '2012-10-17', Statement: []}"
    role = f"{{AssumeRolePolicyDocument: {trust}, PermissionsBoundary: 'arn:aws:iam::aws:policy/ReadOnlyAccess'}}"
    stock.client("cloudformation").create_stack(
        StackName="bounded",
        TemplateBody=f"Resources: {{R: {{Type: 'AWS::IAM::Role', Properties: {role}}}}}",
        Capabilities=["CAPABILITY_IAM"],
    )
    stock.settled("bounded")
    iam = stock.client("iam")
    made = next(each["RoleName"] for each in iam.list_roles()["Roles"] if each["RoleName"].startswith("bounded-"))

    assert "PermissionsBoundary" not in iam.get_role(RoleName=made)["Role"]
