"""Who may do what, judged by the policies that the stack really has, when a simulator enforces IAM.

ministack judges requests that come by HTTP. Repaired here: ECS's are judged by ECS's own resources and conditions
(`ecs/authorization.py`), with iam:PassRole; Step Functions acts as its machine's role; no key is root but ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..ecs import ApiError, Place
from ..ecs.authorization import Authorization
from ..settings import Credentials
from . import base, machine_roles, roles
from .decisions import Decisions
from .machine_roles import STATES, cannot_assume

__all__ = ["Judge", "RoleRefused", "act_as", "repair"]

_TASKS = "ecs-tasks.amazonaws.com"


class RoleRefused(Exception):
    """A role is not there, or does not trust the service."""


class Judge:
    """Judges requests to ECS."""

    def __init__(self) -> None:
        self.decisions = Decisions()
        self._evaluator = base.module("core.iam_evaluator")
        self._actions = base.module("core.iam_actions")

    def witness(self, scope: Mapping[str, Any], headers: Mapping[str, str], body: bytes) -> None:
        """Keep the request as it was signed, for its signature to be checked."""
        self._evaluator.pin_request_origin((scope.get("client") or ("127.0.0.1",))[0], True)
        self._evaluator.pin_signed_request(scope["method"], scope["path"], {}, scope["headers"])
        self._evaluator.pin_signed_body(body)

    def ecs(self, action: str, asked: Authorization, key: str, place: Place) -> None:
        """Refuse what the key's policies do not allow. Raises ApiError."""
        for resource in asked.resources:
            self.check(key, f"ecs:{action}", resource, place, asked.conditions)
        created = {**asked.conditions, "ecs:CreateAction": action}
        for further in asked.also:
            for resource in _created(action, asked):
                self.check(key, further, resource, place, created)
        for role in asked.passed_roles:
            self.check(key, "iam:PassRole", role, place, {"iam:PassedToService": _TASKS})

    def check(self, key: str, action: str, resource: str, place: Place, conditions: Mapping[str, str]) -> None:
        """Refuse an action on a resource that the key's policies do not allow. Raises ApiError."""
        denied = self._evaluator.enforce(
            key, action, action.partition(":")[0], place.region, resource_arn=resource, service_context=dict(conditions)
        )
        if denied is not None:
            raise self._refusal(denied, action, resource)

    def check_role(
        self, role: str, action: str, resource: str, place: Place, conditions: Mapping[str, str] | None = None
    ) -> None:
        """Refuse what a service does as a role, and the role's policies do not allow. Raises ApiError."""
        keys = roles.keys_of(place, role, "service")
        if keys is None:
            raise ApiError("AccessDeniedException", f"there is no role {role}")
        self.check(keys.key, action, resource, place, conditions or {})

    def _refusal(self, denied: Any, action: str, resource: str) -> ApiError:
        if isinstance(denied, self._evaluator.AuthError):
            return ApiError(denied.code, denied.message)
        message = self._actions.identity_denial_message(
            action, denied.principal_arn, resource, denied.decision == "Deny"
        )
        return ApiError("AccessDeniedException", message)


def _created(action: str, asked: Authorization) -> tuple[str, ...]:
    """Return what an action creates with tags: of RunTask it is tasks of the cluster, not the definition."""
    if action != "RunTask":
        return asked.resources
    return (asked.conditions["ecs:cluster"].replace(":cluster/", ":task/") + "/*",)


def act_as(execution: Mapping[str, Any], place: Place) -> str:
    """Return a key that acts as the role of the execution's machine. Raises RoleRefused."""
    machine = base.module("services.stepfunctions")._state_machines.get(execution["stateMachineArn"]) or {}
    role = machine.get("roleArn", "")
    session = str(execution["name"])[:64]
    trusted = roles.trusts(place, role, STATES, execution["stateMachineArn"])
    keys = roles.keys_of(place, role, session) if trusted else None
    if keys is None:
        raise RoleRefused(cannot_assume(role))
    return keys.key


def repair(root: Credentials) -> None:
    """Have ministack take one key for root, and Step Functions act as its machine's role."""
    evaluator = base.module("core.iam_evaluator")
    base.replace(evaluator, "is_root_access_key", lambda key: not key or key == root.key)
    base.wrap(base.module("app"), "call_service_handler_sync", _as_role)
    base.wrap(evaluator, "_gather_user_policies", _with_names)
    for place in (evaluator, base.module("app")):
        base.wrap(place, "pin_request_origin", _over_tls)
    machine_roles.repair()


def _with_names(original: Callable[[str, str], list[Any]], user: str, account: str) -> list[Any]:
    """Put the user's name where a policy has `${aws:username}`; there are no other variables."""
    policies = original(user, account)
    for statement in (each for policy in policies for each in policy):
        statement.resources = [resource.replace("${aws:username}", user) for resource in statement.resources]
    return policies


def _over_tls(original: Callable[[str, bool], None], address: str, secure: bool) -> None:
    """Let every request count as one over TLS: our port stands for AWS's, and policies refuse anything else."""
    original(address, True)


def _as_role(original: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Carry out a call that ministack makes within: one of an execution goes the way of a request, as its role."""
    from .states import current_part

    app = base.module("app")
    handler, method, path, headers, body, query = arguments[:6]
    try:
        part = current_part()
    except LookupError:
        return original(*arguments, **named)
    responses = base.module("core.responses")
    place = Place(responses.get_account_id(), responses.get_region())
    try:
        key = act_as(part.execution, place)
    except RoleRefused as refused:
        return responses.error_response_json("AccessDeniedException", str(refused), 400)
    headers = {**headers, "authorization": headers.get("authorization", "").replace("=test/", f"={key}/")}
    encoded = body.encode() if isinstance(body, str) else body

    async def dispatched(*_: Any) -> Any:
        return await app._dispatch_service_request(method, path, headers, encoded, query, "within")

    # ECS's handler judges by itself; ministack would do it by the wrong resources.
    ours = handler is app.SERVICE_HANDLERS["ecs"]
    return original(handler if ours else dispatched, method, path, headers, encoded, query, **named)
