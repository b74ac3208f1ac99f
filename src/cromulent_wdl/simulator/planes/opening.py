"""Opens the data plane that is asked for by name."""

from __future__ import annotations

from collections.abc import Callable

from ...engine import Engine, connect
from ...errors import EngineUnavailable
from ..ecs.seam import DataPlane
from .container import container_plane
from .play import PlayPlane
from .play_script import PlayScript
from .process import process_plane
from .surroundings import Surroundings

__all__ = ["open_plane"]


def open_plane(
    name: str, surroundings: Surroundings, script: PlayScript, uses_engine: Callable[[Engine], None]
) -> DataPlane:
    """Return the data plane; `uses_engine` hears of the engine before a container is on it.

    `container` is Docker, or else Podman. Raises EngineUnavailable, SandboxMissing.
    """
    if name == "play":
        return PlayPlane(surroundings.timers, script)
    if name == "process":
        return process_plane(surroundings)
    engine = _engine(name, surroundings)
    uses_engine(engine)
    return container_plane(engine, surroundings)


def _engine(name: str, surroundings: Surroundings) -> Engine:
    if name == "podman":
        return connect("podman", clock=surroundings.clock)
    try:
        return connect("docker", clock=surroundings.clock)
    except EngineUnavailable:
        if name == "docker":
            raise
    return connect("podman", clock=surroundings.clock)
