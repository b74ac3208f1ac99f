"""What people need to be allowed: the policies of permissions.yaml for one deployment. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

from .wishes import Wishes

__all__ = ["LIMIT", "Place", "Purpose", "in_parts", "length", "policy"]

LIMIT = 6144
"""Characters that a managed policy may have; white space is not counted (IAM's page "IAM and AWS STS quotas")."""

Purpose = Literal["deploy", "run"]

_NAME = re.compile(r"\$\{(\w+)\}")
_ROLES = {"ExecutionRole": "execution", "HeadRole": "head", "StatesRole": "states", "RuleRole": "rule"}
_LOGICAL = {"ExecutionRole": "OwnExecutionRole", "HeadRole": "OwnHeadRole", "StatesRole": "OwnStatesRole"}
_LOGICAL["RuleRole"] = "OwnSweepRuleRole"
_NAME_OF_ROLE = 64
_CUT = 24
"""Where stack name, logical id and suffix do not fit into a role's name, CloudFormation shortens the first two."""

_Values = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Place:
    """Where a deployment is or is to be."""

    partition: str
    region: str
    account: str


def policy(purpose: Purpose, wishes: Wishes, place: Place) -> dict[str, Any]:
    """Return the IAM policy that allows what the purpose needs and no more."""
    values = _values(wishes, place)
    filled = [_statement(each, values) for each in _documents()[purpose] if not _unwanted(each, values)]
    return {"Version": "2012-10-17", "Statement": [each for each in filled if each["Resource"]]}


def length(document: Mapping[str, Any]) -> int:
    """Return how many characters IAM counts."""
    return len(json.dumps(document, separators=(",", ":")))


def in_parts(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a policy in as many parts as managed policies of IAM's size need, statements in their order."""
    parts: list[list[Any]] = [[]]
    for statement in document["Statement"]:
        if length({**document, "Statement": [*parts[-1], statement]}) > LIMIT:
            parts.append([])
        parts[-1].append(statement)
    return [{**document, "Statement": part} for part in parts]


@lru_cache
def _documents() -> Mapping[str, Any]:
    import yaml

    text = resources.files(__package__).joinpath("permissions.yaml").read_text(encoding="utf-8")
    documents: Mapping[str, Any] = yaml.safe_load(text)
    return documents


def _values(wishes: Wishes, place: Place) -> _Values:
    """Return what the names stand for; a name that stands for several things repeats the item that it is in."""
    given = wishes.roles or {}
    role = f"arn:{place.partition}:iam::{place.account}:role/"
    return {
        "Name": [wishes.name],
        "Region": [place.region],
        "Account": [place.account],
        "Partition": [place.partition],
        "BucketName": [f"{wishes.name.lower()}-results-*"],
        "Bucket": _some(wishes.bucket),
        "OwnRoles": [] if given else [role + _short(wishes.name, "Own") + "*"],
        "TaskPolicies": list(wishes.task_policies or ()),
        "PermissionsBoundary": _some(wishes.permissions_boundary),
        "KmsKey": _some(wishes.kms_key),
        **{
            name: [given.get(kind) or role + _short(wishes.name, _LOGICAL[name]) + "-*"]
            for name, kind in _ROLES.items()
        },
    }


def _short(stack: str, logical: str) -> str:
    """Return how the name begins that CloudFormation gives to a role of the stack."""
    suffix = len("-123456789012")
    return f"{stack}-{logical}" if len(f"{stack}-OwnExecutionRole") + suffix <= _NAME_OF_ROLE else f"{stack[:_CUT]}*"


def _some(value: str | None) -> list[str]:
    return [value] if value else []


def _unwanted(statement: Mapping[str, Any], values: _Values) -> bool:
    return not values.get(statement.get("When", "Name"))


def _statement(statement: Mapping[str, Any], values: _Values) -> dict[str, Any]:
    filled: dict[str, Any] = _filled({key: value for key, value in statement.items() if key != "When"}, values)
    return filled


def _filled(value: Any, values: _Values) -> Any:
    if isinstance(value, str):
        return _text(value, values)
    if isinstance(value, Mapping):
        return {_filled(key, values): _filled(each, values) for key, each in value.items()}
    return [text for item in value for text in _texts(item, values)]


def _texts(item: str, values: _Values) -> list[str]:
    """Return an item as many times as the name in it that stands for several things, or for none, has it."""
    several = next((name for name in _NAME.findall(item) if len(values[name]) != 1), None)
    if several is None:
        return [_text(item, values)]
    return [_text(item.replace(f"${{{several}}}", each), values) for each in values[several]]


def _text(text: str, values: _Values) -> str:
    return _NAME.sub(lambda found: values[found[1]][0], text)
