"""Removes the containers of a head that is no more."""

from __future__ import annotations

from .client import Engine
from .request import HEAD_LABEL

__all__ = ["remove_containers_of"]


def remove_containers_of(engine: Engine, head: str) -> int:
    """Kill and remove every container that the head started, and return how many there were."""
    containers = engine.labelled(HEAD_LABEL, head)
    for container in containers:
        engine.remove(container)
    return len(containers)
