"""What a provisioned stack is made of, as far as anything else of this project needs to know."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Deployment"]


@dataclass(frozen=True)
class Deployment:
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
