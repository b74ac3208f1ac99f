"""What is repaired in ministack's services for what the product asks of them, held against ministack as it comes.

As in test_repairs.py: a test that fails says that the repair it names has become needless.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import Cloud, until
from .test_repairs import execute, make_role, user


def files(stock: Cloud, token: str) -> str:
    return str(stock.client("efs").create_file_system(CreationToken=token)["FileSystemId"])


def test_its_access_points_know_no_client_token(stock: Cloud) -> None:
    """ministack/file_systems.py."""
    made = [stock.client("efs").create_access_point(FileSystemId=files(stock, "t"), ClientToken="t") for _ in range(2)]

    assert made[0]["AccessPointId"] != made[1]["AccessPointId"]
    assert made[0]["LifeCycleState"] == "available"


def test_its_access_points_may_be_anywhere(stock: Cloud) -> None:
    """ministack/file_systems.py."""
    stock.client("efs").create_access_point(
        FileSystemId=files(stock, "deep"), ClientToken="deep", RootDirectory={"Path": "/a/b/c/d/e"}
    )


def test_its_listings_of_files_have_one_page_and_miss_nothing(stock: Cloud) -> None:
    """ministack/file_systems.py."""
    efs, there = stock.client("efs"), files(stock, "pages")
    for number in range(2):
        efs.create_access_point(FileSystemId=there, ClientToken=str(number))

    assert "NextToken" not in efs.describe_access_points(FileSystemId=there, MaxResults=1)
    assert efs.describe_access_points(AccessPointId="fsap-00000000000000000")["AccessPoints"] == []


def test_it_does_not_judge_tags_of_access_points(stock: Cloud) -> None:
    """ministack/file_systems.py."""
    tags = [{"Key": "k", "Value": "v"}]
    there = files(stock, "tagged")
    with user(stock, "maker", Action="elasticfilesystem:CreateAccessPoint", Resource="*") as maker:
        maker.client("efs").create_access_point(FileSystemId=there, ClientToken="m", Tags=tags)


def test_it_judges_streams_by_their_groups(stock: Cloud) -> None:
    """ministack/log_groups.py."""
    logs = stock.client("logs")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    streams = "arn:aws:logs:us-east-1:*:log-group:g:log-stream:*"
    with user(stock, "reader", Action="logs:GetLogEvents", Resource=streams) as reader:
        with pytest.raises(ClientError, match="not authorized"):
            reader.client("logs").get_log_events(logGroupName="g", logStreamName="s")


def test_its_policy_simulator_knows_no_context_and_one_resource(stock: Cloud) -> None:
    """ministack/policy_simulator.py."""
    secure = {"StringEquals": {"aws:k": "v"}}
    with user(stock, "simulated", Action="s3:GetObject", Resource="*", Condition=secure):
        results = stock.client("iam").simulate_principal_policy(
            PolicySourceArn="arn:aws:iam::000000000000:user/simulated",
            ActionNames=["s3:GetObject"],
            ResourceArns=["arn:aws:s3:::a/a", "arn:aws:s3:::b/b"],
            ContextEntries=[{"ContextKeyName": "aws:k", "ContextKeyValues": ["v"], "ContextKeyType": "string"}],
        )["EvaluationResults"]

    assert [each["EvalDecision"] for each in results] == ["implicitDeny"]


def test_its_subnets_are_always_as_free(stock: Cloud) -> None:
    """ministack/networks.py."""
    ec2 = stock.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    assert ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/28")["Subnet"]["AvailableIpAddressCount"] == 251


def test_it_takes_small_parts(stock: Cloud) -> None:
    """ministack/objects.py."""
    s3, key = stock.client("s3"), {"Bucket": "parts", "Key": "k"}
    s3.create_bucket(Bucket="parts")
    upload = {**key, "UploadId": s3.create_multipart_upload(**key)["UploadId"]}
    parts = [{"PartNumber": n, "ETag": s3.upload_part(**upload, PartNumber=n, Body=b"1")["ETag"]} for n in (1, 2)]

    assert s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})["ETag"]


def machine_of(stock: Cloud, name: str, states: dict[str, Any], role_arn: str = "") -> str:
    definition = json.dumps({"StartAt": next(iter(states)), "States": states})
    role_arn = role_arn or f"arn:aws:iam::000000000000:role/{make_role(stock)}"
    made = stock.client("stepfunctions").create_state_machine(name=name, definition=definition, roleArn=role_arn)
    return str(made["stateMachineArn"])


def test_its_executions_are_refused_a_second_time(stock: Cloud) -> None:
    """ministack/states.py."""
    machines = stock.client("stepfunctions")
    machine = machine_of(stock, "twice", {"Long": {"Type": "Wait", "Seconds": 600, "End": True}})
    started = machines.start_execution(stateMachineArn=machine, name="n", input="{}")["executionArn"]
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        machines.start_execution(stateMachineArn=machine, name="n", input="{}")
    machines.stop_execution(executionArn=started)


def test_its_branches_outlive_the_failure_of_another(stock: Cloud) -> None:
    """ministack/states.py: a failure is told when all branches have ended."""
    states = {
        "Long": {"Type": "Wait", "Seconds": 2, "End": True},
        "Bad": {"Type": "Fail", "Error": "Bad"},
    }
    branches = [{"StartAt": name, "States": {name: state}} for name, state in states.items()]
    ended = execute(stock, {"Type": "Parallel", "Branches": branches, "End": True})

    assert ended["error"] == "Bad"
    assert (ended["stopDate"] - ended["startDate"]).total_seconds() >= 2


def test_its_executions_begin_again_when_they_are_stopped(stock: Cloud) -> None:
    """ministack/states.py: what waits for its next attempt does not notice."""
    machines, sqs = stock.client("stepfunctions"), stock.client("sqs")
    queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
    send = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sqs:sendMessage",
        "Parameters": {"QueueUrl": queue, "MessageBody": "an attempt"},
        "Next": "Bad",
    }
    again = {
        "Type": "Parallel",
        "Branches": [{"StartAt": "Send", "States": {"Send": send, "Bad": {"Type": "Fail", "Error": "Bad"}}}],
        "Retry": [{"ErrorEquals": ["Bad"], "IntervalSeconds": 1, "MaxAttempts": 1}],
        "End": True,
    }
    execution = machines.start_execution(stateMachineArn=machine_of(stock, "again", {"Again": again}))
    until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    machines.stop_execution(executionArn=execution["executionArn"])

    assert until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))


def test_its_machines_are_made_with_roles_that_do_not_trust_them(stock: Cloud) -> None:
    """ministack/machine_roles.py."""
    statement = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    other = stock.client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=trust)["Role"]["Arn"]

    assert machine_of(stock, "other-role", {"P": {"Type": "Pass", "End": True}}, other)


def test_its_rules_start_machines_as_nobody(stock: Cloud) -> None:
    """ministack/rules.py."""
    machine = machine_of(stock, "by-rule", {"P": {"Type": "Pass", "End": True}})
    events = stock.client("events")
    events.put_rule(Name="mine", EventPattern=json.dumps({"source": ["mine"]}))
    target = {"Id": "t", "Arn": machine, "RoleArn": "arn:aws:iam::000000000000:role/none"}
    events.put_targets(Rule="mine", Targets=[target])
    events.put_events(Entries=[{"Source": "mine", "DetailType": "d", "Detail": "{}"}])

    until(lambda: stock.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"])


def test_it_has_no_service_quotas(stock: Cloud) -> None:
    """ministack/quotas.py."""
    with pytest.raises(ClientError):
        stock.client("service-quotas").get_service_quota(ServiceCode="fargate", QuotaCode="L-3032A538")


def test_its_tags_of_ecs_are_its_own(stock: Cloud) -> None:
    """ministack/tagging.py: what it shows of ECS comes from its own, which our engine is not."""
    stock.client("ecs").create_cluster(clusterName="shown", tags=[{"key": "k", "value": "v"}])
    found = stock.client("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["ecs:cluster"])

    assert [each["ResourceARN"].rpartition("/")[2] for each in found["ResourceTagMappingList"]] == ["shown"]


def test_it_has_no_price_list(stock: Cloud) -> None:
    """ministack/prices.py."""
    with pytest.raises(ClientError):
        stock.client("pricing").get_products(ServiceCode="AmazonECS")


def test_it_does_not_look_for_drift_of_what_roles_may_do(stock: Cloud) -> None:
    """ministack/drift.py."""
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "a"}, "Action": "sts:AssumeRole"}]}
    policy = {"PolicyName": "p", "PolicyDocument": {"Statement": []}}
    properties = {"RoleName": "drifting", "AssumeRolePolicyDocument": trust, "Policies": [policy]}
    template = {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": properties}}}
    stock.client("cloudformation").create_stack(
        StackName="drifting", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    assert stock.settled("drifting").status == "CREATE_COMPLETE"
    stock.client("iam").delete_role_policy(RoleName="drifting", PolicyName="p")
    found = stock.client("cloudformation").detect_stack_resource_drift(StackName="drifting", LogicalResourceId="R")

    assert found["StackResourceDrift"]["StackResourceDriftStatus"] == "IN_SYNC"


def test_its_retriers_know_no_longest_delay(stock: Cloud) -> None:
    """ministack/states_attempts.py."""
    fail = {"StartAt": "Bad", "States": {"Bad": {"Type": "Fail", "Error": "Bad"}}}
    retry = {"ErrorEquals": ["Bad"], "IntervalSeconds": 3, "MaxDelaySeconds": 1, "MaxAttempts": 1}
    ended = execute(stock, {"Type": "Parallel", "Branches": [fail], "Retry": [retry], "End": True})

    assert (ended["stopDate"] - ended["startDate"]).total_seconds() >= 3


def test_its_states_take_no_time_from_their_input(stock: Cloud) -> None:
    """ministack/states_attempts.py."""
    long = machine_of(stock, "long", {"W": {"Type": "Wait", "Seconds": 2, "End": True}})
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": long},
        "TimeoutSecondsPath": "$.somebody",
        "End": True,
    }

    assert execute(stock, state)["status"] == "SUCCEEDED"


def test_its_machines_may_begin_nowhere(stock: Cloud) -> None:
    """ministack/machine_definitions.py."""
    definition = json.dumps({"StartAt": "Absent", "States": {"Only": {"Type": "Pass", "End": True}}})
    role = f"arn:aws:iam::000000000000:role/{make_role(stock)}"

    stock.client("stepfunctions").create_state_machine(name="nowhere", definition=definition, roleArn=role)


def test_what_a_key_encrypts_is_everybodys(stock: Cloud) -> None:
    """ministack/keys.py."""
    s3, key = stock.client("s3"), stock.client("kms").create_key()["KeyMetadata"]["Arn"]
    s3.create_bucket(Bucket="encrypted")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket="encrypted", ServerSideEncryptionConfiguration={"Rules": [rule]})
    with user(stock, "keyless", Action="s3:*", Resource="*") as keyless:
        keyless.client("s3").put_object(Bucket="encrypted", Key="k", Body=b"v")
        assert keyless.client("s3").get_object(Bucket="encrypted", Key="k")["Body"].read() == b"v"
