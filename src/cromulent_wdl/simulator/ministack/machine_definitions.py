"""Definitions of state machines are looked at when a machine is made, as far as the Amazon States Language is plain.

(The language's specification, states-language.net; error code and the beginning of its words: API CreateStateMachine.)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import base

__all__ = ["objections", "repair"]

_TYPES = frozenset(("Choice", "Fail", "Map", "Parallel", "Pass", "Succeed", "Task", "Wait"))
_GO_ON = frozenset(("Map", "Parallel", "Pass", "Task", "Wait"))
_NEEDS = {"Choice": "Choices", "Parallel": "Branches", "Task": "Resource"}
_LONGEST_NAME = 80

_TYPE = "AWS::StepFunctions::StateMachine"

Machine = Mapping[str, Any]


def repair() -> None:
    """Refuse what cannot be a machine."""
    states = base.module("services.stepfunctions")
    base.wrap(states, "_validate_definition_jsonata", _validate)
    base.replace(states, "_validate_state_machine_definition", _report)
    handler = base.module("services.cloudformation.provisioners")._RESOURCE_HANDLERS[_TYPE]
    handler["create"] = _checked(handler["create"], 1)
    handler["update"] = _checked(handler["update"], 2)


def _checked(original: Callable[..., Any], position: int) -> Callable[..., Any]:
    """Look at the machine of a stack, which ministack makes past the API."""

    def checked(*arguments: Any) -> Any:
        properties = arguments[position]
        definition = properties.get("Definition") or properties.get("DefinitionString")
        refused = base.module("services.stepfunctions")._validate_definition_jsonata(definition) if definition else None
        if refused:
            raise ValueError(refused)
        return original(*arguments)

    return checked


def _report(request: Mapping[str, Any]) -> Any:
    """Answer ValidateStateMachineDefinition."""
    states = base.module("services.stepfunctions")
    refused = states._validate_definition_jsonata(request.get("definition"))
    diagnostics = [{"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": refused}] if refused else []
    return states.json_response({"result": "FAIL" if refused else "OK", "diagnostics": diagnostics, "truncated": False})


def _validate(original: Callable[[Any], str | None], definition: Any) -> str | None:
    try:
        machine = json.loads(definition) if isinstance(definition, str) else definition
    except ValueError:
        return "Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION'"
    found = list(objections(machine if isinstance(machine, dict) else {}))
    if found:
        return f"Invalid State Machine Definition: '{', '.join(found)}'"
    return original(definition)


def objections(machine: Machine, where: str = "") -> Iterator[str]:
    """Yield what is wrong with a machine, or with the part of one that is at a place."""
    states = machine.get("States")
    if not isinstance(states, dict) or not states:
        yield f"SCHEMA_VALIDATION_FAILED: The field 'States' is required at {where or '/'}"
        return
    if machine.get("StartAt") not in states:
        yield f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {machine.get('StartAt')} at {where}/StartAt"
    reached = {machine.get("StartAt")} | {target for state in states.values() for _, target in _targets(state)}
    for name, state in states.items():
        at = f"{where}/States/{name}"
        if len(name) > _LONGEST_NAME:
            yield f"SCHEMA_VALIDATION_FAILED: State name is longer than {_LONGEST_NAME} characters at {at}"
        if name not in reached:
            yield f'MISSING_TRANSITION_TARGET: State "{name}" is not reachable. at {at}'
        for field, target in _targets(state):
            if target not in states:
                yield f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {target} at {at}/{field}"
        yield from _of_state(state, at)


def _targets(state: Machine) -> Iterator[tuple[str, Any]]:
    """Yield where a state can lead, with the field that says so."""
    for field in ("Next", "Default"):
        if field in state:
            yield field, state[field]
    for field in ("Catch", "Choices"):
        for index, each in enumerate(state.get(field) or ()):
            if "Next" in each:
                yield f"{field}[{index}]/Next", each["Next"]


def _of_state(state: Machine, at: str) -> Iterator[str]:
    kind = state.get("Type")
    if kind not in _TYPES:
        yield f"SCHEMA_VALIDATION_FAILED: The field 'Type' should have one of these values: {sorted(_TYPES)} at {at}"
        return
    if kind in _GO_ON and ("Next" in state) == bool(state.get("End")):
        yield f"SCHEMA_VALIDATION_FAILED: These fields are required, one of them alone: [Next, End] at {at}"
    needed = _NEEDS.get(kind)
    if needed is not None and not state.get(needed):
        yield f"SCHEMA_VALIDATION_FAILED: The field '{needed}' is required at {at}"
    for field in ("Retry", "Catch"):
        entries = state.get(field) or ()
        for index, each in enumerate(entries):
            yield from _of_handler(each, index + 1 == len(entries), f"{at}/{field}[{index}]")
    for index, branch in enumerate(state.get("Branches") or ()):
        yield from objections(branch, f"{at}/Branches[{index}]")
    if kind == "Map":
        part = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
        yield from objections(state.get(part) or {}, f"{at}/{part}")


def _of_handler(handler: Machine, is_last: bool, at: str) -> Iterator[str]:
    """Yield what is wrong with a retrier or a catcher."""
    errors = handler.get("ErrorEquals") or ()
    if not errors:
        yield f"SCHEMA_VALIDATION_FAILED: The field 'ErrorEquals' is required at {at}"
    if "States.ALL" in errors and (len(errors) > 1 or not is_last):
        yield f"SCHEMA_VALIDATION_FAILED: States.ALL must appear alone and in the last entry at {at}"
