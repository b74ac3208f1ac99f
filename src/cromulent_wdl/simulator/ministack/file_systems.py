"""EFS's repairs: client tokens, limits and errors of access points, listings in pages, permission to tag at creation.

What EFS says and takes is botocore's model of it; tags at creation are its page "Using tags with Amazon EFS".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..ecs import ApiError, Place
from . import base, cloudformation
from .authorization import Judge
from .door import identify
from .requests import Request, refusal

__all__ = ["FileSystems"]

_SERVICE = "elasticfilesystem"
_MOST_ACCESS_POINTS = 10_000
"""A file system (facts: EFS access points)."""
_MOST_SHOWN = 100
_ALL = "1000000"

_MADE = {
    "access-points": ("access-point", "CreateAccessPoint"),
    "file-systems": ("file-system", "CreateFileSystem"),
}
"""What a path makes, and by which action."""

Query = Mapping[str, str]
Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class _Listing:
    """How an operation lists: its member, and what names the size of a page and where the next one begins."""

    operation: str
    member: str
    most: str
    given: str
    next: str


_ACCESS_POINTS = _Listing("_describe_access_points", "AccessPoints", "MaxResults", "NextToken", "NextToken")
_MOUNT_TARGETS = _Listing("_describe_mount_targets", "MountTargets", "MaxItems", "Marker", "NextMarker")
_FILE_SYSTEMS = _Listing("_describe_file_systems", "FileSystems", "MaxItems", "Marker", "NextMarker")


class FileSystems:
    """The service."""

    def __init__(self, judge: Judge | None) -> None:
        self._judge = judge
        self._efs = base.module("services.efs")
        self._responses = base.module("core.responses")

    def repair(self) -> None:
        """Put the repairs into ministack's EFS."""
        base.wrap(self._efs, "_create_access_point", self._create_access_point)
        for listing in (_ACCESS_POINTS, _MOUNT_TARGETS, _FILE_SYSTEMS):
            base.wrap(self._efs, listing.operation, partial(self._list, listing))
        if self._judge is not None:
            handlers = base.module("app").SERVICE_HANDLERS
            handlers[_SERVICE] = partial(self._judged, handlers[_SERVICE], self._judge)

    def _create_access_point(self, original: Callable[[Any], Answer], request: Mapping[str, Any]) -> Answer:
        """Make an access point once a client token (botocore, CreateAccessPoint: AccessPointAlreadyExists)."""
        there = [each for each in self._efs._access_points.values() if each["FileSystemId"] == request["FileSystemId"]]
        known = next((each for each in there if each["ClientToken"] == request.get("ClientToken")), None)
        if known is not None:
            return _error(409, "AccessPointAlreadyExists", "Access point already exists.", known["AccessPointId"])
        if len(there) >= _MOST_ACCESS_POINTS:
            return _error(403, "AccessPointLimitExceeded", "The file system has reached its limit of access points.")
        objection = _objection(request.get("RootDirectory") or {})
        if objection is not None:
            return _error(400, "BadRequest", objection)
        status, headers, body = original(request)
        if status != 200:
            return status, headers, body
        return status, headers, json.dumps({**json.loads(body), "LifeCycleState": "creating"}).encode()

    def _list(self, listing: _Listing, original: Callable[[Query], Answer], query: Query) -> Answer:
        """List what the query asks for, a page at a time; what it names must be there."""
        unknown = self._unknown(query)
        if unknown is not None:
            return unknown
        status, headers, body = original({**query, listing.most: _ALL})
        if status != 200:
            return status, headers, body
        found = json.loads(body)[listing.member]
        point = query.get("AccessPointId")
        if point is not None and listing is _MOUNT_TARGETS:
            home = self._efs._access_points[point]["FileSystemId"]
            found = [each for each in found if each["FileSystemId"] == home]
        start = int(query.get(listing.given) or 0)
        end = start + int(query.get(listing.most) or _MOST_SHOWN)
        answer: dict[str, Any] = {listing.member: found[start:end]}
        if end < len(found):
            answer[listing.next] = str(end)
        return status, headers, json.dumps(answer).encode()

    def _unknown(self, query: Query) -> Answer | None:
        for name, store, kind in (
            ("FileSystemId", self._efs._file_systems, "FileSystem"),
            ("AccessPointId", self._efs._access_points, "AccessPoint"),
        ):
            identity = query.get(name)
            if identity is not None and identity.rpartition("/")[2] not in store:
                words = {"FileSystem": "File system", "AccessPoint": "Access point"}[kind]
                return _error(404, f"{kind}NotFound", f"{words} '{identity}' does not exist.")
        return None

    async def _judged(self, original: Any, judge: Judge, method: str, path: str, *rest: Any) -> Any:
        """Judge tags at creation as well: they want elasticfilesystem:TagResource on what is created."""
        headers, body, _ = rest
        kind = path.rstrip("/").rpartition("/")[2]
        if method == "POST" and kind in _MADE:
            resource, action = _MADE[kind]
            tags = {each["Key"]: each["Value"] for each in _json(body).get("Tags") or ()}
            conditions = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
            conditions |= {f"{_SERVICE}:CreateAction": action}
            key, _ = identify(headers.get("authorization", ""))
            try:
                if tags:
                    place = self._place()
                    arn = f"arn:aws:{_SERVICE}:{place.region}:{place.account}:{resource}/*"
                    judge.check(key, f"{_SERVICE}:TagResource", arn, place, conditions)
            except ApiError as refused:
                _, shown, words = refusal(Request(_SERVICE, f"{_SERVICE}:TagResource", headers), refused)
                return 403, shown, words
        return await original(method, path, *rest)

    def _place(self) -> Place:
        return Place(self._responses.get_account_id(), self._responses.get_region())


def _objection(root: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a root directory, in the words of a botocore model's constraint."""
    path = root.get("Path", "/")
    bounds = cloudformation.model("efs").shape_for("Path").metadata
    if len(path) > bounds["max"]:
        return f"The path of the root directory may have {bounds['max']} characters."
    if not re.fullmatch(bounds["pattern"], path):
        return f"'{path}' is not a path of at most four directories: {bounds['pattern']}"
    return None


def _error(status: int, code: str, message: str, access_point: str = "") -> Answer:
    body = {"ErrorCode": code, "Message": message}
    if access_point:
        body["AccessPointId"] = access_point
    return status, {"Content-Type": "application/json", "x-amzn-errortype": code}, json.dumps(body).encode()


def _json(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
