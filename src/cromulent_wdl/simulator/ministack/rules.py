"""EventBridge acts as the role of a rule's target, where IAM is enforced.

A target that is a state machine is started as that role (page "Using IAM roles for EventBridge targets"): it must
trust EventBridge and allow states:StartExecution. Whatever is refused is a failed invocation, of which nobody hears.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from ..ecs import ApiError, Place
from . import base, roles
from .authorization import Judge

__all__ = ["Rules"]

_EVENTS = "events.amazonaws.com"
_MACHINE = ":stateMachine:"

_log = logging.getLogger(__name__)


class Rules:
    """Starts the targets of rules."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._responses = base.module("core.responses")

    def repair(self) -> None:
        """Have targets that are state machines started as their roles."""
        base.wrap(base.module("services.eventbridge"), "_invoke_target", self._invoke)

    def _invoke(
        self, original: Callable[..., None], target: Mapping[str, Any], event: Any, rule: Mapping[str, Any], *rest: Any
    ) -> None:
        machine = target.get("Arn", "")
        if _MACHINE in machine and not self._may_start(machine, target.get("RoleArn", ""), rule.get("Arn", "")):
            _log.error("the rule %s may not start %s as %s", rule.get("Name"), machine, target.get("RoleArn"))
            return
        original(target, event, rule, *rest)

    def _may_start(self, machine: str, role: str, rule: str) -> bool:
        place = Place(self._responses.get_account_id(), self._responses.get_region())
        keys = roles.keys_of(place, role, "rule") if roles.trusts(place, role, _EVENTS, rule) else None
        if keys is None:
            return False
        try:
            self._judge.check(keys.key, "states:StartExecution", machine, place, {})
        except ApiError:
            return False
        return True
