"""The tagging API's repairs: it knows ministack's own ECS, and so nothing of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..ecs import ApiError, Place
from . import base
from .door import EcsDoor

__all__ = ["EcsTags"]

_RESERVED = "aws:"


class EcsTags:
    """What the tagging API sees of ECS: the engine's tags, and those that only AWS itself can give."""

    def __init__(self, door: EcsDoor) -> None:
        self._door = door
        self._responses = base.module("core.responses")
        self._reserved: dict[str, list[dict[str, str]]] = {}

    def repair(self) -> None:
        """Take the place of ministack's ECS in the tagging API."""
        tagging = base.module("services.tagging")
        for table, ours in (("_COLLECTORS", self.collect), ("_WRITERS", self.write), ("_REMOVERS", self.remove)):
            getattr(tagging, table)["ecs"] = ours
        base.wrap(tagging, "resource_tags", self._tags_of)

    def reserve(self, arn: str, tags: Mapping[str, str]) -> None:
        """Remember the tags of a resource whose prefix AWS reserves; its API refuses them."""
        reserved = [{"Key": key, "Value": value} for key, value in tags.items() if key.lower().startswith(_RESERVED)]
        if reserved:
            self._reserved[arn] = reserved

    @property
    def reserved(self) -> Mapping[str, list[dict[str, str]]]:
        """What only AWS itself can give, by ARN; to be kept with the engine's state."""
        return self._reserved

    def restore(self, reserved: Mapping[str, list[dict[str, str]]]) -> None:
        """Begin with what was kept."""
        self._reserved.update(reserved)

    def collect(self) -> Iterator[tuple[str, list[dict[str, str]]]]:
        """Yield the ARN and the tags of every cluster, active task definition and task of the place."""
        clusters = list(self._listed("ListClusters", "clusterArns", {}))
        yield from map(self._tagged, clusters)
        yield from map(self._tagged, self._listed("ListTaskDefinitions", "taskDefinitionArns", {}))
        for cluster in clusters:
            for status in ("RUNNING", "STOPPED"):
                wanted = {"cluster": cluster, "desiredStatus": status}
                yield from map(self._tagged, self._listed("ListTasks", "taskArns", wanted))

    def write(self, _: object, arn: str, tags: Mapping[str, str]) -> None:
        """Put tags on a resource."""
        self._change("TagResource", arn, {"tags": [{"key": key, "value": value} for key, value in tags.items()]})

    def remove(self, _: object, arn: str, keys: list[str]) -> None:
        """Take tags from a resource."""
        self._change("UntagResource", arn, {"tagKeys": list(keys)})

    def _tags_of(self, original: Callable[[str], dict[str, str] | None], arn: str) -> dict[str, str] | None:
        """Return the tags by which a policy's aws:ResourceTag is judged."""
        if ":ecs:" not in arn:
            return original(arn)
        try:
            return {each["Key"]: each["Value"] for each in self._tagged(arn)[1]}
        except ApiError:
            return None

    def _change(self, action: str, arn: str, request: Mapping[str, Any]) -> None:
        try:
            self._door.call_within(action, {"resourceArn": arn, **request}, self._place())
        except ApiError as refused:
            raise base.module("services.tagging")._ResourceNotFound(arn) from refused

    def _listed(self, action: str, member: str, request: Mapping[str, Any]) -> Iterator[str]:
        more: dict[str, str] = {}
        while True:
            answer = self._door.call_within(action, {**request, **more}, self._place())
            yield from answer[member]
            if "nextToken" not in answer:
                return
            more = {"nextToken": answer["nextToken"]}

    def _tagged(self, arn: str) -> tuple[str, list[dict[str, str]]]:
        own = self._door.call_within("ListTagsForResource", {"resourceArn": arn}, self._place())["tags"]
        return arn, [*self._reserved.get(arn, ()), *({"Key": each["key"], "Value": each["value"]} for each in own)]

    def _place(self) -> Place:
        return Place(self._responses.get_account_id(), self._responses.get_region())
