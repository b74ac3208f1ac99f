"""What a provisioned stack is made of, as far as anything else of this project needs to know."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

DEPLOYMENT_REMOVED = "The deployment is being taken away"
"""Why `cromulent down --stop-runs` stops what runs, as AWS is told."""

__all__ = ["Deployment", "deployment_in"]

_PREFIX = "DEPLOYMENT_"


class Deployment(msgspec.Struct, frozen=True):
    """The identifiers of one deployment, all read from its stack's outputs; nothing is guessed from names."""

    name: str
    """The deployment's name, which is its stack's name too."""
    version: str
    """The version of this project that made or last updated the stack."""
    region: str
    account: str
    vpc: str
    subnets: tuple[str, ...]
    """One an availability zone, each with a mount target of the file system."""
    assign_public_ip: bool
    """Whether tasks need a public address to reach the internet: the subnets route there without a NAT."""
    security_group: str
    file_system: str
    access_point: str
    """The access point at the file system's root, by which tasks read what lies outside their run's directory."""
    bucket: str
    cluster: str
    log_group: str
    execution_role: str
    """Roles are ARNs."""
    task_role: str
    head_role: str
    states_role: str
    state_machine: str
    """The ARN of the machine that runs a head."""
    sweep_machine: str
    """The ARN of the machine that stops what a dead run left."""


def deployment_in(environ: Mapping[str, str]) -> Deployment | None:
    """Return the deployment that a head's environment describes (template.yaml), or None where it describes none.

    A head does not know the machines: they know it.
    """
    found = {name: environ.get(_PREFIX + name.upper(), "") for name in Deployment.__struct_fields__}
    if not found["name"] or not found["bucket"]:
        return None
    subnets, public = found.pop("subnets"), found.pop("assign_public_ip")
    return Deployment(**found, subnets=tuple(subnets.split(",")), assign_public_ip=public == "true")
