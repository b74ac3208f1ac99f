"""Starts a run in the cloud again from its bundle, which is in the bucket: from any machine, without its source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..aws import identity, objects
from ..aws.access import Access
from ..errors import RunNotFound
from ..model.cloud_run import RunRequest, name_in
from ..provision import find_deployment
from ..runs.mirror import CloudRun, Mirror, mirror_of
from ..submit import launch
from .deployment import cloud_run, resolved

__all__ = ["start_again"]


def start_again(directory: Path, flags: Mapping[str, Any]) -> tuple[CloudRun, Access]:
    """Start the same bundle with the same inputs, as a run of its own. Raises RunNotFound where the request is gone."""
    before = Mirror(directory)
    text = objects.get(before.access, before.run.bucket, before.keys.request)
    if text is None:
        raise RunNotFound(f"what {directory.name} was started with is not in s3://{before.run.bucket} any more")
    asked = msgspec.json.decode(text, type=RunRequest)
    deployment = find_deployment(before.access, before.run.deployment)
    again = launch.run_id(name_in(directory.name), asked.bundle)
    given = launch.request(
        asked.bundle, identity.caller(before.access).arn, launch.Size(asked.headCpu, asked.headMemory)
    )
    more = msgspec.json.decode(text).get("inputs")
    launch.start(before.access, deployment, again, given if more is None else {**given, "inputs": more})
    started = cloud_run(deployment, again, resolved(flags).settings)
    mirror_of(started)
    return started, before.access
