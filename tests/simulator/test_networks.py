"""Networks as `doctor` and backends meet them: free addresses, and what becomes of tasks where there are none."""

from __future__ import annotations

from typing import Any

from .cloud import Cloud, Stack, until


def small_subnet(cloud: Cloud, size: str = "/28") -> str:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    return str(ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.0.0{size}")["Subnet"]["SubnetId"])


def free(cloud: Cloud, subnet: str) -> int:
    return int(cloud.client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"])


def run(cloud: Cloud, stack: Stack, subnet: str, count: int) -> list[str]:
    lasting = {"name": "main", "environment": [{"name": "PLAY_SECONDS", "value": "600"}]}
    tasks = cloud.client("ecs").run_task(
        cluster=stack["Cluster"],
        taskDefinition=stack["Head"],
        launchType="FARGATE",
        count=count,
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet], "assignPublicIp": "ENABLED"}},
        overrides={"containerOverrides": [lasting]},
    )["tasks"]
    return [task["taskArn"] for task in tasks]


def by_status(cloud: Cloud, stack: Stack, arns: list[str], status: str) -> list[dict[str, Any]]:
    tasks = cloud.client("ecs").describe_tasks(cluster=stack["Cluster"], tasks=arns)["tasks"]
    return [task for task in tasks if task["lastStatus"] == status]


def test_a_task_has_an_address_of_its_subnet_until_it_is_stopped(cloud: Cloud, stack: Stack) -> None:
    subnet = small_subnet(cloud)
    assert free(cloud, subnet) == 11  # 16 without the five that AWS keeps

    arns = run(cloud, stack, subnet, 3)
    until(lambda: free(cloud, subnet) == 8)
    for arn in arns:
        cloud.client("ecs").stop_task(cluster=stack["Cluster"], task=arn)
    until(lambda: free(cloud, subnet) == 11)


def test_tasks_for_which_there_is_no_address_do_not_start(cloud: Cloud, stack: Stack) -> None:
    subnet = small_subnet(cloud)
    arns = run(cloud, stack, subnet, 10) + run(cloud, stack, subnet, 4)
    lost = until(lambda: by_status(cloud, stack, arns, "STOPPED"))
    until(lambda: len(by_status(cloud, stack, arns, "RUNNING")) == 11)

    assert {task["stopCode"] for task in lost} == {"TaskFailedToStart"}
    assert {task["stoppedReason"] for task in lost} == {
        "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet "
        f"'{subnet}': InsufficientFreeAddressesInSubnet"
    }
    assert free(cloud, subnet) == 0


def test_a_mount_target_has_an_address_too(cloud: Cloud) -> None:
    subnet, efs = small_subnet(cloud), cloud.client("efs")
    files = efs.create_file_system(CreationToken="files")["FileSystemId"]
    efs.create_mount_target(FileSystemId=files, SubnetId=subnet)

    assert free(cloud, subnet) == 10


def test_a_vpc_says_whether_it_resolves_names(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": False})

    hostnames = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"]
    support = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsSupport")["EnableDnsSupport"]["Value"]
    assert (hostnames, support) == (True, False)
