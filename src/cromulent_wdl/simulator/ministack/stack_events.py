"""Stack events' repair: an update tells of what it changes, makes and removes, and of nothing else.

ministack tells of every resource of the template as changed, of new ones too, and of removed ones nothing.
CloudFormation has events for what the change set lists (page "Monitor stack progress"), each with the verb of what is
done to it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from . import base

__all__ = ["repair"]

_Coroutine = Callable[..., Coroutine[Any, Any, None]]
_BEGUN, _DONE, _FAILED = "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_FAILED"


@dataclass
class _Update:
    """An update that goes on: events that wait until something is done to their resource, and what is new."""

    stack: str
    waiting: dict[str, Callable[[], None]] = field(default_factory=dict)
    new: set[str] = field(default_factory=set)

    def begun(self, logical: str) -> None:
        """Tell that something is done to a resource, unless that was told."""
        self.waiting.pop(logical, lambda: None)()


_update: ContextVar[_Update | None] = ContextVar("cromulent_stack_update", default=None)


def repair() -> None:
    """Look on while a stack is updated, and keep back what is not true."""
    stacks = base.module("services.cloudformation.stacks")
    base.wrap(stacks, "_add_event", _told)
    base.wrap(stacks, "_update_resource", _changed)
    base.wrap(stacks, "_provision_resource", _made)
    base.wrap(stacks, "_delete_resource", _removed)
    base.wrap(stacks, "_roll_back_operation", _rolling_back)
    for name in ("changesets", "handlers"):
        base.wrap(base.module(f"services.cloudformation.{name}"), "_deploy_stack_async", _deploying)


async def _deploying(original: _Coroutine, *arguments: Any, **named: Any) -> None:
    updating = named.get("is_update", len(arguments) > 6 and arguments[6])
    _update.set(_Update(str(arguments[1])) if updating else None)
    await original(*arguments, **named)


async def _rolling_back(original: _Coroutine, *arguments: Any, **named: Any) -> None:
    _update.set(None)  # its events are as they should be
    await original(*arguments, **named)


def _told(original: Callable[..., None], stack: str, *event: Any, **more: Any) -> None:
    update, (_, logical, kind, status, *reason) = _update.get(), event
    if update is None or kind == "AWS::CloudFormation::Stack":
        original(stack, *event, **more)
    elif status == _BEGUN and not reason and not more:
        update.waiting[logical] = lambda: original(stack, *_verb(update, event))
    elif status == _DONE and update.waiting.pop(logical, None) is not None:
        return  # nothing was done to it
    else:
        update.begun(logical)
        original(stack, *_verb(update, event), **more)


def _verb(update: _Update, event: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return an event with the verb of what is done: what an update makes is created."""
    name, logical, kind, status, *reason = event
    new = logical in update.new and status in (_BEGUN, _DONE, _FAILED)
    return name, logical, kind, status.replace("UPDATE", "CREATE") if new else status, *reason


def _changed(original: Callable[..., Any], kind: str, physical: str, old: Any, new: Any, *rest: Any) -> Any:
    update = _update.get()
    if update is not None and old != new and len(rest) > 1:
        update.begun(str(rest[1]))
    return original(kind, physical, old, new, *rest)


def _made(original: Callable[..., Any], kind: str, logical: str, *rest: Any) -> Any:
    update = _update.get()
    if update is not None:
        update.new.add(logical)
        update.begun(logical)
    return original(kind, logical, *rest)


def _removed(
    original: Callable[..., Any], kind: str, physical: str, properties: Any, stack: str = "", logical: str = ""
) -> Any:
    update = _update.get()
    if update is None:
        return original(kind, physical, properties, stack, logical)
    tell = base.module("services.cloudformation.stacks")._add_event
    tell(update.stack, stack, logical, kind, "DELETE_IN_PROGRESS", physical_id=physical)
    done = original(kind, physical, properties, stack, logical)
    tell(update.stack, stack, logical, kind, "DELETE_COMPLETE", physical_id=physical)
    return done
