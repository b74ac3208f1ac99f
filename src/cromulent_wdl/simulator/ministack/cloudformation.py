"""What CloudFormation's repairs share: types are registered, and properties become requests by botocore's models."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Protocol

from . import base

__all__ = ["Properties", "ResourceType", "after", "model", "physical_name", "register", "request_of", "said"]

Properties = Mapping[str, Any]
Made = tuple[str, Mapping[str, Any]]
"""What Ref gives, and what Fn::GetAtt gives."""


class ResourceType(Protocol):
    """How resources of a type are made, changed and removed; a refusal is a ValueError with AWS's words."""

    def create(self, logical_id: str, properties: Properties, stack: str) -> Made:
        """Make the resource."""

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Made:
        """Change the resource; what has another physical id afterwards replaces it."""

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Remove the resource; one that is gone is removed."""


_RENAMED = {
    "CreateClusterRequest": {"clustersettings": "settings"},
    "ProxyConfiguration": {"proxyconfigurationproperties": "properties"},
}
"""Members that CloudFormation names otherwise than the API does, by the API's shape."""


def register(name: str, kind: ResourceType, tags: str = "") -> None:
    """Teach CloudFormation a type; `tags` is the form of its Tags property (`list`, `map`), if stacks tag it."""
    provisioners = base.module("services.cloudformation.provisioners")
    provisioners._RESOURCE_HANDLERS[name] = {
        "create": kind.create,
        "update": kind.update,
        "update_with_logical_id": True,
        "delete": kind.delete,
    }
    if tags:
        provisioners._STACK_TAG_PROPERTY[name] = ("Tags", tags)


def after(name: str, operation: str, repair: Callable[[str, Properties], Mapping[str, Any]]) -> None:
    """Have a repair follow ministack's own `create` or `update` of a type, and add the attributes that it returns."""
    handler = base.module("services.cloudformation.provisioners")._RESOURCE_HANDLERS[name]
    original, position = handler[operation], 1 if operation == "create" else 2

    def repaired(*arguments: Any) -> Made:
        physical_id, attributes = original(*arguments)
        return physical_id, {**attributes, **repair(physical_id, arguments[position])}

    handler[operation] = repaired


def physical_name(stack: str, logical_id: str, length: int) -> str:
    """Return the name of a resource to which the template gives none."""
    name: str = base.module("services.cloudformation.provisioners")._physical_name(stack, logical_id, max_len=length)
    return name


def said(answer: tuple[int, Any, bytes]) -> dict[str, Any]:
    """Return the JSON of an answer of ministack's. Raises ValueError with its words where it is a refusal."""
    status, _, body = answer
    document: dict[str, Any] = json.loads(body)
    if status >= 300:
        raise ValueError(document.get("message") or document.get("Message") or body.decode())
    return document


def request_of(service: str, operation: str, properties: Properties) -> dict[str, Any]:
    """Return a type's properties as the request of an operation.

    Raises ValueError for a property that the operation does not know.
    """
    request: dict[str, Any] = _by_shape(properties, model(service).operation_model(operation).input_shape, "#")
    return request


@lru_cache
def model(service: str) -> Any:
    """Return botocore's model of a service, which nobody changes."""
    import botocore.session

    return botocore.session.get_session().get_service_model(service)


def _by_shape(value: Any, shape: Any, where: str) -> Any:
    if shape.type_name == "structure" and isinstance(value, Mapping):
        return _structure(value, shape, where)
    if shape.type_name == "list" and isinstance(value, list):
        return [_by_shape(each, shape.member, f"{where}/{index}") for index, each in enumerate(value)]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {str(key): _by_shape(each, shape.value, f"{where}/{key}") for key, each in value.items()}
    return _scalar(value, shape.type_name)


def _structure(value: Properties, shape: Any, where: str) -> dict[str, Any]:
    members = {name.lower(): name for name in shape.members}
    members.update(_RENAMED.get(shape.name, {}))
    request = {}
    for key, each in value.items():
        name = members.get(key.lower())
        if name is None:
            raise ValueError(f"Model validation failed ({where}: extraneous key [{key}] is not permitted)")
        request[name] = _by_shape(each, shape.members[name], f"{where}/{key}")
    return request


def _scalar(value: Any, kind: str) -> Any:
    """Return a value as the kind that the model wants: templates write numbers and truths as texts, and the reverse."""
    if kind in ("integer", "long") and isinstance(value, str):
        return int(value)
    if kind in ("double", "float") and isinstance(value, str):
        return float(value)
    if kind == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if kind == "string" and isinstance(value, bool):
        return str(value).lower()
    if kind == "string" and isinstance(value, (int, float)):
        return str(value)
    return value
