"""Looks at AWS: who asks, what the account is allowed, and how the deployment stands. It changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ...aws import buckets, drift, file_systems, identity, network, permissions, quotas
from ...aws.access import Access, code_of
from ...aws.deployments import find_deployed
from ...aws.drift import Drifted
from ...aws.identity import Caller
from ...aws.permissions import Need
from ...clock import Clock
from ...errors import AwsDenied, AwsError, CredentialsError, CromulentError, DeploymentNotFound
from . import needs
from .facts import Account, Deployed, Unknown

__all__ = ["look_at_account", "look_at_deployment"]

_PATIENCE = 120.0
"""Seconds after which drift detection is given up."""
_LOOK = 1.0
_ACTION = re.compile(r"not authorized to perform:? (\w+:\w+)")

_Found = TypeVar("_Found")


def look_at_account(access: Access, clock: Clock) -> Account:
    """Return who asks, from where, and what the account is allowed."""
    region = _unless_refused(lambda: access.region)
    if isinstance(region, Unknown):
        return Account(region, Unknown("without a region AWS is not asked", region.hint), None, region)
    try:
        caller: Caller | Unknown = identity.caller(access)
        time = caller.time if isinstance(caller, Caller) else None
    except (AwsError, CredentialsError) as error:
        caller, time = _unknown(error), identity.time_in_refusal(error)
    skew = clock.now() - time if time is not None else None
    allowed = caller if isinstance(caller, Unknown) else _unless_refused(lambda: quotas.fargate(access))
    return Account(region, caller, skew, allowed)


def look_at_deployment(
    access: Access, name: str, account: Account, clock: Clock, *, with_drift: bool
) -> Deployed | Unknown:
    """Return how the deployment stands, or why that is not known."""
    try:
        stack, deployment = find_deployed(access, name)
    except (AwsError, CredentialsError, DeploymentNotFound) as error:
        return _unknown(error)
    wishes = needs.wishes_of(deployment, stack.parameters)
    with ThreadPoolExecutor() as pool:
        changed = pool.submit(_unless_refused, lambda: _drift(access, stack.identity, clock)) if with_drift else None
        files = pool.submit(_unless_refused, lambda: file_systems.find_file_system(access, deployment.file_system))
        subnets = pool.submit(_unless_refused, lambda: network.subnets(access, deployment.subnets))
        named = pool.submit(_unless_refused, lambda: network.resolves_names(access, deployment.vpc))
        bucket = pool.submit(_unless_refused, lambda: buckets.exists(access, deployment.bucket))
        head = pool.submit(_lacks, access, deployment.head_role, needs.of_head(deployment, wishes))
        runner = pool.submit(_caller_lacks, access, account, needs.of_caller(deployment, wishes))
        manager = pool.submit(_caller_lacks, access, account, needs.of_manager(deployment))
        return Deployed(
            deployment=deployment,
            state=stack.status,
            drift=changed.result() if changed is not None else None,
            files=files.result(),
            subnets=subnets.result(),
            resolves_names=named.result(),
            bucket=bucket.result(),
            head_lacks=head.result(),
            caller_lacks=runner.result(),
            manager_lacks=manager.result(),
        )


def _drift(access: Access, stack: str, clock: Clock) -> tuple[Drifted, ...] | Unknown:
    detection = drift.begin(access, stack)
    deadline = clock.monotonic() + _PATIENCE
    while not (found := drift.look(access, detection)).finished:
        if clock.monotonic() >= deadline:
            return Unknown("CloudFormation is still looking for drift", "ask again in a few minutes")
        clock.sleep(_LOOK)
    changed = drift.drifted(access, stack)
    if changed or found.whole:
        return changed
    return Unknown(found.reason or "CloudFormation could not look at all resources", "it looks with your permissions")


def _lacks(access: Access, principal: str, wanted: Iterable[Need]) -> tuple[Need, ...] | Unknown:
    return _unless_refused(lambda: permissions.denied(access, principal, wanted))


def _caller_lacks(access: Access, account: Account, wanted: tuple[Need, ...]) -> tuple[Need, ...] | Unknown:
    if isinstance(account.caller, Unknown):
        return account.caller
    if account.caller.arn.endswith(":root"):
        return ()  # whom no policy restrains, and IAM does not simulate
    arn = account.caller.arn
    principal = _unless_refused(lambda: identity.principal_of(access, arn))
    return principal if isinstance(principal, Unknown) else _lacks(access, principal, wanted)


def _unless_refused(ask: Callable[[], _Found]) -> _Found | Unknown:
    try:
        return ask()
    except (AwsError, CredentialsError) as error:
        return _unknown(error)


def _unknown(error: CromulentError) -> Unknown:
    action = _ACTION.search(str(error))
    if isinstance(error, AwsDenied) and action is not None:
        return Unknown(f"these credentials may not {action[1]}", error.hint or "", error.code)
    return Unknown(str(error), error.hint or "", code_of(error.__cause__) if error.__cause__ else "")
