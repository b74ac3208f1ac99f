"""Task definitions: their normal form, and the families that hold them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .answers import client_error, invalid_parameter
from .definition_checks import fits_fargate
from .seam import Place
from .sizes import parse_cpu, parse_memory
from .tags import Tags

__all__ = ["Definition", "Definitions", "normal_form"]

_REFERENCE = re.compile(r"(?:arn:aws[a-z-]*:ecs:[a-z0-9-]+:\d{12}:task-definition/)?([A-Za-z0-9_-]{1,255})(?::(\d+))?")
_CONTAINER_DEFAULTS: dict[str, Any] = {
    "cpu": 0,
    "portMappings": [],
    "essential": True,
    "environment": [],
    "mountPoints": [],
    "volumesFrom": [],
    "systemControls": [],
}


@dataclass(frozen=True)
class Definition:
    """One revision of a family; `document` is what DescribeTaskDefinition shows, and is never changed."""

    arn: str
    family: str
    revision: int
    document: Mapping[str, Any]
    tags: Tags

    @property
    def status(self) -> str:
        """ACTIVE, INACTIVE or DELETE_IN_PROGRESS."""
        return str(self.document["status"])

    def changed(self, **members: object) -> Definition:
        """Return the definition with other members in its document."""
        return replace(self, document={**self.document, **members})


def normal_form(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request's document with what AWS fills in: numbers as plain text, defaults of containers, `/`."""
    document = {name: value for name, value in request.items() if name != "tags"}
    for name, parse in (("cpu", parse_cpu), ("memory", parse_memory)):
        if document.get(name):
            document[name] = str(parse(document[name]))
    document["containerDefinitions"] = [{**_CONTAINER_DEFAULTS, **each} for each in request["containerDefinitions"]]
    document["volumes"] = [_volume(each) for each in request.get("volumes") or ()]
    document.setdefault("placementConstraints", [])
    document["compatibilities"] = ["EC2", "FARGATE"] if fits_fargate(request) else ["EC2"]
    return document


def _volume(volume: Mapping[str, Any]) -> Mapping[str, Any]:
    efs = volume.get("efsVolumeConfiguration")
    if efs is None:
        return volume
    # AWS shows "/" where nothing was given: CircleCI-Public/aws-ecs-orb#105.
    return {**volume, "efsVolumeConfiguration": {**efs, "rootDirectory": efs.get("rootDirectory") or "/"}}


@dataclass
class Definitions:
    """All task definitions of a place. The caller holds the lock."""

    place: Place
    _families: dict[str, dict[int, Definition]] = field(default_factory=dict)
    _last: dict[str, int] = field(default_factory=dict)
    _deleting: set[str] = field(default_factory=set)

    def register(self, document: dict[str, Any], tags: Tags, now: float, by: str) -> Definition:
        """Add a revision to a family."""
        family = document["family"]
        # botocore, DeleteTaskDefinitions: the revision goes on counting when all are deleted.
        revision = self._last[family] = self._last.get(family, 0) + 1
        arn = f"arn:aws:ecs:{self.place.region}:{self.place.account}:task-definition/{family}:{revision}"
        document |= {"taskDefinitionArn": arn, "revision": revision, "status": "ACTIVE"}
        document |= {"registeredAt": now, "registeredBy": by}
        definition = Definition(arn, family, revision, document, tags)
        self._families.setdefault(family, {})[revision] = definition
        return definition

    def all(self) -> list[Definition]:
        """Return all definitions, of whatever status."""
        return [each for revisions in self._families.values() for each in revisions.values()]

    def revisions(self) -> Mapping[str, int]:
        """Return the newest revision that each family ever had."""
        return dict(self._last)

    def restore(self, definitions: Iterable[Definition], revisions: Mapping[str, int]) -> None:
        """Take in what another engine had."""
        self._last.update(revisions)
        for each in definitions:
            self._families.setdefault(each.family, {})[each.revision] = each
            if each.status == "DELETE_IN_PROGRESS":
                self._deleting.add(each.arn)

    def find(self, reference: str) -> Definition | None:
        """Return what "family", "family:revision" or an ARN names; a family names its newest ACTIVE revision."""
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            return None
        revisions = self._families.get(match.group(1), {})
        if match.group(2) is not None:
            return revisions.get(int(match.group(2)))
        return next((each for _, each in sorted(revisions.items(), reverse=True) if each.status == "ACTIVE"), None)

    def described(self, reference: str) -> Definition:
        """Return the definition, or say with AWS that it cannot be described (facts: task definition: unknown)."""
        found = self.find(reference)
        if found is None:
            raise client_error("Unable to describe task definition.")
        return found

    def deregister(self, reference: str, now: float) -> Definition:
        """Make a revision INACTIVE; it can be seen until it is deleted (facts: DeregisterTaskDefinition)."""
        if not _has_revision(reference):
            raise client_error("Invalid revision number. Number: null")
        found = self.find(reference)
        if found is None:
            raise client_error("The specified task definition does not exist.")
        if found.status != "ACTIVE":
            return found
        return self._put(found.changed(status="INACTIVE", deregisteredAt=now))

    def delete(self, reference: str, now: float) -> Definition:
        """Delete a deregistered revision: it is in DELETE_IN_PROGRESS until `sweep` finds that no task uses it.

        Raises an ApiError whose message is the reason in failures[].
        """
        if not _has_revision(reference):
            raise invalid_parameter("A revision must be specified.")
        found = self.find(reference)
        if found is None:
            raise client_error("The specified task definition does not exist.")
        if found.status == "ACTIVE":
            raise client_error(
                "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
            )
        if found.status == "INACTIVE":
            found = self._put(found.changed(status="DELETE_IN_PROGRESS", deleteRequestedAt=now))
            self._deleting.add(found.arn)
        return found

    def sweep(self, in_use: Callable[[str], bool]) -> None:
        """Drop the definitions that are being deleted and that no task uses any more."""
        for arn in [each for each in self._deleting if not in_use(each)]:
            self._deleting.remove(arn)
            family, _, revision = arn.rpartition("/")[2].partition(":")
            del self._families[family][int(revision)]

    def arns(self, family: str | None, status: str, descending: bool) -> Iterator[str]:
        """Yield the ARNs of a status in order of family and revision."""
        families = [family] if family is not None else sorted(self._families, reverse=descending)
        for name in families:
            for _, each in sorted(self._families.get(name, {}).items(), reverse=descending):
                if each.status == status:
                    yield each.arn

    def families(self, prefix: str, status: str) -> Iterator[str]:
        """Yield families in order: ACTIVE with an active revision, INACTIVE with none, ALL."""
        for name, revisions in sorted(self._families.items()):
            active = any(each.status == "ACTIVE" for each in revisions.values())
            if revisions and name.startswith(prefix) and status in ("ALL", "ACTIVE" if active else "INACTIVE"):
                yield name

    def retag(self, definition: Definition, tags: Tags) -> None:
        """Give a definition other tags."""
        self._put(replace(definition, tags=tags))

    def _put(self, definition: Definition) -> Definition:
        self._families[definition.family][definition.revision] = definition
        return definition


def _has_revision(reference: str) -> bool:
    match = _REFERENCE.fullmatch(reference)
    return match is not None and match.group(2) is not None
