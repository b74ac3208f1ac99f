"""On which resource a request is judged, and by which tags of it, where ministack knows none or takes another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import base

__all__ = ["repair"]

_FILES = "arn:aws:elasticfilesystem:{region}:{account}:{kind}/{name}"
_KINDS = {"FileSystemId": "file-system", "AccessPointId": "access-point"}
_NETWORKS = {
    "igw": "internet-gateway",
    "rtb": "route-table",
    "sg": "security-group",
    "subnet": "subnet",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}
"""EC2's resource types by how their ids begin."""


def repair() -> None:
    """Judge requests on what they name anywhere, those about a change set on its stack; know more tags."""
    base.wrap(base.module("core.iam_actions"), "extract_resource_arn", _resource)
    tagging = base.module("services.tagging")
    tagging._RESOURCE_TAG_COLLECTORS["ec2"] = _networks
    tagging._RESOURCE_TAG_COLLECTORS["elasticfilesystem"] = tagging._COLLECTORS["elasticfilesystem"]


def _networks() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Yield the ARN and the tags of what a network is made of."""
    responses = base.module("core.responses")
    prefix = f"arn:aws:ec2:{responses.get_region()}:{responses.get_account_id()}"
    for identity, tags in list(base.module("services.ec2")._tags.items()):
        kind = _NETWORKS.get(identity.partition("-")[0])
        if kind is not None:
            yield f"{prefix}:{kind}/{identity}", tags


def _resource(original: Callable[..., str], service: str, *request: Any) -> str:
    found = original(service, *request)
    if found != "*" and not found.endswith("file-system/*"):
        return found
    _, path, _, body, query, region, account = request
    if service == "elasticfilesystem":
        return _of_files(path, body, query, (region, account)) or found
    if service == "cloudformation":
        return _of_change_set(query) or found
    if service == "iam":
        return _first(query, "PolicySourceArn") or found
    return found


def _of_files(path: str, body: bytes, query: Mapping[str, Any], place: tuple[str, str]) -> str:
    try:
        named = json.loads(body or b"{}")
    except ValueError:
        named = {}
    asked = {name: named.get(name) or _first(query, name) for name in (*_KINDS, "MountTargetId")}
    target = asked["MountTargetId"] or path.partition("/mount-targets/")[2].split("/")[0]
    if target:
        # A mount target has no ARN: it is judged on its file system.
        known = base.module("services.efs")._mount_targets.get(target) or {}
        asked["FileSystemId"] = known.get("FileSystemId", "")
    for name, kind in _KINDS.items():
        if asked[name]:
            return _FILES.format(region=place[0], account=place[1], kind=kind, name=asked[name])
    return ""


def _of_change_set(query: Mapping[str, Any]) -> str:
    name = _first(query, "ChangeSetName")
    known = base.module("services.cloudformation")._change_sets.get(name) or {}
    return str(known.get("StackId", ""))


def _first(query: Mapping[str, Any], name: str) -> str:
    value = query.get(name) or ""
    return str(value[0] if isinstance(value, list) and value else value)
