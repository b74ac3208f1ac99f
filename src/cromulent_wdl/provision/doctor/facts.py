"""All that `cromulent doctor` can know. What it could not find out is `Unknown`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...aws.drift import Drifted
from ...aws.file_systems import FileSystem
from ...aws.identity import Caller
from ...aws.network import Subnet
from ...aws.permissions import Need
from ...aws.quotas import Quotas
from ...model.deployment import Deployment

__all__ = ["Account", "Deployed", "Facts", "Here", "Unknown"]


@dataclass(frozen=True)
class Unknown:
    """What could not be found out, and why not."""

    why: str
    hint: str = ""
    code: str = ""
    """AWS's own, where it was AWS who refused."""


@dataclass(frozen=True)
class Here:
    """This machine."""

    versions: Mapping[str, str]
    """Of cromulent, Python, miniwdl and boto3."""
    engines: Mapping[str, str | Unknown]
    """By kind (`docker`, `podman`): what answers."""
    sandbox: str | Unknown
    session_plugin: str
    """The path of AWS's session-manager-plugin; nothing where there is none."""
    registries: Mapping[str, str]
    """By host: why it cannot be reached; nothing where it can. Empty where that was not looked at."""


@dataclass(frozen=True)
class Account:
    """AWS, as the credentials lead to it."""

    region: str | Unknown
    caller: Caller | Unknown
    skew: float | None
    """Seconds by which this machine's clock is ahead of AWS's; None where AWS was not reached."""
    quotas: Quotas | Unknown


@dataclass(frozen=True)
class Deployed:
    """The deployment, and what it stands in."""

    deployment: Deployment
    state: str
    """The stack's, in CloudFormation's word."""
    drift: tuple[Drifted, ...] | Unknown | None
    """None where it was not looked for."""
    files: FileSystem | Unknown | None
    """None where it is gone."""
    subnets: tuple[Subnet, ...] | Unknown
    resolves_names: bool | Unknown
    bucket: bool | Unknown
    """Whether it is there, and may be listed."""
    head_lacks: tuple[Need, ...] | Unknown
    caller_lacks: tuple[Need, ...] | Unknown
    manager_lacks: tuple[Need, ...] | Unknown
    """What the caller lacks to change the deployment, beside what running needs."""


@dataclass(frozen=True)
class Facts:
    """Everything; without credentials there is no account, without a deployment none is."""

    here: Here
    account: Account
    deployed: Deployed | Unknown
    concurrency: int | None = None
    """Tasks that are to run at a time; None: as many as the quotas let run."""
