"""What a head knows of itself as an ECS task: Fargate tells every container at an address of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.request import urlopen

from ..clock import SYSTEM
from ..model.cloud_run import HeadRecord
from ..model.deployment import Deployment
from ..runs.head_log import stream_of

__all__ = ["record_of"]

_PATIENCE = 5.0


def record_of(environ: Mapping[str, str], deployment: Deployment) -> HeadRecord:
    """Return what this head is, as far as the task metadata endpoint (version 4) says."""
    task = str(_told(environ, "/task").get("TaskARN", ""))
    return HeadRecord(task, SYSTEM.now(), deployment.log_group, stream_of(task) if task else "")


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
