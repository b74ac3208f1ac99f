"""Tags: what botocore's model says of them in words (RunTask.tags), and how lists of them change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .answers import client_error, invalid_parameter

__all__ = ["Tags", "as_list", "from_request", "merged", "without"]

Tags = Mapping[str, str]

_MOST = 50
_ALLOWED = re.compile(r"[\w\s.:/=+\-@]*")


def from_request(listed: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return a request's tags, checked: unique keys, permitted characters, no reserved prefix."""
    tags: dict[str, str] = {}
    for each in listed:
        key, value = each.get("key", ""), each.get("value", "")
        if not key or not _ALLOWED.fullmatch(key) or not _ALLOWED.fullmatch(value):
            raise invalid_parameter(f"Invalid tag: key '{key}', value '{value}'.")
        if key.lower().startswith("aws:"):
            raise invalid_parameter("Tag keys that start with aws: are reserved for system use.")
        if key in tags:
            raise client_error("Duplicate tag keys found. Tag keys must be unique.")
        tags[key] = value
    return tags


def merged(tags: Tags, added: Tags) -> dict[str, str]:
    """Return the tags with others put over them, if there is room."""
    after = {**tags, **added}
    if len(after) > _MOST:
        raise invalid_parameter(f"The number of tags exceeds the limit of {_MOST}.")
    return after


def without(tags: Tags, keys: Iterable[str]) -> dict[str, str]:
    """Return the tags that are left when some are taken away."""
    gone = set(keys)
    return {key: value for key, value in tags.items() if key not in gone}


def as_list(tags: Tags) -> list[dict[str, str]]:
    """Return tags as ECS lists them."""
    return [{"key": key, "value": value} for key, value in tags.items()]
