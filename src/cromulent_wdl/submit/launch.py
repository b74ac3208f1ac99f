"""Starts a run: an execution of the deployment's state machine, whose name is the run's id.

An execution's name is what makes a start that is sent twice one start. The input is a contract, so that others can
start runs as well (docs/reference/cloud-runs.md).
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ..aws import executions, objects
from ..aws.access import Access
from ..clock import SYSTEM, Clock
from ..model.deployment import Deployment
from ..storage.bucket import RunKeys

__all__ = ["Size", "already_running", "request", "run_id", "start"]

VERSION = 1
_LONGEST_NAME = 40
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters that look like digits."""
_BUNDLE_DIGITS = 6


@dataclass(frozen=True)
class Size:
    """Of a head, as Fargate takes it: CPU units and MiB."""

    cpu: str = "1024"
    memory: str = "2048"


def run_id(name: str, bundle: str, clock: Clock = SYSTEM) -> str:
    """Return an id that no other run has: when, what, the bundle's first digits, and four letters of chance."""
    at = datetime.fromtimestamp(clock.now(), timezone.utc)
    what = re.sub(r"[^A-Za-z0-9_]", "_", name)[:_LONGEST_NAME]
    chance = "".join(secrets.choice(_ALPHABET) for _ in range(4))
    return f"{at:%Y%m%d_%H%M%S}_{what}-{bundle[:_BUNDLE_DIGITS]}{chance}"


def request(bundle: str, caller: str, size: Size, timeout: int | None = None) -> dict[str, Any]:
    """Return the input of an execution."""
    given: dict[str, Any] = {"version": VERSION, "bundle": bundle, "caller": caller}
    given |= {"headCpu": size.cpu, "headMemory": size.memory}
    return given if timeout is None else {**given, "timeout": timeout}


def start(access: Access, deployment: Deployment, run: str, given: Mapping[str, Any]) -> None:
    """Start the run; a start of the same run that is sent again changes nothing."""
    executions.start(access, deployment.state_machine, run, given)


def already_running(access: Access, deployment: Deployment, bundle: str, caller: str) -> str | None:
    """Return the run of this bundle that this caller has started and that goes on, or None."""
    for execution in executions.running(access, deployment.state_machine):
        if not re.search(rf"-{bundle[:_BUNDLE_DIGITS]}[a-z0-9]{{4}}$", execution.name):
            continue
        text = objects.get(access, deployment.bucket, RunKeys(execution.name).request)
        asked = json.loads(text) if text else {}
        if asked.get("bundle") == bundle and asked.get("caller") == caller:
            return execution.name
    return None
