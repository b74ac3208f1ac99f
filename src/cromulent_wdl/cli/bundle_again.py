"""Starts a run in the cloud again from its bundle, which is in the bucket: from any machine, without its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from ..aws import identity, objects
from ..aws.access import Access
from ..errors import RunNotFound
from ..model.cloud_run import RunRequest, name_in
from ..provision import find_deployment
from ..runs.mirror import CloudRun, Mirror, mirror_of
from ..submit import bundle as bundles
from ..submit import launch
from ..submit.bundle import Bundle
from .deployment import cloud_run, resolved

__all__ = ["requested", "source_in", "start_again"]


def requested(directory: Path) -> tuple[RunRequest, Bundle, bytes]:
    """Return what was asked for, with what inputs and options, and the zip of its WDL.

    Raises RunNotFound, BundleUnreadable.
    """
    before = Mirror(directory)
    asked, more = _request(before)
    bundle, archive = bundles.read(before.access, before.run.bucket, asked.bundle)
    return asked, (bundle if more is None else replace(bundle, inputs={**bundle.inputs, **more})), archive


def source_in(directory: Path, bundle: Bundle, archive: bytes) -> str:
    """Lay the zip of a run's WDL beside the copy of its record, as a source to run; return where."""
    path = directory / f"{bundle.name}.zip"
    path.write_bytes(archive)
    return str(path)


def start_again(directory: Path, flags: Mapping[str, Any]) -> tuple[CloudRun, Access]:
    """Start the same bundle with the same inputs, as a run of its own. Raises RunNotFound where the request is gone."""
    before = Mirror(directory)
    asked, more = _request(before)
    deployment = find_deployment(before.access, before.run.deployment)
    again = launch.run_id(name_in(directory.name), asked.bundle)
    size, timeout = launch.Size(asked.headCpu, asked.headMemory), asked.timeout or None
    given = launch.request(asked.bundle, identity.caller(before.access).arn, size, timeout)
    launch.start(before.access, deployment, again, given if more is None else {**given, "inputs": more})
    started = cloud_run(deployment, again, resolved(flags).settings)
    mirror_of(started)
    return started, before.access


def _request(before: Mirror) -> tuple[RunRequest, dict[str, Any] | None]:
    """Return a run's request, and the inputs in it that go before the bundle's."""
    text = objects.get(before.access, before.run.bucket, before.keys.request) or before.request()
    if text is None:
        raise RunNotFound(
            f"what {before.run.run} was started with is not in s3://{before.run.bucket} any more",
            hint="the same `cromulent run` makes it anew; what the call cache has kept is not done again",
        )
    more = msgspec.json.decode(text).get("inputs")
    return msgspec.json.decode(text, type=RunRequest), more if isinstance(more, dict) else None
