"""What the engine holds, as JSON that another engine can begin with.

Clusters, definitions and tasks are kept; what clients said with a token is not. A task that was not STOPPED has no
host any more in the other engine: it is lost there, and says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

import msgspec

from .clusters import Cluster
from .definitions import Definition
from .lifecycle import HostLost, Life, Status
from .run_request import Batch
from .seam import Place, Subnet
from .state import Holdings, State
from .tags import Tags
from .tasks import TaskRecord

__all__ = ["Snapshot", "restore", "snapshot"]

_RESTARTED = HostLost("InfrastructureHealth", "The simulator was restarted while the task ran.")


class TaskSnapshot(msgspec.Struct, frozen=True):
    """A task; `batch` is an index."""

    id: str
    batch: int
    provider: str
    subnet: Subnet
    tags: Tags
    life: Life


class PlaceSnapshot(msgspec.Struct, frozen=True):
    """What is in a place; batches name their definition by its ARN, be it deleted since."""

    account: str
    region: str
    clusters: list[Cluster]
    definitions: list[Definition]
    former: list[Definition]
    revisions: Mapping[str, int]
    batches: list[dict[str, Any]]
    tasks: list[TaskSnapshot]


class Snapshot(msgspec.Struct, frozen=True):
    """All places."""

    places: list[PlaceSnapshot] = []


def snapshot(state: State) -> Snapshot:
    """Return all that the engine holds."""
    with state.driver.lock:
        return Snapshot([_place(place, holdings) for place, holdings in state.all()])


def restore(state: State, kept: Snapshot) -> None:
    """Begin with what another engine held; tasks that ran are lost, and told to be."""
    for each in kept.places:
        place = Place(each.account, each.region)
        with state.driver.lock:
            holdings = state.of(place)
            for cluster in each.clusters:
                holdings.clusters.put(cluster)
            holdings.definitions.restore(each.definitions, each.revisions)
            records = list(_records(place, each))
            holdings.tasks.restore(records)
        for record in records:
            if record.life.status is not Status.STOPPED:
                state.driver.recover(record, _RESTARTED)


def _place(place: Place, holdings: Holdings) -> PlaceSnapshot:
    definitions = holdings.definitions.all()
    records = holdings.tasks.all()
    batches = {id(record.batch): record.batch for record in records}
    indices = {identity: index for index, identity in enumerate(batches)}
    known = {each.arn for each in definitions}
    former = {each.definition.arn: each.definition for each in batches.values() if each.definition.arn not in known}
    return PlaceSnapshot(
        place.account,
        place.region,
        holdings.clusters.all(),
        definitions,
        list(former.values()),
        holdings.definitions.revisions(),
        [_without_definition(batch) for batch in batches.values()],
        [
            TaskSnapshot(each.id, indices[id(each.batch)], each.provider, each.subnet, each.tags, each.life)
            for each in records
        ],
    )


def _without_definition(batch: Batch) -> dict[str, Any]:
    document = {each.name: getattr(batch, each.name) for each in fields(batch) if each.name != "definition"}
    return {**document, "definition": batch.definition.arn}


def _records(place: Place, kept: PlaceSnapshot) -> Iterable[TaskRecord]:
    by_arn = {each.arn: each for each in (*kept.former, *kept.definitions)}
    nothing = Definition("", "", 0, {}, {})
    batches = [
        replace(
            msgspec.convert({**each, "definition": msgspec.to_builtins(nothing)}, Batch),
            definition=by_arn[each["definition"]],
        )
        for each in kept.batches
    ]
    for task in kept.tasks:
        record = TaskRecord(place, task.id, batches[task.batch], task.provider, task.subnet)
        record.tags = task.tags
        record.life = task.life
        yield record
