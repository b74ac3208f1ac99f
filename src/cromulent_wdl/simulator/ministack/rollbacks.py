"""Rollbacks' repair: what could not be taken away again still belongs to the stack, and goes when that is deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import base

__all__ = ["repair"]


def repair() -> None:
    """Give a stack back what its rollback left, before it is deleted."""
    for name in ("stacks", "handlers"):
        base.wrap(base.module(f"services.cloudformation.{name}"), "_delete_stack_async", _with_leftovers)


def _with_leftovers(original: Callable[..., Any], name: str, *rest: Any, **more: Any) -> Any:
    stack = base.module("services.cloudformation")._stacks.get(name) or {}
    left = stack.pop("_rollback_failed", None) or {}
    if not str(stack.get("StackStatus", "")).startswith("UPDATE"):  # an update's stack has its resources as before
        stack["_resources"] = {**left, **stack.get("_resources", {})}
    return original(name, *rest, **more)
