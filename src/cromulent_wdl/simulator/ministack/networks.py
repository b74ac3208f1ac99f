"""EC2's repairs: a rule of a security group as a resource of its own, and what VPCs and subnets say of themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_network
from typing import Any

from ..ecs import Place
from . import base, cloudformation
from .cloudformation import Properties

__all__ = ["addresses", "count_addresses", "mount_targets", "repair"]

_RESERVED = 5
"""Addresses that AWS keeps in each subnet (EC2, page "Subnet CIDR blocks")."""


def repair() -> None:
    """Register the type; let VPCs give their CIDR block."""
    cloudformation.register("AWS::EC2::SecurityGroupIngress", _SecurityGroupIngress())
    for operation in ("create", "update"):
        cloudformation.after("AWS::EC2::VPC", operation, _cidr_block)


def count_addresses(tasks_in: Callable[[Place, str], int]) -> None:
    """Have subnets say how many addresses are free: mount targets have one each, and so have tasks."""
    responses = base.module("core.responses")

    def shown(original: Callable[..., str], subnet: Mapping[str, Any], *rest: Any, **named: Any) -> str:
        place, identity = Place(responses.get_account_id(), responses.get_region()), subnet["SubnetId"]
        free = addresses(subnet) - mount_targets(place, identity) - tasks_in(place, identity)
        return original({**subnet, "AvailableIpAddressCount": max(0, free)}, *rest, **named)

    base.wrap(_ec2(), "_subnet_fields_xml", shown)


def addresses(subnet: Mapping[str, Any]) -> int:
    """Return how many addresses a subnet has for others than AWS."""
    return _size(subnet["CidrBlock"]) - _RESERVED


@lru_cache
def _size(block: str) -> int:
    return ip_network(block).num_addresses


def mount_targets(place: Place, subnet: str) -> int:
    """Return how many mount targets are in a subnet."""
    with base.module("core.responses").request_scope(place.account, place.region):
        return sum(each["SubnetId"] == subnet for each in base.module("services.efs")._mount_targets.values())


def _cidr_block(physical_id: str, properties: Properties) -> dict[str, Any]:
    return {"CidrBlock": properties.get("CidrBlock")}


class _SecurityGroupIngress:
    """AWS::EC2::SecurityGroupIngress. Ref and the attribute Id are the rule's id."""

    def create(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        ec2 = _ec2()
        group = ec2._security_groups.get(properties.get("GroupId"))
        if group is None:
            raise ValueError(f"The security group '{properties.get('GroupId')}' does not exist")
        rule = _permission(properties)
        rule["SecurityGroupRuleId"] = identity = ec2._sg_rule_id(group["GroupId"], False, rule)
        if any(ec2._rules_match(rule, each) for each in group["IpPermissions"]):
            raise ValueError("the specified rule already exists")
        group["IpPermissions"].append(rule)
        return identity, {"Id": identity}

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
    ) -> tuple[str, dict[str, Any]]:
        # All but the description "requires replacement".
        if {**old, "Description": ""} != {**new, "Description": ""}:
            return self.create(logical_id, new, stack)
        self.delete(physical_id, old)
        return self.create(logical_id, new, stack)

    def delete(self, physical_id: str, properties: Properties) -> None:
        group = _ec2()._security_groups.get(properties.get("GroupId"))
        if group is not None:
            rules = group["IpPermissions"]
            rules[:] = [each for each in rules if each.get("SecurityGroupRuleId") != physical_id]


def _ec2() -> Any:
    return base.module("services.ec2")


def _permission(properties: Properties) -> dict[str, Any]:
    rule: dict[str, Any] = base.module("services.cloudformation.provisioners")._ec2_sg_permissions([properties])[0]
    return rule
