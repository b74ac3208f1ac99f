"""Makes the backend that the settings ask for. A new backend is one more row in `FACTORIES`."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ..errors import EngineUnavailable
from .seam import Backend
from .workplace import Workplace

__all__ = ["AUTO_ORDER", "FACTORIES", "Choice", "choose"]

AUTO_ORDER = ("docker", "podman", "process")
"""What `auto` tries, in this order; the last one is always there."""


class Choice(msgspec.Struct, frozen=True):
    """A backend, and in one sentence why it is that one."""

    backend: Backend
    why: str


def _process(workplace: Workplace) -> Backend:
    from .process import ProcessBackend

    settings = workplace.settings
    return ProcessBackend(workplace, allow_images=settings.backend == "process" or settings.process_for_images)


def _docker(workplace: Workplace) -> Backend:
    from .container import docker

    return docker(workplace)


def _podman(workplace: Workplace) -> Backend:
    from .container import podman

    return podman(workplace)


def _fargate(workplace: Workplace) -> Backend:
    from .fargate import fargate
    from .router import Router

    return Router([fargate(workplace)])


FACTORIES: dict[str, Callable[[Workplace], Backend]] = {
    "docker": _docker,
    "podman": _podman,
    "process": _process,
    "fargate": _fargate,
}


def choose(workplace: Workplace) -> Choice:
    """Make the backend of the settings; `auto` takes the first that is there.

    Raises EngineUnavailable when an engine was asked for by name and does not answer.
    """
    asked = workplace.settings.backend
    if asked != "auto":
        return Choice(FACTORIES[asked](workplace), "asked for")
    absent: list[str] = []
    for name in AUTO_ORDER:
        try:
            backend = FACTORIES[name](workplace)
        except EngineUnavailable:
            absent.append(name.capitalize())
            continue
        return Choice(backend, f"no {' or '.join(absent)} here" if absent else "the first choice of auto")
    raise EngineUnavailable("nothing here can run a task", hint="install Docker or Podman")
