"""Task definitions of a run: looked for before they are registered, each once, however many tasks want it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from ...model import Deployment
from ..once import Once
from .request import Blueprint, definition_of, family_of

__all__ = ["Definitions", "Registry"]


class Registry(Protocol):
    """What is asked of ECS."""

    def definition(self, family: str) -> str | None:
        """Return the ARN of a family's latest active task definition, or None. Raises AwsError."""

    def register(self, request: Mapping[str, Any]) -> str:
        """Register a task definition and return its ARN. Raises AwsError."""


class Definitions:
    """The definitions of one run. Safe to use from any thread."""

    def __init__(self, registry: Registry, deployment: Deployment, run: str) -> None:
        self._registry = registry
        self._deployment = deployment
        self._run = run
        self._known: Once[Blueprint, str] = Once()

    def arn(self, blueprint: Blueprint) -> str:
        """Return the ARN of the definition, found or registered. Raises AwsError."""
        return self._known.get(blueprint, partial(self._find_or_register, blueprint))

    def forget(self, blueprint: Blueprint) -> None:
        """Look for the definition anew when it is wanted next: somebody has removed it."""
        self._known.forget(blueprint)

    def _find_or_register(self, blueprint: Blueprint) -> str:
        found = self._registry.definition(family_of(self._deployment, blueprint))
        return found or self._registry.register(definition_of(self._deployment, blueprint, self._run))
