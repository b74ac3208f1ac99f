"""EFS access points: the ones of runs, each the directory of a run as its tasks see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..clock import SYSTEM, Clock
from ..errors import AwsError
from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_efs import EFSClient

__all__ = ["AccessPoint", "Wanted", "create", "find", "objection"]

_DEEPEST, _LONGEST, _NOT_IN_PATHS = 4, 100, "$#<>;`|&?{}^*\n"
"""Of the path of an access point's root (botocore's model of EFS, `Path`)."""

_LOOKS = 120
"""How often, within the patience that there is for it, a new access point is looked at."""


@dataclass(frozen=True)
class AccessPoint:
    """An access point that can be mounted."""

    identity: str
    root: str
    """The directory of the file system that is its root."""
    user: int | None = None
    """The user id that every access through it has; None for the client's own."""


def find(access: Access, identity: str) -> AccessPoint | None:
    """Return an access point that can be mounted, or None where there is none of that id."""
    try:
        found = _describe(access, identity)
    except AwsError as error:
        if error.code == "AccessPointNotFound":
            return None
        raise
    return _point(found) if found["LifeCycleState"] == "available" else None


@dataclass(frozen=True)
class Wanted:
    """What an access point is to be: every access through it is `user`'s, below `root`."""

    file_system: str
    root: str
    user: tuple[int, int]
    token: str
    """Makes a repeated call the same call."""
    tags: Mapping[str, str]


def objection(root: str) -> str | None:
    """Return why EFS makes no access point of a directory of the file system, by its path there, or None. Pure."""
    names = root.strip("/").split("/")
    if len(names) > _DEEPEST:
        return f"in the file system it is {root}, {len(names)} directories deep, and EFS takes {_DEEPEST} at most"
    if len(root) > _LONGEST:
        return f"in the file system it is {root}, of {len(root)} characters, and EFS takes {_LONGEST} at most"
    odd = sorted({each for each in root if each in _NOT_IN_PATHS})
    if odd or any(name.startswith(".") for name in names):
        what = f"with {' '.join(map(repr, odd))} in it" if odd else "with a name that begins with a dot"
        return f"in the file system it is {root}, {what}, which EFS does not take"
    return None


def create(access: Access, wanted: Wanted, patience: float, clock: Clock = SYSTEM) -> AccessPoint:
    """Make an access point whose root is there already, and return it once it can be mounted.

    Raises AwsError, also where that takes longer than so many seconds.
    """
    client = _client(access)
    user, group = wanted.user
    try:
        with asking(f"making an access point of {wanted.file_system}"):
            made: Mapping[str, Any] = client.create_access_point(
                ClientToken=wanted.token[:64],
                FileSystemId=wanted.file_system,
                PosixUser={"Uid": user, "Gid": group},
                RootDirectory={"Path": wanted.root},
                Tags=[{"Key": key, "Value": value} for key, value in wanted.tags.items()],
            )
    except AwsError as error:
        if error.code == "AccessPointAlreadyExists":  # its maker died before writing that down
            made = _by_token(access, wanted)
        elif error.code == "AccessPointLimitExceeded":
            raise AwsError(
                f"file system {wanted.file_system} has as many access points as it may",
                code=error.code,
                hint="cromulent gc removes those of runs that are over",
            ) from error
        else:
            raise
    end = clock.monotonic() + patience
    while made["LifeCycleState"] != "available":
        if clock.monotonic() > end or made["LifeCycleState"] in ("error", "deleted", "deleting"):
            raise AwsError(f"access point {made['AccessPointId']} is {made['LifeCycleState']}")
        clock.sleep(patience / _LOOKS)
        made = _describe(access, made["AccessPointId"])
    return _point(made)


def _by_token(access: Access, wanted: Wanted) -> Mapping[str, Any]:
    with asking(f"looking for the access points of {wanted.file_system}"):
        for page in _client(access).get_paginator("describe_access_points").paginate(FileSystemId=wanted.file_system):
            for found in page["AccessPoints"]:
                if found.get("ClientToken") == wanted.token[:64]:
                    return found
    raise AwsError(f"EFS has an access point of {wanted.file_system} for this run, and does not show it")


def _describe(access: Access, identity: str) -> Mapping[str, Any]:
    with asking(f"looking at access point {identity}"):
        found: Mapping[str, Any] = _client(access).describe_access_points(AccessPointId=identity)["AccessPoints"][0]
    return found


def _point(found: Mapping[str, Any]) -> AccessPoint:
    root = str((found.get("RootDirectory") or {}).get("Path") or "/")
    return AccessPoint(found["AccessPointId"], root, (found.get("PosixUser") or {}).get("Uid"))


def _client(access: Access) -> EFSClient:
    client: EFSClient = access.client("efs")
    return client
