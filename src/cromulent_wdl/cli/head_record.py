"""What a head knows of itself as an ECS task: Fargate tells every container at an address of its own."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.request import urlopen

from ..clock import SYSTEM
from ..model import EcsTaskLaunched
from ..model.cloud_run import HeadRecord
from ..model.deployment import Deployment
from ..runs.head_log import stream_of
from ..units import MIB

__all__ = ["launched_of", "record_of"]

_PATIENCE = 5.0
"""Seconds. No setting: the endpoint is in the container's own host, and no run needs what it says."""


def record_of(environ: Mapping[str, str], deployment: Deployment) -> HeadRecord:
    """Return what this head is, as far as the task metadata endpoint (version 4) says."""
    task = str(_told(environ, "/task").get("TaskARN", ""))
    return HeadRecord(task, SYSTEM.now(), deployment.log_group, stream_of(task) if task else "")


def launched_of(environ: Mapping[str, str], deployment: Deployment) -> EcsTaskLaunched | None:
    """Return this head's own ECS task for the journal, so that its cost is known; None where nobody tells of it.

    Its time is that from which it is billed.
    """
    told = _told(environ, "/task")
    limits = told.get("Limits")
    if not told.get("TaskARN") or not isinstance(limits, dict):
        return None
    task, pull = str(told["TaskARN"]), told.get("PullStartedAt")
    return EcsTaskLaunched(
        _epoch(str(pull)) if pull else SYSTEM.now(),
        call="",
        attempt=0,
        task=task,
        place="on_demand",
        region=deployment.region,
        architecture="ARM64" if platform.machine() in ("aarch64", "arm64") else "X86_64",
        cpu=float(limits.get("CPU", 0.0)),
        memory=int(limits.get("Memory", 0)) * MIB,
        public_address=deployment.assign_public_ip,
        log_group=deployment.log_group,
        log_stream=stream_of(task),
    )


def _epoch(text: str) -> float:
    """Return a time of the endpoint, as `2026-11-22T19:04:11.123456789Z`, which has more digits than Python reads."""
    seconds, _, rest = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{seconds}.{rest[:6]:0<6}+00:00").timestamp()


def _told(environ: Mapping[str, str], what: str) -> dict[str, Any]:
    address = environ.get("ECS_CONTAINER_METADATA_URI_V4")
    if not address:
        return {}
    try:
        with urlopen(address + what, timeout=_PATIENCE) as answer:
            told = json.load(answer)
    except (OSError, ValueError):
        return {}  # no run fails for want of its log's address
    return told if isinstance(told, dict) else {}
