"""What old runs in the cloud left: looked for, told, and removed from the bucket, the account and the shared disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..aws import objects
from ..aws.access import Access
from ..aws.identity import caller
from ..clock import SYSTEM
from ..errors import AwsDenied
from ..model.deployment import Deployment
from ..model.tidied import Tidied
from ..provision import find_deployment
from ..reports.usage import month_of
from ..runs import removal
from ..runs.collection import Collection, collect, survey
from ..runs.mirror import copy_of
from ..storage.bucket import BUNDLES, RunKeys
from ..submit import tidying
from ..submit.tidying import TidyWish
from ..units import counted, format_bytes
from . import ui, usage_kept
from .deployment import access_by, agreed, resolved
from .gc import Wish
from .usage import past, usage_of_runs

__all__ = ["collect_in_cloud", "disk_lines"]

_DECLINED = 1
_NOBODY = Tidied()


@dataclass(frozen=True)
class _Place:
    access: Access
    deployment: Deployment


def collect_in_cloud(wish: Wish, flags: Mapping[str, Any]) -> int | None:
    """Do it; return the exit status."""
    settings = resolved(flags).settings
    access = access_by(settings)
    place = _Place(access, find_deployment(access, settings.deployment))
    found = survey(access, place.deployment, before=wish.before, keep_last=wish.keep_last, larger_than=wish.larger_than)
    at_once = wish.yes and not wish.dry_run
    on_disk = _on_disk(place, wish, found, remove=at_once)
    lines = _lines(found, on_disk)
    for line in lines or ["There is nothing to remove."]:
        ui.note(line)
    if not lines or wish.dry_run:
        return None
    if not agreed("Remove it?", yes=wish.yes):
        ui.note("Nothing was removed.")
        return _DECLINED
    if not at_once and on_disk != _NOBODY:
        _on_disk(place, wish, found, remove=True)
    _keep_usage(place, found)
    collect(access, place.deployment, found)
    for run in found.runs:
        removal.note(copy_of(run), "gc")
    ui.note("Removed.")
    return None


def _on_disk(place: _Place, wish: Wish, found: Collection, *, remove: bool) -> Tidied:
    """Have the shared disk looked at, or tidied, by a head; where none has ever been there is nothing on it."""
    access, deployment = place.access, place.deployment
    if next(objects.listing(access, deployment.bucket, BUNDLES), None) is None:
        return _NOBODY
    asked = TidyWish(wish.before, found.since, found.going_on, found.kept, wish.larger_than, remove)
    ui.note(f"A task {'tidies' if remove else 'looks at'} the shared disk; that takes about a minute …")
    try:
        run, said = tidying.send(access, deployment, asked, caller(access).arn)
    except AwsDenied as error:
        ui.note(f"The shared disk is left as it is: {error} (cromulent policy --run prints what it takes)")
        return _NOBODY
    left = [each.key for each in objects.listing(access, deployment.bucket, RunKeys(run).root)]
    objects.delete(access, deployment.bucket, left)
    return said


def _keep_usage(place: _Place, found: Collection) -> None:
    """Keep what runs of this month used, which `status` sums up."""
    access, deployment, now = place.access, place.deployment, SYSTEM.now()
    try:
        usage_kept.keep(access, deployment.bucket, month_of(now), usage_of_runs(access, deployment, found.runs, now))
    except AwsDenied as error:
        ui.note(f"This month's usage will lack these runs: {error} (cromulent policy --run prints what it takes)")
    objects.delete(access, deployment.bucket, past(access, deployment, now))


def _lines(found: Collection, on_disk: Tidied) -> list[str]:
    lines = []
    if found.runs:
        which = " … ".join(dict.fromkeys((found.runs[0], found.runs[-1])))
        lines.append(f"{counted(len(found.runs), 'run')}, {which}: {format_bytes(found.bytes)} in the bucket")
    lines += disk_lines(on_disk, "on the shared disk")
    if found.access_points or found.definitions:
        points, definitions = counted(len(found.access_points), "access point"), len(found.definitions)
        lines.append(f"{points} and {counted(definitions, 'task definition')} of runs that are over")
    return lines


def disk_lines(on_disk: Tidied, where: str) -> list[str]:
    """Return what is told of a disk."""
    lines = []
    if on_disk.runs:
        size = format_bytes(sum(on_disk.runs.values()))
        part = f"; of {len(on_disk.in_part)} a part stays, which the call cache needs" if on_disk.in_part else ""
        lines.append(f"{counted(len(on_disk.runs), 'run')} {where}: {size}{part}")
    if on_disk.inputs:
        size = format_bytes(on_disk.input_bytes)
        lines.append(f"{counted(on_disk.inputs, 'input')} {where} that nothing has used since: {size}")
    if on_disk.results:
        lines.append(f"{counted(on_disk.results, 'result')} that the call cache has not used since")
    return lines
