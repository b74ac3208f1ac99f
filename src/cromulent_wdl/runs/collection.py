"""What runs in the cloud left that nobody needs: records and outputs in the bucket, access points, task definitions.

The call cache needs none of it: it goes by what is on the shared disk, which a head tidies (submit/tidying.py).
Uploaded inputs and bundles stay, which the next run may want.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import compress

from ..aws import executions, file_systems, objects, tagging, task_definitions
from ..aws.access import Access
from ..aws.deployments import RUN_TAG, TAG
from ..aws.task_definitions import Definition
from ..model.cloud_run import begun_in
from ..model.deployment import Deployment
from ..storage.bucket import RUNS, RunKeys

__all__ = ["Collection", "collect", "old", "survey"]

_ID = re.compile(r"\d{8}_\d{6}_\w+-[0-9a-z]{10}")
_AT_ONCE = 8
_SLACK_SECONDS = 300.0
"""By which the clocks of AWS's services and of file systems may differ."""


@dataclass(frozen=True)
class Collection:
    """What would be removed."""

    runs: tuple[str, ...]
    """Whose records and outputs go."""
    keys: tuple[str, ...]
    """Of their objects."""
    bytes: int
    access_points: tuple[str, ...]
    """Of runs that are over, whatever their age: a run that is begun again has another."""
    definitions: tuple[str, ...]
    """ARNs, of the same runs."""
    kept: tuple[str, ...] = ()
    """Runs that are over, and among the last of these."""
    going_on: tuple[str, ...] = ()
    since: float = 0.0
    """When the first of those that go on began, or what was asked for if that is earlier."""

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to remove."""
        return not (self.runs or self.access_points or self.definitions)


def old(runs: Iterable[str], going_on: Container[str], before: float, keep_last: int) -> tuple[str, ...]:
    """Return the runs that are over, began before a time, and are not among the last so many. Pure."""
    return tuple(sorted(run for run in _over(runs, going_on)[keep_last:] if begun_in(run) < before))


def _over(runs: Iterable[str], going_on: Container[str]) -> list[str]:
    """Return the runs that are over, the newest first."""
    return sorted((run for run in runs if _ID.fullmatch(run) and run not in going_on), reverse=True)


def survey(
    access: Access, deployment: Deployment, *, before: float, keep_last: int, larger_than: int = 0
) -> Collection:
    """Return what could be removed. Nothing is. Of runs, only those that hold more than so many bytes in the bucket."""
    # Before it is asked which runs go on: what is there of a run that goes on then is not taken for one that is over.
    points = _of_runs(file_systems.access_points(access, deployment.file_system), deployment.name)
    definitions = tagging.values(access, RUN_TAG, kinds=["ecs:task-definition"])
    running = {each.name: each.started for each in executions.running(access, deployment.state_machine)}
    going_on = frozenset(running)
    known = tuple(objects.folders(access, deployment.bucket, RUNS))
    runs = old(known, going_on, before, keep_last)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        held = list(pool.map(lambda run: list(objects.listing(access, deployment.bucket, RunKeys(run).root)), runs))
    if larger_than:
        large = [sum(found.size for found in each) > larger_than for each in held]
        runs, held = tuple(compress(runs, large)), list(compress(held, large))
    own = f":task-definition/{deployment.name}_"
    return Collection(
        runs,
        tuple(found.key for each in held for found in each),
        sum(found.size for each in held for found in each),
        _of_ended(points, going_on),
        tuple(arn for arn in _of_ended(definitions, going_on) if own in arn),
        tuple(_over(known, going_on)[:keep_last]),
        tuple(sorted(going_on)),
        min([before, *(started - _SLACK_SECONDS for started in running.values())]),
    )


def collect(access: Access, deployment: Deployment, found: Collection) -> None:
    """Remove it. What was begun and interrupted is found again."""
    for point in found.access_points:
        file_systems.delete_access_point(access, point)
    task_definitions.remove(access, [Definition(arn, active=True) for arn in found.definitions])
    objects.delete(access, deployment.bucket, found.keys)


def _of_runs(points: Mapping[str, Mapping[str, str]], deployment: str) -> dict[str, str]:
    """Return the runs by the access points that a deployment's made; others may have the file system, too."""
    return {each: tags[RUN_TAG] for each, tags in points.items() if tags.get(TAG) == deployment and RUN_TAG in tags}


def _of_ended(tagged: Mapping[str, str], going_on: frozenset[str]) -> tuple[str, ...]:
    """Return those of runs in the cloud that are over; of runs whose head is elsewhere nobody here knows."""
    return tuple(sorted(each for each, run in tagged.items() if _ID.fullmatch(run) and run not in going_on))
