"""What a state machine's role must be able to do for the machine to be made, where IAM is enforced.

Step Functions must be able to assume it, and as it to watch the tasks that `.sync` waits for, by a rule of EventBridge
that it manages (page "IAM policies for calling Amazon ECS/AWS Fargate").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..ecs import Place
from . import base, roles

__all__ = ["STATES", "cannot_assume", "repair"]

STATES = "states.amazonaws.com"
_RULE = "StepFunctionsGetEventsForECSTaskRule"
_ACTIONS = ("events:PutTargets", "events:PutRule", "events:DescribeRule")
_WAITS = "ecs:runTask.sync"
_TYPE = "AWS::StepFunctions::StateMachine"


def repair() -> None:
    """Look at the role of every machine that is made or changed, by the API or by a stack."""
    states = base.module("services.stepfunctions")
    for name in ("_create_state_machine", "_update_state_machine"):
        base.wrap(states, name, _checked)
    handler = base.module("services.cloudformation.provisioners")._RESOURCE_HANDLERS[_TYPE]
    handler["create"] = _checked_in_stack(handler["create"], 1)
    handler["update"] = _checked_in_stack(handler["update"], 2)


def cannot_assume(role: str) -> str:
    """Return what is said of a role that does not trust Step Functions."""
    return (
        f"Neither the global service principal {STATES}, nor the regional one is authorized to assume the provided "
        f"role {role}."
    )


def _checked(original: Callable[..., Any], request: Mapping[str, Any]) -> Any:
    responses = base.module("core.responses")
    found = base.module("services.stepfunctions")._state_machines.get(request.get("stateMachineArn")) or {}
    wanted = {**found, **{name: value for name, value in request.items() if value}}
    objection = _objection(wanted.get("roleArn", ""), wanted.get("definition", ""), wanted.get("name", ""))
    if objection:
        return responses.error_response_json("AccessDeniedException", objection, 400)
    return original(request)


def _checked_in_stack(original: Callable[..., Any], position: int) -> Callable[..., Any]:
    def checked(*arguments: Any) -> Any:
        properties = arguments[position]
        definition = f"{properties.get('Definition')}{properties.get('DefinitionString')}"
        objection = _objection(properties.get("RoleArn", ""), definition, properties.get("StateMachineName", "*"))
        if objection:
            raise ValueError(objection)
        return original(*arguments)

    return checked


def _objection(role: str, definition: str, name: str) -> str | None:
    """Return why the role will not do, or None."""
    responses = base.module("core.responses")
    place = Place(responses.get_account_id(), responses.get_region())
    machine = f"arn:aws:states:{place.region}:{place.account}:stateMachine:{name}"
    keys = roles.keys_of(place, role, "check") if roles.trusts(place, role, STATES, machine) else None
    if keys is None:
        return cannot_assume(role)
    if _WAITS not in definition:
        return None
    rule = f"arn:aws:events:{place.region}:{place.account}:rule/{_RULE}"
    enforce = base.module("core.iam_evaluator").enforce
    if any(enforce(keys.key, action, "events", place.region, resource_arn=rule) for action in _ACTIONS):
        return f"'{role}' is not authorized to create managed-rule."
    return None
