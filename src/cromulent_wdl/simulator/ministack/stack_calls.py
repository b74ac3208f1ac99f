"""What CloudFormation calls as its caller, read from stack_calls.toml: actions, resources, condition keys. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

import msgspec

from ..ecs import Place

__all__ = ["Call", "Subject", "actions", "calls", "kinds"]

_TAGS = ("Tags", "FileSystemTags", "AccessPointTags")
_PREFIXES = {"s3": "arn:aws:s3:::", "iam": "arn:aws:iam::{account}:"}
_PREFIX = "arn:aws:{service}:{region}:{account}:"
_BY = {"aws:CalledVia": ["cloudformation.amazonaws.com"]}


@dataclass(frozen=True)
class Subject:
    """A resource of a stack: its type, its properties, and its physical id, empty as long as it is not there."""

    kind: str
    logical: str
    properties: Mapping[str, Any]
    stack: str
    physical: str = ""


@dataclass(frozen=True)
class Call:
    """An action that must be allowed on a resource, under condition keys."""

    action: str
    resource: str
    conditions: Mapping[str, Any] = field(default_factory=dict)


def calls(subject: Subject, operation: str, place: Place) -> Iterator[Call]:
    """Yield what an operation (create, read, update, delete) on a resource calls; nothing for types not known here."""
    kind = _types().get(subject.kind, {})
    names = {name: _name(value) for name, value in subject.properties.items()}
    names["id"] = _name(subject.physical) or _expected(subject)
    for line in kind.get(operation, ()):
        first, *rest = line.split()
        if first.endswith("?"):
            if not subject.properties.get(first[:-1]):
                continue
            first, *rest = rest
        action = first if ":" in first else f"{kind['service']}:{first}"
        for keys in _keys([word for word in rest if "=" in word], subject):
            for word in rest:
                if "=" not in word:
                    more = keys | (_tags_of_new(subject) if operation == "create" and "{id}" in word else {})
                    yield Call(action, _arn(word, kind["service"], names, subject, place), _conditions(subject) | more)


def actions(kind: str, operation: str) -> frozenset[str]:
    """Return the actions of an operation on a type, whatever its properties are."""
    found = _types()[kind]
    words = [next(word for word in line.split() if not word.endswith("?")) for line in found.get(operation, ())]
    return frozenset(word if ":" in word else f"{found['service']}:{word}" for word in words)


def kinds() -> frozenset[str]:
    """Return the types that are known."""
    return frozenset(_types())


@lru_cache
def _types() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("stack_calls.toml").read_text(encoding="utf-8")
    return msgspec.toml.decode(text, type=dict[str, Any])


def _name(value: Any) -> str:
    """Return what a resource is called in ARNs: of an ARN its last part."""
    text = str(value) if isinstance(value, str) else ""
    return text.replace("/", ":").rpartition(":")[2] if text.startswith("arn:") else text


def _expected(subject: Subject) -> str:
    """Return what the name of a resource will look like that is to be made; ids are not known before."""
    given = subject.properties.get("StateMachineName")
    named = subject.kind in ("AWS::IAM::Role", "AWS::ECS::Cluster", "AWS::Events::Rule", "AWS::S3::Bucket")
    name = str(given or (f"{subject.stack}-{subject.logical}-*" if named else "*"))
    return name.lower() if subject.kind == "AWS::S3::Bucket" else name


def _arn(word: str, service: str, names: Mapping[str, str], subject: Subject, place: Place) -> str:
    if word == "*":
        return word
    given = word.strip("{}")
    if word == "{Targets}":
        return str(subject.properties["Targets"][0].get("RoleArn", "*"))
    if str(subject.properties.get(given, "")).startswith("arn:") and word.startswith("{"):
        return str(subject.properties[given])
    prefix = _PREFIXES.get(service, _PREFIX)
    return prefix.format(service=service, region=place.region, account=place.account) + word.format_map(names)


def _tags_of_new(subject: Subject) -> dict[str, str]:
    """Return the condition keys of the tags that a resource has from its creation on."""
    tags = (tag for name in _TAGS for tag in _listed(subject.properties.get(name)))
    return {f"aws:ResourceTag/{tag['Key']}": tag["Value"] for tag in tags}


def _conditions(subject: Subject) -> dict[str, Any]:
    """Return the condition keys of all calls for a resource: that CloudFormation calls, and the tags that it puts."""
    tags = [tag for name in _TAGS for tag in _listed(subject.properties.get(name))]
    asked = {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in tags}
    return {**_BY, **asked, **({"aws:TagKeys": [tag["Key"] for tag in tags]} if tags else {})}


def _keys(words: list[str], subject: Subject) -> list[dict[str, str]]:
    """Return condition keys of a line; one that is compared with a list is one request for each item."""
    sets: list[dict[str, str]] = [{}]
    for key, _, value in (word.partition("=") for word in words):
        found = subject.properties.get(value.strip("{}"), value)
        values = found if isinstance(found, list) else [found]
        sets = [{**each, key: str(item)} for each in sets for item in values]
    return sets


def _listed(tags: Any) -> list[dict[str, str]]:
    if isinstance(tags, Mapping):
        return [{"Key": key, "Value": value} for key, value in tags.items()]
    return list(tags or ())
