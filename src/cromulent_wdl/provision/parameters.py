"""The template's parameters: from wishes, from what there is, and from what the stack has already. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .. import __version__
from ..aws.cloudformation import Stack
from ..aws.deployments import TAG
from ..aws.file_systems import FileSystem
from ..aws.network import Subnet
from ..errors import UsageError
from .surroundings import Surroundings
from .wishes import ROLES, Wishes

__all__ = ["WITHOUT_FARGATE", "changed", "first", "tags_of", "unheeded", "usual"]

WITHOUT_FARGATE = frozenset({"usw1-az2", "apne1-az3", "cac1-az3", "use1-az3", "cnn1-az3"})
"""Zones in which Fargate or EFS is missing: ECS's page "Supported Regions for Amazon ECS on AWS Fargate" gives the
zones that have it in us-west-1, ap-northeast-1, ca-central-1 and cn-north-1; EFS's page "Supported Availability Zones"
has the others."""

_LETTERS = "ABC"
_ROLE_PARAMETERS = dict(
    zip(ROLES, ("ExecutionRole", "TaskRole", "HeadRole", "StatesRole", "SweepRuleRole"), strict=True)
)
_NOTHING = {"Vpc", "FileSystem", "FilesGroup", "Bucket", *_ROLE_PARAMETERS.values(), "PermissionsBoundary", "KmsKey"}
_NOTHING |= {f"{kind}{letter}" for kind in ("Zone", "Subnet") for letter in _LETTERS}
_NOTHING |= {"ReadBuckets", "Secrets", "TaskPolicies"}
_PLAIN = {"AssignPublicIp": "true", "MountTargets": "make", "FilesPath": "/cromulent", "FilesUser": "1000"}
_PLAIN["FilesUserGroup"] = "1000"
_USUAL = {**dict.fromkeys(_NOTHING, ""), **_PLAIN, "LogRetention": "30", "HeadImage": ""}


def usual(wishes: Wishes) -> dict[str, str]:
    """Return the parameters as far as the wishes alone say them; what is looked up is empty."""
    return _USUAL | _wished(wishes) | {"Bucket": wishes.bucket or "", "FileSystem": wishes.file_system or ""}


def first(wishes: Wishes, there: Surroundings) -> dict[str, str]:
    """Return the parameters of a deployment that is new. Raises UsageError where what was given does not fit."""
    chosen = _USUAL | _wished(wishes)
    if there.subnets:
        chosen |= _given_network(there.subnets, wishes)
    else:
        chosen |= dict(zip((f"Zone{letter}" for letter in _LETTERS), _zones(there.zones), strict=False))
    chosen["Bucket"] = wishes.bucket or there.kept.bucket
    if there.kept.kms_key and not wishes.bucket:
        chosen["KmsKey"] = _kept_key(wishes, there.kept.kms_key)
    if there.file_system is not None:
        chosen |= _given_files(there.file_system, there.subnets)
    return chosen


def _kept_key(wishes: Wishes, kept: str) -> str:
    """Return the key of storage that was kept. Raises UsageError where another was wished for."""
    if wishes.kms_key not in (None, kept):
        raise UsageError(
            f"the bucket that was kept is encrypted with {kept}", hint="leave --kms-key out, or take another --name"
        )
    return kept


def changed(wishes: Wishes, stack: Stack) -> dict[str, str]:
    """Return the parameters of a deployment that is there. Raises UsageError for what only a new one can have."""
    before = stack.parameters
    fixed = {"--vpc": (wishes.vpc, {"Vpc"}), "--bucket": (wishes.bucket, {"Bucket"})}
    fixed["--kms-key"] = (wishes.kms_key, {"KmsKey"})  # another key would be another file system
    held = {option: (wish, {before.get(name, "") for name in names}) for option, (wish, names) in fixed.items()}
    held["--file-system"] = (wishes.file_system, {before.get("FileSystem", ""), stack.outputs.get("FileSystem", "")})
    held["--bucket"][1].add(stack.outputs.get("Bucket", ""))
    if wishes.here:
        _check_still_here(wishes, stack)
        del held["--vpc"]
    subnets = {before.get(f"Subnet{letter}", "") for letter in _LETTERS} - {""}
    if wishes.subnets is not None and not wishes.here and set(wishes.subnets) != subnets:
        raise _fixed("--subnets", stack.name)
    for option, (wish, values) in held.items():
        if wish is not None and wish not in values:
            raise _fixed(option, stack.name)
    # The template of an older version had other parameters; those that are no more would be refused.
    return _USUAL | {name: value for name, value in before.items() if name in _USUAL} | _wished(wishes)


def _check_still_here(wishes: Wishes, stack: Stack) -> None:
    """Refuse what this host gives if the deployment was made for something else. Its subnets stay as they were."""
    wished = _wished(wishes)
    for name in ("FilesPath", "FilesUser", "FilesUserGroup"):
        held = stack.parameters.get(name, _USUAL[name])
        if wished[name] != held:
            raise UsageError(
                f"'{stack.name}' is for {stack.parameters.get('FilesPath')} of user {stack.parameters.get('FilesUser')}"
                f" on {stack.outputs.get('FileSystem')}, not for {wishes.files_path} of user {wished['FilesUser']}",
                hint="make a deployment of another --name for it",
            )


def unheeded(wishes: Wishes, chosen: Mapping[str, str]) -> tuple[str, ...]:
    """Return the options that were given in vain, since they are about roles, and the roles are the user's."""
    if not chosen.get("ExecutionRole"):
        return ()
    about_roles = {
        "--read-bucket": wishes.read_buckets,
        "--secret": wishes.secrets,
        "--task-policy": wishes.task_policies,
        "--permissions-boundary": wishes.permissions_boundary,
    }
    return tuple(option for option, wish in about_roles.items() if wish)


