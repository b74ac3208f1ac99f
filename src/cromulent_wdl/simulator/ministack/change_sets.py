"""Change sets' repair: what a template's conditions leave out is not among the changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import base

__all__ = ["repair"]

_Resolved = dict[str, Any]


def repair() -> None:
    """Judge conditions before templates are compared."""
    base.wrap(base.module("services.cloudformation.changesets"), "_resolve_props_for_diff", _that_hold)


def _that_hold(
    original: Callable[..., _Resolved], template: Mapping[str, Any], parameters: Mapping[str, Any], *stack: str
) -> _Resolved:
    resolved = original(template, parameters, *stack)
    if not resolved:
        return resolved
    hold = base.module("services.cloudformation.engine")._evaluate_conditions(template, parameters)
    resources = resolved["Resources"].items()
    return {"Resources": {name: each for name, each in resources if hold.get(each.get("Condition"), True)}}
