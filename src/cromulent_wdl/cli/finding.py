"""Which run is meant: one of this machine's list, or one of the deployment that somebody else started."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import CromulentError, RunNotFound
from ..runs.find import find_run
from ..runs.index import entries

__all__ = ["find", "in_cloud", "place_of"]

_CLOUD_ID = re.compile(r"\d{8}_\d{6}_\w+-[0-9a-f]{6}[a-z2-9]{4}")
"""As submit/launch.py gives them."""


def find(name: str, flags: Mapping[str, Any] | None = None) -> Path:
    """Return the directory of a run; of one in the cloud that this machine does not know yet, a copy is made.

    Raises RunNotFound, and for a run in the cloud whatever keeps us from the deployment.
    """
    try:
        return find_run(name, entries())
    except RunNotFound:
        if not _CLOUD_ID.fullmatch(name):
            raise
        directory = _from_deployment(name, flags or {})
        if directory is None:
            raise
        return directory


def in_cloud(directory: Path) -> bool:
    """Whether the directory is the copy of a run in the cloud."""
    from ..storage import layout

    return (directory / layout.CLOUD).exists()


def place_of(directory: Path) -> str:
    """Return where a run is, in full: its directory, or for one in the cloud its address in the bucket."""
    if not in_cloud(directory):
        return str(directory)
    from ..runs.mirror import run_in

    return run_in(directory).address


def _from_deployment(run: str, flags: Mapping[str, Any]) -> Path | None:
    from ..aws import executions, objects
    from ..provision import find_deployment
    from ..runs.mirror import mirror_of
    from ..storage.bucket import RunKeys
    from .deployment import access_by, cloud_run, resolved

    settings = resolved(flags).settings
    access = access_by(settings)
    try:
        deployment = find_deployment(access, settings.deployment)
        known = objects.find(access, deployment.bucket, RunKeys(run).request) is not None
        if not known and executions.find(access, deployment.state_machine, run) is None:
            return None
    except CromulentError as error:
        error.hint = f"{error.hint}; the run is looked for in a deployment: --name" if error.hint else error.hint
        raise
    return mirror_of(cloud_run(deployment, run, settings))