def tags_of(wishes: Wishes, before: Mapping[str, str]) -> dict[str, str]:
    """Return the stack's tags: ours, and what was asked for, or else what is there."""
    own = {key: value for key, value in before.items() if not key.startswith("aws:")}
    return {**(own if wishes.tags is None else wishes.tags), TAG: wishes.name}


def _wished(wishes: Wishes) -> dict[str, str]:
    """Return the parameters that were asked for, and the version."""
    chosen: dict[str, str | None] = {
        "PermissionsBoundary": wishes.permissions_boundary,
        "KmsKey": wishes.kms_key,
        "HeadImage": wishes.head_image,
        "LogRetention": None if wishes.log_retention is None else str(wishes.log_retention),
        "Secrets": _listed(wishes.secrets),
        "TaskPolicies": _listed(wishes.task_policies),
        "FilesPath": wishes.files_path,
        "ReadBuckets": _listed(None if wishes.read_buckets is None else _readable(wishes.read_buckets)),
    }
    if wishes.files_user is not None:
        chosen |= zip(("FilesUser", "FilesUserGroup"), map(str, wishes.files_user), strict=True)
    if wishes.roles is not None:
        chosen |= {parameter: wishes.roles.get(role, "") for role, parameter in _ROLE_PARAMETERS.items()}
    return {name: value for name, value in chosen.items() if value is not None} | {"Version": __version__}


def _listed(values: Sequence[str] | None) -> str | None:
    return None if values is None else ",".join(values)


def _readable(buckets: Sequence[str]) -> list[str]:
    """Return the ARNs of buckets, given by name or ARN, and of their objects."""
    arns = [each if each.startswith("arn:") else f"arn:aws:s3:::{each.removeprefix('s3://')}" for each in buckets]
    return [arn + suffix for arn in (each.rstrip("/") for each in arns) for suffix in ("", "/*")]


def _zones(there: Sequence[str]) -> tuple[str, ...]:
    able = tuple(zone for zone in there if zone not in WITHOUT_FARGATE)[: len(_LETTERS)]
    if len(able) < 2:
        raise UsageError(
            "this region has no two zones with Fargate that the account can use", hint="choose another --region"
        )
    return able


def _given_network(subnets: Sequence[Subnet], wishes: Wishes) -> dict[str, str]:
    networks, zones = {each.vpc for each in subnets}, [each.zone for each in subnets]
    if networks != {wishes.vpc or subnets[0].vpc}:
        raise UsageError(f"the subnets are of {', '.join(sorted(networks))}", hint="give subnets of one VPC")
    if len(set(zones)) < len(zones):
        raise UsageError("two of the subnets are in one zone", hint="a file system is reached by one subnet a zone")
    for each in subnets:
        if each.zone in WITHOUT_FARGATE:
            raise UsageError(f"{each.identity} is in {each.zone}, which has no Fargate")
        if not each.way_out:
            raise UsageError(
                f"{each.identity} has no way to the internet, from where images come",
                hint="its route table needs a default route, to an internet gateway or a NAT",
            )
    if len({each.public for each in subnets}) > 1:
        raise UsageError("some of the subnets are public, some are not", hint="give one kind")
    chosen = {f"Subnet{letter}": each.identity for letter, each in zip(_LETTERS, subnets, strict=False)}
    return {"Vpc": subnets[0].vpc, "AssignPublicIp": str(subnets[0].public).lower(), **chosen}


def _given_files(files: FileSystem, subnets: Sequence[Subnet]) -> dict[str, str]:
    if not files.mount_targets:
        return {"FileSystem": files.identity, "MountTargets": "make"}
    vpc = files.mount_targets[0].vpc
    zones = {each.zone for each in files.mount_targets}
    missing = [each.identity for each in subnets if each.zone not in zones]
    if not subnets or subnets[0].vpc != vpc or missing:
        raise UsageError(
            f"{files.identity} is reached from {vpc}, in {', '.join(sorted(zones))} only",
            hint=f"give --vpc {vpc} and --subnets in these zones",
        )
    group = next(iter(files.mount_targets[0].security_groups), "")
    return {"FileSystem": files.identity, "MountTargets": "given", "FilesGroup": group}


def _fixed(option: str, name: str) -> UsageError:
    if option == "--kms-key":
        return UsageError(
            "--kms-key cannot be changed once there is data encrypted with another",
            hint="make a deployment of another --name; or take this one down with --delete-data",
        )
    return UsageError(
        f"{option} cannot be changed once a deployment is there",
        hint=f"`cromulent down --name {name}` keeps its data; then `cromulent up` with {option}",
    )
