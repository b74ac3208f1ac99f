"""All checks, in the order in which they are told."""

from __future__ import annotations

from . import checks, deployment_checks
from .facts import Facts, Unknown
from .finding import Finding, State, unknown, warning

__all__ = ["Finding", "State", "findings"]


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Return what all checks find; those of a deployment only where there is one."""
    found = [*checks.here(facts.here), *checks.account(facts.account)]
    if isinstance(facts.deployed, Unknown):
        if not isinstance(facts.account.caller, Unknown):
            found.append(_no_deployment(facts.deployed))
        return tuple(found)
    return (*found, *deployment_checks.deployed(facts.deployed, facts.account, facts.concurrency))


def _no_deployment(found: Unknown) -> Finding:
    if found.code:
        return unknown("deployment", found)
    return warning("deployment", f"{found.why}; what belongs to one was not checked", found.hint)
