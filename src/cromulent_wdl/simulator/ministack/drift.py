"""Drift: what ministack does not look at when it compares a stack with what there is.

As on AWS only what the template sets is compared (page "Detect unmanaged configuration changes"). Of types that are
in `_STORES`, only that the resource has gone is noticed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..ecs import ApiError, Place
from . import base
from .cloudformation import Properties
from .door import EcsDoor

__all__ = ["repair"]

Current = Mapping[str, Any]
Reader = Callable[[str, Properties], "Current | None"]

_STORES = {
    "AWS::EC2::InternetGateway": ("ec2", "_internet_gateways"),
    "AWS::EC2::RouteTable": ("ec2", "_route_tables"),
    "AWS::EC2::SecurityGroup": ("ec2", "_security_groups"),
    "AWS::EC2::Subnet": ("ec2", "_subnets"),
    "AWS::EC2::VPC": ("ec2", "_vpcs"),
    "AWS::EC2::VPCEndpoint": ("ec2", "_vpc_endpoints"),
    "AWS::EFS::AccessPoint": ("efs", "_access_points"),
    "AWS::EFS::FileSystem": ("efs", "_file_systems"),
    "AWS::EFS::MountTarget": ("efs", "_mount_targets"),
}


def repair(door: EcsDoor) -> None:
    """Have more types, and more of their properties, looked at."""
    readers = base.module("services.cloudformation.drift")._DRIFT_READERS
    for kind, (service, store) in _STORES.items():
        readers[kind] = (_existing(service, store), frozenset())
    _widen(readers, "AWS::IAM::Role", _role, "Policies", "ManagedPolicyArns", "PermissionsBoundary")
    _widen(readers, "AWS::S3::Bucket", _bucket, "PublicAccessBlockConfiguration")
    _widen(readers, "AWS::Events::Rule", _rule, "State", "EventPattern")
    _widen(readers, "AWS::StepFunctions::StateMachine", _machine, "RoleArn")
    readers["AWS::ECS::Cluster"] = (_cluster(door), frozenset())


def _widen(readers: dict[str, Any], kind: str, reader: Callable[[str, Properties], Current], *properties: str) -> None:
    """Add properties to those that ministack reads of a type."""
    original, known = readers[kind]

    def both(physical_id: str, expected: Properties) -> Current | None:
        found = original(physical_id, expected)
        return None if found is None else {**found, **reader(physical_id, expected)}

    readers[kind] = (both, known | set(properties))


def _existing(service: str, store: str) -> Reader:
    return lambda physical_id, _: {} if physical_id in getattr(base.module(f"services.{service}"), store) else None


def _role(name: str, expected: Properties) -> Current:
    role = base.module("services.iam")._roles[name]
    documents = {each: _document(text) for each, text in (role.get("InlinePolicies") or {}).items()}
    order = [each["PolicyName"] for each in expected.get("Policies") or ()]
    names = [each for each in order if each in documents] + sorted(documents.keys() - set(order))
    attached = list(role.get("AttachedPolicies") or ())
    return {
        "Policies": [{"PolicyName": each, "PolicyDocument": documents[each]} for each in names],
        "ManagedPolicyArns": sorted(attached, key=_by_order(expected.get("ManagedPolicyArns") or [])),
        "PermissionsBoundary": role.get("PermissionsBoundary"),
    }


def _by_order(order: list[str]) -> Callable[[str], tuple[int, str]]:
    return lambda each: (order.index(each) if each in order else len(order), each)


def _bucket(name: str, _: Properties) -> Current:
    kept = base.module("services.s3")._buckets[name].get("_public_access_block") or ""
    settings = re.findall(r"<(\w+)>(true|false)</", kept.decode() if isinstance(kept, bytes) else kept)
    return {"PublicAccessBlockConfiguration": {setting: value == "true" for setting, value in settings}}


def _rule(name: str, _: Properties) -> Current:
    bridge = base.module("services.eventbridge")
    rule = bridge._rules[bridge._rule_key(name.rpartition("/")[2], "default")]
    return {"State": rule.get("State"), "EventPattern": _document(rule.get("EventPattern") or "{}")}


def _machine(arn: str, _: Properties) -> Current:
    return {"RoleArn": base.module("services.stepfunctions")._state_machines[arn].get("roleArn")}


def _cluster(door: EcsDoor) -> Reader:
    responses = base.module("core.responses")

    def read(name: str, _: Properties) -> Current | None:
        place = Place(responses.get_account_id(), responses.get_region())
        try:
            found = door.call_within("DescribeClusters", {"clusters": [name]}, place)["clusters"]
        except ApiError:
            return None
        return {} if any(each["status"] == "ACTIVE" for each in found) else None

    return read


def _document(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
