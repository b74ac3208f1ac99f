"""Requests against botocore's own model of the ECS API: members, types, required ones, lengths, enums, patterns.

A client's own validation catches much of this before it is sent, but not every client validates; and botocore's
validator checks neither enums nor upper bounds, so those are walked here.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

from .answers import ApiError, client_error, invalid_parameter
from .seam import Object

if TYPE_CHECKING:
    from botocore.model import ListShape, ServiceModel, Shape, StructureShape
    from botocore.validate import ParamValidator

__all__ = ["RequestShapes"]


class RequestShapes:
    """The input shapes of the ECS API."""

    def __init__(self) -> None:
        from botocore.validate import ParamValidator

        self._model = _ecs_model()
        self._validator: ParamValidator = ParamValidator()
        self._inputs: dict[str, Shape] = {}

    def check(self, action: str, request: Object) -> None:
        """Raise an ApiError where the request does not fit the model."""
        shape = self._input(action)
        report = self._validator.validate(request, shape)
        if report.has_errors():
            raise invalid_parameter(report.generate_report())
        _check_values(shape, request, "")

    def _input(self, action: str) -> Shape:
        found: Shape | None = self._inputs.get(action)
        if found is None:
            if action not in self._model.operation_names:
                raise ApiError("UnknownOperationException", f"Unknown operation {action}.")
            found = self._model.operation_model(action).input_shape
            assert found is not None  # every ECS operation has an input
            self._inputs[action] = found
        return found


@cache
def _ecs_model() -> ServiceModel:
    """Return botocore's model, which nobody changes; to load it takes a fifth of a second."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("ecs", "service-2"), "ecs")


def _check_values(shape: Shape, value: Any, name: str) -> None:
    """Check enums and upper bounds within a value of the right types."""
    kind = shape.type_name
    if kind == "structure":
        _check_members(cast("StructureShape", shape), value)
    elif kind == "list":
        _check_items(cast("ListShape", shape), value, name)
    elif kind == "string":
        allowed = shape.metadata.get("enum")
        if allowed and value not in allowed:
            raise client_error(f"Invalid value '{value}' for {name}. Valid values are: {', '.join(allowed)}.")
        _check_most(shape, len(value), name)
    elif kind in ("integer", "long"):
        _check_most(shape, value, name)


def _check_members(shape: StructureShape, value: dict[str, Any]) -> None:
    for key, inner in value.items():
        _check_values(shape.members[key], inner, key)


def _check_items(shape: ListShape, value: list[Any], name: str) -> None:
    _check_most(shape, len(value), name)
    if shape.member.type_name == "string" and not shape.member.metadata:
        return  # a hundred task ids: nothing to look at
    for inner in value:
        _check_values(shape.member, inner, name)


def _check_most(shape: Shape, size: int, name: str) -> None:
    most = shape.metadata.get("max")
    if most is not None and size > most:
        raise invalid_parameter(f"Invalid value for {name}: at most {most} is allowed.")
