"""EFS as a deployment sees it: file systems, their mount targets, and access points that runs left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import AwsError
from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_efs import EFSClient

__all__ = [
    "FileSystem",
    "MountTarget",
    "access_points",
    "delete_access_point",
    "delete_file_system",
    "find_file_system",
]


@dataclass(frozen=True)
class MountTarget:
    """Where a file system is reached from a subnet."""

    identity: str
    vpc: str
    subnet: str
    zone: str
    """The zone's id."""
    security_groups: tuple[str, ...]
    state: str
    """EFS's own word; `available` when it can be used."""


@dataclass(frozen=True)
class FileSystem:
    """A file system, what it holds in bytes as EFS last measured it, and its mount targets."""

    identity: str
    state: str
    bytes: int
    bytes_in_archive: int
    """Of those, how many are in the infrequent-access class."""
    mount_targets: tuple[MountTarget, ...]
    """Nothing where they were not asked for."""


def find_file_system(access: Access, identity: str, *, targets: bool = True) -> FileSystem | None:
    """Return a file system, or None where there is none of that id; `targets`: with its mount targets."""
    client = _client(access)
    try:
        with asking(f"looking at file system {identity}"):
            found = client.describe_file_systems(FileSystemId=identity)["FileSystems"][0]
            there = client.describe_mount_targets(FileSystemId=identity)["MountTargets"] if targets else []
    except AwsError as error:
        if error.code == "FileSystemNotFound":
            return None
        raise
    return FileSystem(
        identity,
        found["LifeCycleState"],
        found["SizeInBytes"]["Value"],
        found["SizeInBytes"].get("ValueInIA") or 0,
        tuple(_mount_target(client, each["MountTargetId"]) for each in there),
    )


def _mount_target(client: EFSClient, identity: str) -> MountTarget:
    with asking(f"looking at mount target {identity}"):
        found = client.describe_mount_targets(MountTargetId=identity)["MountTargets"][0]
        groups = client.describe_mount_target_security_groups(MountTargetId=identity)["SecurityGroups"]
    return MountTarget(
        identity,
        found.get("VpcId", ""),
        found["SubnetId"],
        found.get("AvailabilityZoneId", ""),
        tuple(groups),
        found["LifeCycleState"],
    )


def access_points(access: Access, file_system: str) -> dict[str, dict[str, str]]:
    """Return the tags of every access point of a file system, by its id."""
    found: dict[str, dict[str, str]] = {}
    with asking(f"listing the access points of {file_system}"):
        for page in _client(access).get_paginator("describe_access_points").paginate(FileSystemId=file_system):
            for each in page["AccessPoints"]:
                found[each["AccessPointId"]] = {tag["Key"]: tag["Value"] for tag in each.get("Tags", ())}
    return found


def delete_access_point(access: Access, identity: str) -> None:
    """Delete an access point; what it leads to stays."""
    with asking(f"deleting access point {identity}"):
        _client(access).delete_access_point(AccessPointId=identity)


def delete_file_system(access: Access, identity: str) -> None:
    """Delete a file system that has no mount targets any more, with all that is in it."""
    with asking(f"deleting file system {identity}"):
        _client(access).delete_file_system(FileSystemId=identity)


def _client(access: Access) -> EFSClient:
    client: EFSClient = access.client("efs")
    return client
