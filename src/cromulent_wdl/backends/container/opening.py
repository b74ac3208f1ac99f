"""Makes the backend from a workplace: connects to the engine that its settings speak of."""

from __future__ import annotations

from ...engine import connect
from ...engine.facts import Kind
from ..ledger import Ledger
from ..workplace import Workplace
from .backend import ContainerBackend

__all__ = ["docker", "podman"]


def docker(workplace: Workplace) -> ContainerBackend:
    """Return a backend on Docker. Raises EngineUnavailable."""
    return _open("docker", workplace.settings.docker_host, workplace)


def podman(workplace: Workplace) -> ContainerBackend:
    """Return a backend on Podman. Raises EngineUnavailable."""
    return _open("podman", workplace.settings.podman_host, workplace)


def _open(kind: Kind, address: str, workplace: Workplace) -> ContainerBackend:
    engine = connect(kind, address, clock=workplace.clock)
    ledger = Ledger(workplace.head, engine.facts.cores, engine.facts.memory, workplace.clock)
    return ContainerBackend(engine, ledger, workplace.head, workplace.settings.pull_attempts, workplace.clock)
