"""What the facts say of this machine and of the account. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ...aws.quotas import ON_DEMAND, SPOT, request_link
from .facts import Account, Here, Unknown
from .finding import Finding, failure, ok, unknown, warning

__all__ = ["account", "here"]

_SKEW_REFUSED = 300.0
"""Seconds: a request signed so far from AWS's time is refused (AWS page "Troubleshooting Signature Version 4")."""
_SKEW_NOTICED = 30.0
_SMALL_QUOTA = 16.0
"""vCPUs: with fewer not even the largest Fargate task can run."""


def here(facts: Here) -> Iterator[Finding]:
    """Check this machine."""
    yield ok("versions", ", ".join(f"{name} {version}" for name, version in facts.versions.items()))
    yield _engine(facts)
    yield _session_plugin(facts)
    if facts.registries:
        yield _registries(facts)


def account(facts: Account) -> Iterator[Finding]:
    """Check credentials, region, clock and quotas; the last two only where there are credentials."""
    yield _credentials(facts)
    yield unknown("region", facts.region) if isinstance(facts.region, Unknown) else ok("region", facts.region)
    if facts.skew is not None:
        yield _clock(facts.skew)
    if not isinstance(facts.caller, Unknown):
        yield _quotas(facts)


def _engine(facts: Here) -> Finding:
    there = [found for found in facts.engines.values() if isinstance(found, str)]
    absent = [found for found in facts.engines.values() if isinstance(found, Unknown)]
    if there:
        return ok("local engine", ", ".join(there))
    why = "; ".join(found.why for found in absent)
    sandboxed = "in bubblewrap" if isinstance(facts.sandbox, str) else "without a sandbox"
    hint = next((found.hint for found in absent if found.hint), "install Docker or Podman")
    instead = f"neither Docker nor Podman answers, so tasks run here as processes, {sandboxed}"
    return warning("local engine", f"{instead}. {why}", hint)


def _session_plugin(facts: Here) -> Finding:
    if facts.session_plugin:
        return ok("session plugin", facts.session_plugin)
    return warning(
        "session plugin",
        "session-manager-plugin is not installed; only a shell in a task on AWS needs it",
        "install the Session Manager plugin for the AWS CLI (AWS Systems Manager User Guide)",
    )


def _registries(facts: Here) -> Finding:
    silent = {host: why for host, why in facts.registries.items() if why}
    if not silent:
        return ok("registries", ", ".join(facts.registries))
    reasons = "; ".join(f"{host}: {why}" for host, why in silent.items())
    return warning(
        "registries",
        f"cannot be reached from here: {reasons}",
        "a proxy? set HTTPS_PROXY; tasks on AWS are not affected",
    )


def _credentials(facts: Account) -> Finding:
    if isinstance(facts.caller, Unknown):
        if facts.caller.code:
            return failure("credentials", facts.caller.why, facts.caller.hint)
        return unknown("credentials", facts.caller)
    if facts.caller.arn.endswith(":root"):
        return warning("credentials", f"the root user of {facts.caller.account}", "use a role or a user of its own")
    return ok("credentials", facts.caller.arn)


def _clock(skew: float) -> Finding:
    ahead = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} AWS's"
    if abs(skew) >= _SKEW_REFUSED:
        return failure("clock", f"{ahead}: AWS refuses what is signed so", "set this machine's clock (NTP)")
    if abs(skew) >= _SKEW_NOTICED:
        return warning("clock", f"{ahead}; from 5 minutes on AWS refuses", "set this machine's clock (NTP)")
    return ok("clock", "as AWS's")


def _quotas(facts: Account) -> Finding:
    if isinstance(facts.quotas, Unknown):
        return unknown("Fargate quotas", facts.quotas)
    text = f"{facts.quotas.on_demand:,.10g} vCPU on demand and {facts.quotas.spot:,.10g} Spot, for the whole account"
    small = [
        code for code, value in ((ON_DEMAND, facts.quotas.on_demand), (SPOT, facts.quotas.spot)) if value < _SMALL_QUOTA
    ]
    if small and isinstance(facts.region, str):
        links = " and ".join(request_link(facts.region, code) for code in small)
        return warning("Fargate quotas", f"{text}: no more can run at a time", f"ask for more: {links}")
    return ok("Fargate quotas", text)
