"""What was uploaded for runs and is needed by none that is kept: inputs, bundles, environments of heads.

A run that is kept names its bundle, and the bundle names its inputs and its environment. What was written within the
last day stays in any case, and so does what a bundle names that was: a run may be about to start.

Whoever submits writes the bundle first, and then looks whether something is being removed (submit/claims.py). Who
removes says first what, and then looks again which bundles are new. One of the two sees the other: it stays, or it is
uploaded anew. What is deleted are the versions that were seen; one that is uploaded meanwhile is another. So a bucket
without versions is left as it is. See docs/adr/0027-tidying.md.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

from ..aws import buckets, executions, objects
from ..aws.access import Access
from ..aws.buckets import Version
from ..clock import SYSTEM, Clock
from ..errors import AwsError
from ..model.deployment import Deployment
from ..storage.bucket import (
    BUNDLES,
    ENVIRONMENTS,
    INPUTS,
    RUNS,
    RunKeys,
    bundle_key,
    content_at,
    named_in,
)
from . import removals
from .collection import named_by_us

__all__ = ["Unused", "remove", "unused"]

_YOUNG = 86_400.0
"""Seconds for which what was written stays, whatever names it."""
_LONGEST = 3_600.0
"""Seconds for which one goes on removing what one has said."""
_AT_ONCE = 16
_PAGE = 1000


@dataclass(frozen=True)
class Unused:
    """What would be removed."""

    contents: tuple[tuple[str, tuple[Version, ...]], ...] = ()
    """By what their keys begin with."""

    @property
    def bytes(self) -> int:
        """How much it is."""
        return sum(each.size for _, versions in self.contents for each in versions)

    def count(self, kind: str) -> int:
        """Return how many of a kind there are, which is what their keys begin with."""
        return sum(content.startswith(kind) for content, _ in self.contents)


def unused(
    access: Access, deployment: Deployment, gone: Collection[str], before: float, clock: Clock = SYSTEM
) -> Unused:
    """Return what no run needs but those that go, and nobody has written since a time. Nothing is removed."""
    limit = min(before, clock.now() - _YOUNG)
    found = {kind: _contents(access, deployment.bucket, kind) for kind in (INPUTS, BUNDLES, ENVIRONMENTS)}
    kept = _needed(access, deployment, gone, found[BUNDLES], limit)
    if kept is None:
        return Unused()
    there = [each for of_kind in found.values() for each in of_kind.items()]
    return Unused(tuple((name, held) for name, held in there if name not in kept and _written(held) < limit))


def remove(
    access: Access, deployment: Deployment, found: Unused, gone: Collection[str], clock: Clock = SYSTEM
) -> Unused:
    """Remove it, but for what somebody has wanted since; return what has gone."""
    if not found.contents:
        return found
    bucket, began = deployment.bucket, clock.now()
    key = removals.announce(access, bucket, [content for content, _ in found.contents], began)
    try:
        bundles = _contents(access, bucket, BUNDLES)
        kept = _needed(access, deployment, gone, bundles, began - _YOUNG)
        going = Unused(() if kept is None else tuple(each for each in found.contents if each[0] not in kept))
        versions = [each for _, held in going.contents for each in held]
        for start in range(0, len(versions), _PAGE):
            if clock.now() - began > _LONGEST:
                raise AwsError("removing uploads takes too long; the next gc goes on with it")
            buckets.delete_versions(access, bucket, versions[start : start + _PAGE])
    finally:
        removals.withdraw(access, bucket, key, began)
    return going


def _contents(access: Access, bucket: str, kind: str) -> dict[str, tuple[Version, ...]]:
    listed = buckets.versions(access, bucket, kind)  # in the order of their keys
    found = ((name, tuple(held)) for name, held in groupby(listed, lambda each: content_at(each.key)))
    return {name: held for name, held in found if name is not None}


def _written(held: Iterable[Version]) -> float:
    return max(each.modified for each in held)


def _needed(
    access: Access,
    deployment: Deployment,
    gone: Collection[str],
    bundles: dict[str, tuple[Version, ...]],
    limit: float,
) -> frozenset[str] | None:
    """Return the contents that runs need, or will; None where nobody can tell, as a run has not said what it needs."""
    bucket = deployment.bucket
    going_on = {each.name for each in executions.running(access, deployment.state_machine)}
    runs = sorted((going_on | set(objects.folders(access, bucket, RUNS))) - set(gone))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        requests = dict(zip(runs, pool.map(lambda run: _text(access, bucket, RunKeys(run).request), runs), strict=True))
        if any(requests[run] is None and not named_by_us(run) for run in going_on):
            return None  # of those that we have named, the bundle was written before they were started
        asked = [text for text in requests.values() if text]
        digests = {_bundle_of(text) for text in asked}
        young = {name.removeprefix(BUNDLES) for name, held in bundles.items() if _written(held) >= limit}
        wanted = sorted(digests | young)
        written = [text for text in pool.map(lambda each: _text(access, bucket, bundle_key(each)), wanted) if text]
    named = frozenset().union(*(named_in(text) for text in (*asked, *written)))
    return named | {f"{BUNDLES}{digest}" for digest in wanted}


def _bundle_of(request: str) -> str:
    asked = json.loads(request)
    return str(asked.get("bundle", "")) if isinstance(asked, dict) else ""


def _text(access: Access, bucket: str, key: str) -> str | None:
    content = objects.get(access, bucket, key)
    return None if content is None else content.decode()
