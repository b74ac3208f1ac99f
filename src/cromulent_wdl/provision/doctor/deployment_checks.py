"""What the facts say of a deployment. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ... import __version__
from ...aws.permissions import Need
from ..standing import HEALTHY
from .facts import Account, Deployed, Unknown
from .finding import Finding, failure, ok, unknown, warning

__all__ = ["deployed"]

_NAMED = 4
"""So many things are named in a line, others counted."""


def deployed(facts: Deployed, account: Account, concurrency: int | None) -> Iterator[Finding]:
    """Check the stack, and what it needs of network, storage and permissions."""
    yield _stack(facts)
    yield _version(facts)
    if facts.drift is not None:
        yield _drift(facts)
    yield _network(facts)
    yield _addresses(facts, _wanted(account, concurrency))
    yield _mount_targets(facts)
    yield _bucket(facts)
    yield _permissions(
        "head's role", facts.head_lacks, "`cromulent up` gives it what it lacks; yours, by --roles: add it"
    )
    yield _caller(facts.caller_lacks, manages=facts.manager_lacks == ())
    if not isinstance(facts.manager_lacks, Unknown):
        yield _management(facts.manager_lacks)


def _stack(facts: Deployed) -> Finding:
    named = f"'{facts.deployment.name}' is {facts.state}"
    if facts.state in HEALTHY:
        return ok("stack", named)
    if facts.state.endswith("_IN_PROGRESS"):
        return warning("stack", f"{named}: it is being changed", "`cromulent up` waits for it")
    return failure("stack", named, f"`cromulent up --name {facts.deployment.name}` mends it")


def _version(facts: Deployed) -> Finding:
    if facts.deployment.version == __version__:
        return ok("version", f"the deployment's and ours are {__version__}")
    text = f"the deployment is of version {facts.deployment.version}, this is {__version__}"
    return warning("version", text, f"`cromulent up --name {facts.deployment.name}` brings the older to the newer")


def _drift(facts: Deployed) -> Finding:
    if isinstance(facts.drift, Unknown):
        return unknown("drift", facts.drift)
    if not facts.drift:
        return ok("drift", "nothing was changed behind the stack's back")
    changed = [
        each.logical + (" (deleted)" if each.deleted else f" ({', '.join(each.properties[:2])})")
        for each in facts.drift or ()
    ]
    deleted = any(each.deleted for each in facts.drift or ())
    hint = "undo that by hand: CloudFormation puts back only what the template itself changes"
    return (failure if deleted else warning)("drift", f"changed behind the stack's back: {_listed(changed)}", hint)


def _network(facts: Deployed) -> Finding:
    if isinstance(facts.subnets, Unknown):
        return unknown("network", facts.subnets)
    if isinstance(facts.resolves_names, Unknown):
        return unknown("network", facts.resolves_names)
    vpc = facts.deployment.vpc
    if not facts.resolves_names:
        return failure(
            "network",
            f"{vpc} does not resolve names, so that tasks do not find the file system",
            "turn on its enableDnsSupport and enableDnsHostnames",
        )
    for each in facts.subnets:
        if not each.way_out:
            return failure("network", f"{each.identity} has no way to the internet", "give it a default route")
        if each.public != facts.deployment.assign_public_ip:
            given = "get public addresses" if facts.deployment.assign_public_ip else "get no public address"
            way = f"but its way out is {each.way_out}"
            return failure("network", f"tasks in {each.identity} {given}, {way}", "put its default route back")
    return ok("network", f"{vpc} resolves names, and {len(facts.subnets)} subnets lead out")


def _wanted(account: Account, concurrency: int | None) -> float | None:
    """Return how many tasks may want to run at a time: as many of one vCPU as the quotas let run."""
    if concurrency is not None:
        return concurrency
    return None if isinstance(account.quotas, Unknown) else account.quotas.on_demand + account.quotas.spot


def _addresses(facts: Deployed, wanted: float | None) -> Finding:
    if isinstance(facts.subnets, Unknown):
        return unknown("addresses", facts.subnets)
    free = sum(each.free_addresses for each in facts.subnets)
    text = f"{free:,} free in {len(facts.subnets)} subnets; each task takes one"
    tightest = min(facts.subnets, key=lambda each: each.free_addresses, default=None)
    if not free or tightest is None:
        return failure("addresses", "none is free: no task can start", "use larger subnets")
    if wanted is not None and free < wanted:
        few = f"{text}, and {wanted:,.0f} may want to run"
        return warning("addresses", f"{few}; {tightest.identity} has {tightest.free_addresses:,}", "use larger subnets")
    return ok("addresses", text)


def _mount_targets(facts: Deployed) -> Finding:
    identity = facts.deployment.file_system
    if isinstance(facts.files, Unknown):
        return unknown("file system", facts.files)
    if facts.files is None:
        return failure("file system", f"{identity} is gone", "`cromulent down`, then `cromulent up`, makes another")
    if facts.files.state != "available":
        return failure("file system", f"{identity} is {facts.files.state}", "wait until it is available")
    unready = [f"{each.identity} is {each.state}" for each in facts.files.mount_targets if each.state != "available"]
    if unready:
        return failure("file system", _listed(unready), "wait until it is available: a minute or two")
    if isinstance(facts.subnets, Unknown):
        return unknown("file system", facts.subnets)
    zones = {each.zone for each in facts.files.mount_targets}
    missing = [each.identity for each in facts.subnets if each.zone not in zones]
    if missing:
        hint = "a task there cannot start: make a mount target in its zone"
        return failure("file system", f"{identity} is not reached from {_listed(missing)}", hint)
    return ok("file system", f"{identity} is reached from {len(zones)} zones")


def _bucket(facts: Deployed) -> Finding:
    if isinstance(facts.bucket, Unknown):
        return unknown("bucket", facts.bucket)
    if facts.bucket:
        return ok("bucket", facts.deployment.bucket)
    return failure("bucket", f"{facts.deployment.bucket} is not there, or may not be listed", "was it deleted by hand?")


def _permissions(check: str, lacks: tuple[Need, ...] | Unknown, hint: str) -> Finding:
    if isinstance(lacks, Unknown):
        return unknown(check, lacks)
    if lacks:
        return failure(check, f"not allowed by IAM: {_listed(_actions(lacks))}", hint)
    return ok(check, "IAM allows all that is needed")


def _caller(lacks: tuple[Need, ...] | Unknown, *, manages: bool) -> Finding:
    hint = "`cromulent policy --run` prints what a user needs to run workflows"
    if manages and not isinstance(lacks, Unknown) and lacks:
        text = f"these credentials look after the deployment, but run no workflows ({_listed(_actions(lacks))})"
        return warning("permissions", text, hint)
    return _permissions("permissions", lacks, hint)


def _management(lacks: tuple[Need, ...]) -> Finding:
    if lacks:
        text = f"these credentials run workflows, but do not change the deployment ({_listed(_actions(lacks))})"
        return ok("administration", text)
    return ok("administration", "these credentials may change the deployment, too")


def _actions(needs: Iterable[Need]) -> list[str]:
    return sorted({need.action for need in needs})


def _listed(texts: list[str]) -> str:
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(texts[:_NAMED]) + more
