"""Paths that find nothing are errors of the execution, where ministack goes on with null."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from . import base

__all__ = ["repair"]


def repair() -> None:
    """Have Parameters, ResultSelector, ItemSelector, InputPath and OutputPath find what they name."""
    states = base.module("services.stepfunctions")
    base.wrap(states, "_resolve_params_obj", _resolve)
    base.wrap(states, "_apply_input_path", partial(_apply, "InputPath"))
    base.wrap(states, "_apply_output_path", partial(_apply, "OutputPath"))


def _resolve(original: Callable[..., Any], template: Any, data: Any, context: Any = None) -> Any:
    if isinstance(template, dict):
        for name, path in template.items():
            if name.endswith(".$") and isinstance(path, str) and path.startswith("$"):
                of_context = path.startswith("$$.")
                _check(path[1:] if of_context else path, (context or {}) if of_context else data, name)
    return original(template, data, context)


def _apply(field: str, original: Callable[..., Any], state: dict[str, Any], data: Any, context: Any = None) -> Any:
    path = state.get(field, "$")
    if isinstance(path, str) and path.startswith("$") and not path.startswith("$$"):
        _check(path, data, field)
    return original(state, data, context)


def _check(path: str, data: Any, field: str) -> None:
    """Fail the execution, in AWS's words, if the path finds nothing in the data."""
    states = base.module("services.stepfunctions")
    if not _finds(states._parse_jsonpath_tokens(path), data):
        raise states._ExecutionError(
            "States.Runtime",
            f"The JSONPath '{path}' specified for the field '{field}' could not be found in the input "
            f"'{json.dumps(data)}'",
        )


def _finds(tokens: Any, data: Any) -> bool:
    """Whether the path leads to something, be it null; one with a wildcard always does, be it to nothing."""
    if tokens is None:
        return True  # beyond ministack's grammar, and so beyond ours
    for kind, value in tokens:
        if kind == "field":
            if not isinstance(data, dict) or value not in data:
                return False
            data = data[value]
        elif kind == "index":
            if not isinstance(data, list) or not -len(data) <= value < len(data):
                return False
            data = data[value]
        else:
            return True
    return True
