"""What each of those who call AWS needs, and why: what the code calls, and what AWS demands beside that."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from cromulent_wdl.cli.overview import COMMANDS
from cromulent_wdl.provision import template

from .actions import actions_of
from .api_calls import ApiCall, api_calls
from .reach import reached

__all__ = ["CALLERS", "DEMANDED", "NOT_OURS", "called", "callers_of", "left_out", "schema_actions"]

_HEAD = ("backends", "monitor", "plugin", "cli.orchestrate", "cli.reap")
_DEPLOY = ("cli.gc", "cli.up", "cli.down", "cli.status", "cli.doctor", "cli.policy")
_COMMANDS = tuple(f"cli.{name}" for name, _, _ in COMMANDS)

CALLERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "deploy": (_DEPLOY, (*_HEAD, "cli.finding", "cli.usage_kept", "runs.mirror", "submit.tidying")),
    "run": ((*_COMMANDS, "submit"), (*_HEAD, *_DEPLOY)),
    "head": (_HEAD, ("aws.deployments",)),  # its environment says which deployment it is of
}
"""Who calls AWS by our code: where that begins, and what others begin with, to which it does not go.

`gc` has the shared disk tidied by what is started like a run: for that it takes who may start runs.
"""

_SERVICE_ROLES = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html"
_TAGGING_ECS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html"
_PASSING = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"
_MOUNTING = "https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html"
_EXECUTION = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html"
_REGISTRY = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html"
_STATES_ECS = "https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html"
_FORMATION = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html"
_BUCKET_KEY = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html"
_FILES_KEY = "https://docs.aws.amazon.com/efs/latest/ug/encryption-at-rest.html"
_LOGS_KEY = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"
_EFS_TAGS = "https://docs.aws.amazon.com/efs/latest/ug/using-tags-efs.html"
_BUCKET_CALLS = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html"

DEMANDED: Mapping[str, Mapping[str, str]] = {
    "deploy": {
        "cloudformation:TagResource": _FORMATION,
        "iam:CreateServiceLinkedRole": _SERVICE_ROLES,
        "kms:Decrypt": _BUCKET_KEY,
        "logs:AssociateKmsKey": _LOGS_KEY,
    },
    "run": {
        "ecr:BatchGetImage": _REGISTRY,
        "ecr:GetDownloadUrlForLayer": _REGISTRY,
        "s3:AbortMultipartUpload": _BUCKET_CALLS,
        "kms:Decrypt": _BUCKET_KEY,
        "kms:GenerateDataKey": _BUCKET_KEY,
    },
    "execution": dict.fromkeys(
        (
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetAuthorizationToken",
            "ecr:GetDownloadUrlForLayer",
            "kms:Decrypt",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "secretsmanager:GetSecretValue",
        ),
        _EXECUTION,
    ),
    "task": dict.fromkeys(("elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"), _MOUNTING),
    "head": {
        "ecr:BatchGetImage": _REGISTRY,
        "ecr:GetDownloadUrlForLayer": _REGISTRY,
        "ecs:TagResource": _TAGGING_ECS,
        "elasticfilesystem:ClientMount": _MOUNTING,
        "elasticfilesystem:ClientWrite": _MOUNTING,
        "elasticfilesystem:TagResource": _EFS_TAGS,
        "iam:PassRole": _PASSING,
        "kms:Decrypt": _BUCKET_KEY,
        "kms:GenerateDataKey": _BUCKET_KEY,
    },
    "states": {
        "ecs:DescribeTasks": _STATES_ECS,
        "ecs:StopTask": _STATES_ECS,
        "ecs:TagResource": _TAGGING_ECS,
        "events:DescribeRule": _STATES_ECS,
        "events:PutRule": _STATES_ECS,
        "events:PutTargets": _STATES_ECS,
        "iam:PassRole": _STATES_ECS,
        "kms:Decrypt": _BUCKET_KEY,
        "kms:GenerateDataKey": _BUCKET_KEY,
    },
    "rule": {"states:StartExecution": "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html"},
}
"""What IAM has to allow though no line of ours calls it by that name, and AWS's page that says so."""

