"""EFS's control plane as backends and `doctor` meet it: access points, listings, free addresses."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import Cloud, Stack


def access_point(cloud: Cloud, stack: Stack, token: str, path: str = "/runs/r1", **more: Any) -> dict[str, Any]:
    creation = {"OwnerUid": 1000, "OwnerGid": 1000, "Permissions": "0755"}
    made: dict[str, Any] = cloud.client("efs").create_access_point(
        FileSystemId=stack["Files"],
        ClientToken=token,
        PosixUser={"Uid": 1000, "Gid": 1000},
        RootDirectory={"Path": path, "CreationInfo": creation},
        **more,
    )
    return made


def error_of(refused: pytest.ExceptionInfo[ClientError]) -> dict[str, Any]:
    return dict(refused.value.response)


def test_an_access_point_is_made_once_a_client_token(cloud: Cloud, stack: Stack) -> None:
    made = access_point(cloud, stack, "token")
    with pytest.raises(ClientError) as refused:
        access_point(cloud, stack, "token")

    assert made["LifeCycleState"] == "creating"
    assert error_of(refused)["Error"]["Code"] == "AccessPointAlreadyExists"
    assert error_of(refused)["AccessPointId"] == made["AccessPointId"]
    assert error_of(refused)["ResponseMetadata"]["HTTPStatusCode"] == 409
    efs = cloud.client("efs")
    found = efs.describe_access_points(AccessPointId=made["AccessPointId"])["AccessPoints"]
    assert [each["LifeCycleState"] for each in found] == ["available"]
    assert found[0]["PosixUser"] == {"Uid": 1000, "Gid": 1000}


@pytest.mark.parametrize("path", ["runs", "/a/b/c/d/e", "/a b/$c", "/" + "x" * 100])
def test_a_path_that_efs_does_not_take_is_refused(cloud: Cloud, stack: Stack, path: str) -> None:
    with pytest.raises(ClientError) as refused:
        access_point(cloud, stack, "token", path)

    assert error_of(refused)["Error"]["Code"] == "BadRequest"


def test_listings_come_in_pages(cloud: Cloud, stack: Stack) -> None:
    made = {access_point(cloud, stack, f"token-{number}")["AccessPointId"] for number in range(4)}
    pages = cloud.client("efs").get_paginator("describe_access_points")
    sizes, seen = [], set()
    for page in pages.paginate(FileSystemId=stack["Files"], PaginationConfig={"PageSize": 2}):
        sizes.append(len(page["AccessPoints"]))
        seen |= {each["AccessPointId"] for each in page["AccessPoints"]}

    assert sizes == [2, 2, 1]  # with the stack's own
    assert made < seen


@pytest.mark.parametrize(
    ("operation", "named", "code"),
    [
        ("describe_access_points", {"AccessPointId": "fsap-00000000000000000"}, "AccessPointNotFound"),
        ("describe_access_points", {"FileSystemId": "fs-00000000000000000"}, "FileSystemNotFound"),
        ("describe_mount_targets", {"FileSystemId": "fs-00000000000000000"}, "FileSystemNotFound"),
        ("describe_mount_targets", {"AccessPointId": "fsap-00000000000000000"}, "AccessPointNotFound"),
        ("describe_mount_targets", {"MountTargetId": "fsmt-00000000000000000"}, "MountTargetNotFound"),
        ("describe_file_systems", {"FileSystemId": "fs-00000000000000000"}, "FileSystemNotFound"),
        ("delete_access_point", {"AccessPointId": "fsap-00000000000000000"}, "AccessPointNotFound"),
    ],
)
def test_what_is_not_there_is_said_not_to_be(cloud: Cloud, operation: str, named: dict[str, str], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(cloud.client("efs"), operation)(**named)

    assert error_of(refused)["Error"]["Code"] == code
    assert error_of(refused)["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_mount_targets_are_found_by_an_access_point(cloud: Cloud, stack: Stack) -> None:
    efs = cloud.client("efs")
    point = access_point(cloud, stack, "token")["AccessPointId"]
    by_point = efs.describe_mount_targets(AccessPointId=point)["MountTargets"]

    assert by_point
    assert by_point == efs.describe_mount_targets(FileSystemId=stack["Files"])["MountTargets"]
