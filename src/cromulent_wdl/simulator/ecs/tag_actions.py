"""TagResource, UntagResource, ListTagsForResource: on tasks, task definitions and clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .answers import invalid_parameter, resource_not_found
from .seam import Caller, Place
from .state import Action, State
from .tags import Tags, as_list, from_request, merged, without

__all__ = ["TagActions"]

Request = Mapping[str, Any]


class TagActions:
    """Actions on tags."""

    def __init__(self, state: State) -> None:
        self._state = state

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {"TagResource": self.tag, "UntagResource": self.untag, "ListTagsForResource": self.list}

    def tag(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Put tags on a resource."""
        added = from_request(request["tags"])
        with self._state.driver.lock:
            tags, put = self._find(caller.place, request["resourceArn"])
            put(merged(tags, added))
        return {}

    def untag(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Take tags from a resource."""
        with self._state.driver.lock:
            tags, put = self._find(caller.place, request["resourceArn"])
            put(without(tags, request["tagKeys"]))
        return {}

    def list(self, caller: Caller, request: Request) -> dict[str, Any]:
        """List the tags of a resource."""
        with self._state.driver.lock:
            tags, _ = self._find(caller.place, request["resourceArn"])
        return {"tags": as_list(tags)}

    def _find(self, place: Place, arn: str) -> tuple[Tags, Callable[[Tags], object]]:
        """Return a resource's tags, and what gives it others."""
        holdings = self._state.of(place)
        kind, _, name = arn.rpartition(f":{place.account}:")[2].partition("/")
        if kind == "cluster" and (cluster := holdings.clusters.find(arn)) is not None:
            return cluster.tags, lambda tags: holdings.clusters.put(replace(cluster, tags=tags))
        if kind == "task-definition" and (definition := holdings.definitions.find(arn)) is not None:
            return definition.tags, lambda tags: holdings.definitions.retag(definition, tags)
        if kind == "task" and (task := holdings.tasks.find(name.partition("/")[0], arn)) is not None:
            return task.tags, lambda tags: setattr(task, "tags", tags)
        if kind not in ("cluster", "task-definition", "task"):
            raise invalid_parameter("Invalid ARN.")
        raise resource_not_found("The specified resource was not found.")
