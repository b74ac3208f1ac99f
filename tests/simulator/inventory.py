"""All that an account holds, as its services list it; what every account has from the beginning is left out."""

from __future__ import annotations

from typing import Any

from .cloud import Cloud

__all__ = ["inventory"]


def inventory(cloud: Cloud) -> dict[str, list[str]]:
    """Return what is there, by kind; kinds of which there is nothing are left out."""
    held = {**_networks(cloud), **_files_and_tasks(cloud), **_others(cloud)}
    return {kind: sorted(names) for kind, names in held.items() if names}


def _networks(cloud: Cloud) -> dict[str, list[str]]:
    ec2 = cloud.client("ec2")
    vpcs = {each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"] if not each["IsDefault"]}
    groups = ec2.describe_security_groups()["SecurityGroups"]
    tables = ec2.describe_route_tables()["RouteTables"]
    return {
        "vpcs": list(vpcs),
        "subnets": [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"] if not each["DefaultForAz"]],
        "security groups": [each["GroupId"] for each in groups if each["GroupName"] != "default"],
        "gateways": _outside_default(ec2.describe_internet_gateways()["InternetGateways"], vpcs),
        "route tables": [
            each["RouteTableId"] for each in tables if not any(a.get("Main") for a in each["Associations"])
        ],
        "endpoints": [each["VpcEndpointId"] for each in ec2.describe_vpc_endpoints()["VpcEndpoints"]],
    }


def _outside_default(gateways: list[dict[str, Any]], vpcs: set[str]) -> list[str]:
    """Return the gateways that are not the default VPC's."""
    attached = {each["InternetGatewayId"]: [a["VpcId"] for a in each["Attachments"]] for each in gateways}
    return [name for name, where in attached.items() if not where or set(where) & vpcs]


def _files_and_tasks(cloud: Cloud) -> dict[str, list[str]]:
    efs, ecs, batch = cloud.client("efs"), cloud.client("ecs"), cloud.client("batch")
    environments = batch.describe_compute_environments()["computeEnvironments"]
    return {
        "file systems": [each["FileSystemId"] for each in efs.describe_file_systems()["FileSystems"]],
        "access points": [each["AccessPointId"] for each in efs.describe_access_points()["AccessPoints"]],
        "clusters": ecs.list_clusters()["clusterArns"],
        "task definitions": ecs.list_task_definitions()["taskDefinitionArns"],
        "compute environments": [each["computeEnvironmentArn"] for each in environments],
        "job queues": [each["jobQueueArn"] for each in batch.describe_job_queues()["jobQueues"]],
    }


def _others(cloud: Cloud) -> dict[str, list[str]]:
    iam, states = cloud.client("iam"), cloud.client("stepfunctions")
    return {
        "roles": [each["RoleName"] for each in iam.list_roles()["Roles"]],
        "instance profiles": [each["Arn"] for each in iam.list_instance_profiles()["InstanceProfiles"]],
        "log groups": [each["logGroupName"] for each in cloud.client("logs").describe_log_groups()["logGroups"]],
        "buckets": [each["Name"] for each in cloud.client("s3").list_buckets()["Buckets"]],
        "queues": cloud.client("sqs").list_queues().get("QueueUrls", []),
        "rules": [each["Name"] for each in cloud.client("events").list_rules()["Rules"]],
        "machines": [each["name"] for each in states.list_state_machines()["stateMachines"]],
        "functions": [each["FunctionName"] for each in cloud.client("lambda").list_functions()["Functions"]],
    }
