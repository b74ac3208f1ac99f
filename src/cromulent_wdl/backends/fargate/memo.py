"""What an attempt's directory remembers, for a later head and for people: what it was, what ran it, how that ended.

ECS forgets a task an hour after its end (facts: DescribeTasks); these files do not.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ...aws.decode import EcsTask
from ...model import EcsTaskLaunched, Task, TaskImage, TaskPlaced
from ...model.events import from_json, to_json

__all__ = [
    "LaunchEvent",
    "call_prefix",
    "fingerprint_of",
    "key_of_attempt",
    "launched",
    "note_attempt",
    "note_launch",
    "note_stop",
    "note_terms",
    "same",
    "stopped",
    "terms",
]

_ATTEMPT, _LAUNCH, _TERMS, _STOP = "attempt.json", "launch.json", "terms.jsonl", "stop.json"
LaunchEvent = TaskImage | TaskPlaced | EcsTaskLaunched
"""What the journal is told of a launch."""
_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9_-]+")


def call_prefix(task: Task) -> str:
    """Return how the keys of all attempts at the task's call begin."""
    digest = hashlib.sha256(task.call.encode()).hexdigest()[:10]
    return f"{_NOT_IN_KEYS.sub('-', task.call).strip('-')[:60]}-{digest}-"


def key_of_attempt(task: Task) -> str:
    """Return the attempt's key, which no other of the run has."""
    return f"{call_prefix(task)}{task.attempt}"


def fingerprint_of(task: Task, command: str, key: bytes) -> str:
    """Return what is the same for two attempts that do the same work with the same inputs.

    What they are given to do it with does not count. Inputs count by where they really are, since links to the outputs
    of calls that are done have other names for each head; what the engine wrote for the attempt itself, under names
    that it draws by lot, counts by content. The environment can hold secrets, and a weak one could be found by trying
    from what is made without a key; so the key is the run's, and is kept from others.
    """
    inputs = []
    for mount in sorted(task.inputs, key=lambda each: -len(each.container)):
        identity = os.path.realpath(mount.host)
        if mount.host.parent == task.directory / "write_":
            identity = hashlib.sha256(mount.host.read_bytes()).hexdigest()
        command = command.replace(mount.container, f"\0{identity}\0")
        inputs.append(identity)
    content = {
        "command": command,
        "inputs": sorted(inputs),
        "shell": task.shell,
        "images": task.images,
        "environment": sorted([*task.environment.items(), *task.secrets]),
        "as_user": task.as_user,
        "timeout": task.timeout,
        "architecture": task.architecture,
    }
    told = json.dumps(content, sort_keys=True).encode("utf-8", "surrogateescape")
    return hmac.new(key, told, hashlib.sha256).hexdigest()


def note_attempt(directory: Path, task: Task, fingerprint: str) -> None:
    """Remember what the attempt is."""
    content = {"call": task.call, "attempt": task.attempt, "fingerprint": fingerprint}
    (directory / _ATTEMPT).write_text(json.dumps(content) + "\n")


def same(directory: Path, fingerprint: str) -> bool:
    """Tell whether the attempt there does the same work."""
    return _read(directory / _ATTEMPT).get("fingerprint") == fingerprint


def note_launch(directory: Path, ecs: EcsTask) -> None:
    """Remember what runs the attempt."""
    content = {"task": ecs.arn, "provider": ecs.provider}
    (directory / _LAUNCH).write_text(json.dumps(content) + "\n")


def launched(directory: Path) -> str:
    """Return the ARN of the ECS task that was started last for the attempt, or nothing."""
    return str(_read(directory / _LAUNCH).get("task", ""))


def note_terms(directory: Path, events: Sequence[LaunchEvent]) -> None:
    """Remember what the run's journal is to be told of the launch, before AWS is asked to carry it out.

    A head may die before it has told that, or before it hears from AWS.
    """
    (directory / _TERMS).write_text("".join(f"{to_json(event)}\n" for event in events), encoding="utf-8")


def terms(directory: Path) -> tuple[LaunchEvent, ...]:
    """Return what the journal is to be told of the last launch."""
    try:
        events = [from_json(line) for line in (directory / _TERMS).read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):
        return ()
    return tuple(event for event in events if isinstance(event, LaunchEvent))


def note_stop(directory: Path, ecs: EcsTask, log_group: str, log_stream: str) -> None:
    """Remember how ECS's record of the task ended."""
    content = {**vars(ecs), "log_group": log_group, "log_stream": log_stream}
    (directory / _STOP).write_text(json.dumps(content) + "\n")


def stopped(directory: Path, task: str) -> EcsTask | None:
    """Return ECS's last record of the task with this ARN or id, if an earlier head of the run has seen its end."""
    found = {name: value for name, value in _read(directory / _STOP).items() if name in EcsTask.__dataclass_fields__}
    try:
        ecs = msgspec.convert(found, EcsTask)
    except msgspec.ValidationError:
        return None
    return ecs if task in (ecs.arn, ecs.identity) else None


def _read(file: Path) -> dict[str, object]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