NOT_OURS: Mapping[str, str] = {
    "ec2:AssociateSubnetCidrBlock": "no IPv6",
    "ec2:AttachVpnGateway": "no VPN",
    "ec2:CreateVpcEncryptionControl": "no encryption control",
    "ec2:DetachVpnGateway": "no VPN",
    "ec2:DisassociateSubnetCidrBlock": "no IPv6",
    "ec2:ModifySubnetAttribute": "no attribute of a subnet is given",
    "ec2:ModifyVpcTenancy": "no tenancy",
    "ec2:ReplaceRouteTableAssociation": "subnets are new, and have no association of their own",
    "ecs:PutAccountSetting*": "no setting of the account's is touched",
    "elasticfilesystem:CreateReplicationConfiguration": "no replication",
    "elasticfilesystem:DeleteFileSystemPolicy": "the policy is never taken away",
    "elasticfilesystem:DeleteReplicationConfiguration": "no replication",
    "elasticfilesystem:DeleteTags": "the older form of UntagResource",
    "elasticfilesystem:UpdateFileSystemProtection": "no replication",
    "firehose:*": "no delivery of logs",
    "iam:DeleteRolePermissionsBoundary": "whoever has a boundary to keep does not take it away",
    "kms:Decrypt": "state machines are not encrypted with a key of one's own",
    "kms:GenerateDataKey": "state machines are not encrypted with a key of one's own",
    "logs:CreateLogDelivery": "no delivery of logs",
    "logs:DeleteDataProtectionPolicy": "no data protection",
    "logs:DeleteIndexPolicy": "no index",
    "logs:DeleteResourcePolicy": "no resource policy",
    "logs:DeleteRetentionPolicy": "logs are always kept for so many days",
    "logs:DisassociateKmsKey": "the key of a deployment stays",
    "logs:PutBearerTokenAuthentication": "no such thing",
    "logs:PutDataProtectionPolicy": "no data protection",
    "logs:PutIndexPolicy": "no index",
    "logs:PutLogGroupDeletionProtection": "no such protection",
    "logs:PutResourcePolicy": "no resource policy",
    "s3:*Acl": "no access control lists: the bucket's owner owns all objects",
    "s3:*MetadataAnnotation*": "no metadata table",
    "s3:*MetadataInventory*": "no metadata table",
    "s3:*MetadataJournal*": "no metadata table",
    "s3:CreateBucketMetadata*": "no metadata table",
    "s3:DeleteBucket[!P]*": "what the bucket has of these it keeps",
    "s3:DeleteObject": "only with object lock or metadata tables",
    "s3:GetObject*": "definitions of state machines are in the template",
    "s3:Put*Analytics*": "no analytics",
    "s3:PutAccelerateConfiguration": "no acceleration",
    "s3:PutBucketAbac": "no access by tags",
    "s3:PutBucketCORS": "no website",
    "s3:PutBucketLogging": "no access log: see the waivers of checkov",
    "s3:PutBucketNotification": "no notification",
    "s3:PutBucketReplication": "no replication",
    "s3:PutBucketWebsite": "no website",
    "s3:PutIntelligentTieringConfiguration": "no tiering",
    "s3:PutInventoryConfiguration": "no inventory",
    "s3:PutMetricsConfiguration": "no metrics: they are billed",
    "s3:Put*ObjectLock*": "no object lock",
    "s3:PutReplicationConfiguration": "no replication",
    "s3:REST.PUT.OBJECT": "no action of IAM's; no delivery of logs",
    "s3tables:*": "no metadata table",
    "vpc-lattice:*": "no service network",
    "vpce:AllowMultiRegion": "an endpoint in the region of its network",
}
"""What the registry's schemas list and this template does not need, and why."""


@lru_cache
def called(caller: str) -> frozenset[str]:
    """Return the actions that a caller's code takes."""
    return frozenset(
        action
        for call in api_calls()
        if caller in callers_of(call)
        for action in actions_of(call.service, call.operation)
    )


def callers_of(call: ApiCall) -> frozenset[str]:
    """Return who comes to a call."""
    node = (f"aws.{call.module}", call.function)
    return frozenset(caller for caller, (roots, others) in CALLERS.items() if node in reached(roots, others))


@lru_cache
def schema_actions() -> Mapping[str, frozenset[str]]:
    """Return what CloudFormation's registry lists for the types of the template: actions, and types that need them."""
    found: dict[str, set[str]] = {}
    for kind in {each["Type"] for each in template.parsed()["Resources"].values()}:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
        for operation, handler in schema["handlers"].items():
            if operation != "list":
                for action in handler["permissions"]:
                    found.setdefault(action, set()).add(kind)
    return {action: frozenset(kinds) for action, kinds in found.items()}


def left_out(action: str) -> str | None:
    """Return why an action of the schemas is not needed, or None."""
    from fnmatch import fnmatchcase

    return next((why for pattern, why in NOT_OURS.items() if fnmatchcase(action, pattern)), None)
