"""This month's usage of a deployment, from the records of its runs in the bucket; nobody else is asked, nor paid.

What a run used is kept on this machine once the run has ended, so that its record is read once. Not more than
some records are read at a time, the newest first, and what remains unread is said to.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec

from ..aws import objects
from ..aws.access import Access
from ..errors import JournalError
from ..model.deployment import Deployment
from ..reports.usage import MonthUsage, RunUsage, month_of, usage_of, usage_of_month
from ..runs.segments import SegmentReader
from ..storage import layout
from ..storage.bucket import RUNS, RunKeys, usage_keys
from .deployment import prices_in

__all__ = ["MOST", "month_usage", "past", "usage_of_runs"]

MOST = 50
"""Records that are read at a time."""
_AT_ONCE = 8
_DATED = re.compile(r"(\d{4})(\d{2})\d{2}_\d{6}_")
"""How the ids of runs begin that `cromulent` names: with the time (UTC) at which they were submitted."""


def month_usage(
    access: Access, deployment: Deployment, going_on: Collection[str], now: float, *, most: int | None = MOST
) -> MonthUsage:
    """Return what the runs of this month used; `going_on` are those that have not ended.

    So many records are read at most, or all. Raises AwsError.
    """
    month, kept = month_of(now), _Kept(deployment.bucket)
    there = [run for run in objects.folders(access, deployment.bucket, RUNS) if _may_be_of(run, month)]
    unread = [run for run in there if run in going_on or run not in kept.runs]
    chosen = unread if most is None else unread[-most:]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        read = [each for each in pool.map(lambda run: _read(access, deployment.bucket, run, now), chosen) if each]
    kept.keep(each for each in read if each.run not in going_on)
    known = {run: usage for run, usage in kept.runs.items() if run in there} | {each.run: each for each in read}
    gone = {each.run: each for each in _removed(access, deployment.bucket, month)}
    return usage_of_month(month, (gone | known).values(), len(unread) - len(chosen))


def usage_of_runs(access: Access, deployment: Deployment, runs: Collection[str], now: float) -> list[RunUsage]:
    """Return what those of the runs used that began this month. Raises AwsError."""
    month = month_of(now)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        of_it = [run for run in runs if _may_be_of(run, month)]
        read = list(pool.map(lambda run: _read(access, deployment.bucket, run, now), of_it))
    return [each for each in read if each is not None and month_of(each.started) == month]


def past(access: Access, deployment: Deployment, now: float) -> list[str]:
    """Return the keys of what removed runs of earlier months used, which nobody asks for any more."""
    current = usage_keys(month_of(now))
    return [each.key for each in objects.listing(access, deployment.bucket, usage_keys()) if each.key < current]


def _removed(access: Access, bucket: str, month: str) -> Iterable[RunUsage]:
    """Yield what runs used whose records `gc` has removed (usage_kept.py)."""
    for each in objects.listing(access, bucket, usage_keys(month)):
        if (text := objects.get(access, bucket, each.key)) is not None:
            with suppress(msgspec.DecodeError):  # of a later version of this program
                yield from msgspec.json.decode(text, type=list[RunUsage])


def _may_be_of(run: str, month: str) -> bool:
    """Whether a run of that id may have begun in the month: ids that others gave do not tell."""
    dated = _DATED.match(run)
    return dated is None or f"{dated[1]}-{dated[2]}" == month


def _read(access: Access, bucket: str, run: str, now: float) -> RunUsage | None:
    """Return what a run used, or None where its record does not tell (yet)."""
    try:
        return usage_of(run, SegmentReader(access, bucket, RunKeys(run)).new(), prices_in, now)
    except JournalError:
        return None


class _Kept:
    """What runs that have ended used, in a file of the cache."""

    def __init__(self, bucket: str) -> None:
        self._path = layout.usage_directory() / f"{bucket}.json"
        self.runs = _loaded(self._path)

    def keep(self, ended: Iterable[RunUsage]) -> None:
        """Add runs. Another process that adds at the same time may win: then they are read again."""
        more = {each.run: each for each in ended}
        if not more:
            return
        self.runs |= more
        new = self._path.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(list(self.runs.values())))
        new.replace(self._path)


def _loaded(path: Path) -> dict[str, RunUsage]:
    try:
        return {each.run: each for each in msgspec.json.decode(path.read_bytes(), type=list[RunUsage])}
    except (OSError, msgspec.DecodeError):
        return {}
