"""Conditions' repair: Fn::Join in them, which ministack takes for something that is never empty."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import base

__all__ = ["repair"]


def repair() -> None:
    """Join before conditions are judged, wherever they are."""
    for name in ("engine", "stacks", "changesets", "handlers"):
        base.wrap(base.module(f"services.cloudformation.{name}"), "_evaluate_conditions", _with_joins)


def _with_joins(
    original: Callable[..., dict[str, bool]], template: Mapping[str, Any], parameters: Mapping[str, Any]
) -> dict[str, bool]:
    return original({**template, "Conditions": _joined(template.get("Conditions") or {}, parameters)}, parameters)


def _joined(expression: Any, parameters: Mapping[str, Any]) -> Any:
    if isinstance(expression, list):
        return [_joined(each, parameters) for each in expression]
    if not isinstance(expression, dict):
        return expression
    if set(expression) == {"Fn::Join"}:
        delimiter, listed = expression["Fn::Join"]
        return delimiter.join(_listed(listed, parameters))
    return {key: _joined(each, parameters) for key, each in expression.items()}


def _listed(value: Any, parameters: Mapping[str, Any]) -> list[str]:
    """Return the texts of a list, or of a parameter that is one: that is a text with commas here."""
    if isinstance(value, dict):
        return str(parameters[value["Ref"]]["Value"]).split(",")
    return [str(parameters[each["Ref"]]["Value"]) if isinstance(each, dict) else str(each) for each in value]
