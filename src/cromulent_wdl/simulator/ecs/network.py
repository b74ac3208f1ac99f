"""What RunTask asks the world before it accepts a batch: subnets, security groups, roles.

AWS's words for what is missing are known (facts: RunTask: network; RunTask: roles).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .answers import client_error, invalid_parameter
from .seam import Place, Subnet, World

__all__ = ["check_roles", "resolve_subnets"]

_MOST_SUBNETS = 16
_MOST_GROUPS = 5


def resolve_subnets(world: World, place: Place, request: Mapping[str, Any]) -> tuple[Subnet, ...]:
    """Return the subnets of a request, with its security groups checked against them."""
    network = (request.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    names = network.get("subnets") or ()
    if not names:
        raise invalid_parameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if len(names) > _MOST_SUBNETS:
        raise invalid_parameter(f"subnets can have at most {_MOST_SUBNETS} items.")
    subnets = tuple(_subnet(world, place, name, names) for name in names)
    if len({subnet.vpc for subnet in subnets}) > 1:
        raise invalid_parameter("The provided subnets must all be in the same VPC.")
    _check_groups(world, place, network.get("securityGroups") or (), subnets[0].vpc)
    return subnets


def check_roles(world: World, place: Place, *roles: str | None) -> None:
    """Refuse a role that ECS could not assume for its task."""
    for role in roles:
        if role is not None and not world.tasks_may_assume(place, role):
            raise client_error(
                f"ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the "
                "role being passed has the proper trust relationship and permissions and that your IAM user has "
                "permissions to pass this role."
            )


def _subnet(world: World, place: Place, name: str, names: tuple[str, ...] | list[str]) -> Subnet:
    found = world.subnet(place, name)
    if found is None:
        raise invalid_parameter(
            f"Error retrieving subnet information for [{', '.join(names)}]: The subnet ID '{name}' does not exist "
            "(ErrorCode: InvalidSubnetID.NotFound)"
        )
    return found


def _check_groups(world: World, place: Place, groups: tuple[str, ...] | list[str], vpc: str) -> None:
    if len(groups) > _MOST_GROUPS:
        raise invalid_parameter(f"securityGroups can have at most {_MOST_GROUPS} items.")
    for group in groups:
        home = world.security_group_vpc(place, group)
        if home is None:
            raise invalid_parameter(
                f"Error retrieving security group information for [{', '.join(groups)}]: "
                f"The security group '{group}' does not exist (ErrorCode: InvalidGroup.NotFound)"
            )
        if home != vpc:
            raise invalid_parameter(
                f"Security Group {group} does not appear to belong to the same VPC as the input subnets."
            )
