"""The `container` data plane: tasks run in containers of Docker or Podman."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from typing import Any

from ...engine import Engine, Image, ImageStore
from ...errors import EngineDiskFull, EngineError, ImageNotFound
from ..ecs.seam import ContainerExit, ContainerPlan, Launch
from .container_request import container_request
from .real import Child, RealPlane
from .surroundings import CannotStart, Places, Surroundings

__all__ = ["ContainerRunner", "container_plane"]

_OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
_PULL_ATTEMPTS = 1
_KILLED = 128 + 9
_PLATFORMS = {"X86_64": "amd64", "ARM64": "arm64"}


def container_plane(engine: Engine, surroundings: Surroundings) -> RealPlane:
    """Return the data plane on an engine, which it closes at its end."""
    return RealPlane(ContainerRunner(engine, surroundings), surroundings)


class ContainerRunner:
    """Runs containers in an engine."""

    def __init__(self, engine: Engine, surroundings: Surroundings) -> None:
        self._engine = engine
        self._surroundings = surroundings
        self._images = ImageStore(engine, _PULL_ATTEMPTS, surroundings.clock)

    def fetch(self, launch: Launch, stopped: Future[None]) -> Mapping[str, str]:
        """Return the digest of each container's image, pulled where the engine does not have it."""
        return {plan.name: self._fetch(plan.image, launch, stopped).digest for plan in launch.containers}

    def spawn(self, launch: Launch, plan: ContainerPlan, places: Places) -> Child:
        """Create and start a container."""
        if places.disk is not None:
            places.disk.prepare(plan.name, 0)
        image = self._images.present([plan.image])
        around = (self._engine.facts, self._surroundings.owner, self._surroundings.environment(launch, plan))
        request = container_request(launch, plan, plan.image if image is None else image.id, places, around)
        try:
            container = self._engine.create(request)
        except EngineError as error:
            raise CannotStart(f"CannotCreateContainerError: {error}") from error
        try:
            self._engine.start(container, plan.image)
        except EngineError as error:
            self._engine.remove(container)
            raise CannotStart(f"CannotStartContainerError: {error}") from error
        return _ContainerChild(self._engine, plan, container)

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()

    def _fetch(self, name: str, launch: Launch, stopped: Future[None]) -> Image:
        def unless_stopped(pull: Future[Image]) -> Image:
            either: list[Future[Any]] = [pull, stopped]
            wait(either, return_when=FIRST_COMPLETED)
            if not pull.done():
                raise CannotStart("Task stopped before it started")
            return pull.result()

        try:
            image = self._images.present([name]) or self._images.pulled([name], unless_stopped)
            found = self._engine.image(image.id)
        except EngineError as error:
            raise CannotStart(_pull_failure(name, error)) from error
        platform = _PLATFORMS[launch.architecture]
        if found is not None and found.architecture not in ("", platform):
            raise CannotStart(
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
                f"image Manifest does not contain descriptor matching platform 'linux/{platform}'."
            )
        return image


class _ContainerChild:
    """A container of the engine."""

    def __init__(self, engine: Engine, plan: ContainerPlan, container: str) -> None:
        self.plan = plan
        self.runtime_id = container
        self._engine = engine
        self._ending: ContainerExit | None = None
        self._signalled = False

    def output(self) -> Iterator[tuple[int, bytes]]:
        with suppress(EngineError):  # what it said last is lost with the engine
            yield from self._engine.output(self.runtime_id)

    def wait(self) -> ContainerExit:
        if self._ending is None:
            self._ending = self._await_end()
        return self._ending

    def terminate(self) -> None:
        self._signalled = True
        with suppress(EngineError):
            self._engine.signal(self.runtime_id, "SIGTERM")

    def kill(self) -> None:
        self._signalled = True
        with suppress(EngineError):
            self._engine.signal(self.runtime_id, "SIGKILL")

    def discard(self) -> None:
        with suppress(EngineError):  # it is removed by its label when the simulator has ended
            self._engine.remove(self.runtime_id)

    def _await_end(self) -> ContainerExit:
        try:
            status = self._engine.wait(self.runtime_id)
            out_of_memory = self._engine.state(self.runtime_id).oom_killed
        except EngineError as error:
            return ContainerExit(None, str(error))
        if status == _KILLED and not self._signalled and self._engine.facts.kind == "podman":
            out_of_memory = True  # Podman does not always see the kernel kill; nobody else does here
        return ContainerExit(status, _OUT_OF_MEMORY if out_of_memory else None)


def _pull_failure(image: str, error: EngineError) -> str:
    """Return the reason in the words of Fargate's runtime (facts: pull failure)."""
    if isinstance(error, EngineDiskFull):
        return (
            f"CannotPullContainerError: ref pull has been retried {_PULL_ATTEMPTS} time(s): "
            "failed to extract layer: no space left on device"
        )
    if isinstance(error, ImageNotFound):
        return (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
            f"failed to resolve ref {image}: {image}: not found"
        )
    return f"CannotPullContainerError: ref pull has been retried {_PULL_ATTEMPTS} time(s): failed to copy: {error}"
