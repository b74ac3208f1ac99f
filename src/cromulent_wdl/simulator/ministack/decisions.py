"""Which statements of policies allowed what, where IAM is enforced: those that allow nothing alone can be spared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import base

__all__ = ["Decisions"]


@dataclass
class _Statement:
    """What became of a statement: requests that it allowed, and one that nothing else would have allowed."""

    allowed: int = 0
    alone: str = ""


class Decisions:
    """Remembers every request that was allowed, by user or role, and statement."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, _Statement]] = {}

    def repair(self) -> None:
        """Look on where requests are judged."""
        self._evaluator = base.module("core.iam_evaluator")
        base.wrap(self._evaluator, "evaluate", self._watched)

    def told(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return what is remembered: by user or role, and by the statement's Sid."""
        return {
            who: {sid: {"allowed": each.allowed, "alone": each.alone} for sid, each in statements.items()}
            for who, statements in self._found.items()
        }

    def _watched(self, original: Callable[..., Any], request: Any, policies: list[list[Any]], *limits: Any) -> Any:
        result = original(request, policies, *limits)
        if result.decision == "Allow":
            self._remember(request, [each for policy in policies for each in policy])
        return result

    def _remember(self, request: Any, statements: list[Any]) -> None:
        matches: Mapping[str, Any] = {
            each.sid or f"statement {number}": each
            for number, each in enumerate(statements)
            if self._evaluator._first_match(request, [each], "Allow")
        }
        known = self._found.setdefault(_who(request.principal_arn), {})
        for sid in matches:
            statement = known.setdefault(sid, _Statement())
            statement.allowed += 1
            if len(matches) == 1:
                statement.alone = f"{request.action} on {request.resource_arn}"


def _who(arn: str) -> str:
    """Return the name of a user, or of the role behind a session."""
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    return rest.split("/")[0] if kind == "assumed-role" else rest.rpartition("/")[2]
