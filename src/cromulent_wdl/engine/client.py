"""One engine: what can be asked of it, with its refusals as our errors.

Threads by the hundred use one `Engine` at once; each request has a connection of its own.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..clock import SYSTEM, Clock
from ..errors import ContainerVanished, EngineError, EngineUnavailable, ImageNotFound
from .decode import Operation, decode, unreachable
from .dialects import Dialect, DockerDialect, PodmanDialect, Said
from .facts import EngineFacts
from .request import IMAGE_LABEL, ContainerRequest

if TYPE_CHECKING:
    import docker

__all__ = ["ContainerState", "Engine", "ImageFacts"]

_RESTART_PATIENCE = 60.0
"""Seconds that a wait cut off gives the engine to come back: an upgrade restarts it under running containers."""
_LOG_LINES = 20
_BASE_IMAGE = "the base image"


@dataclass(frozen=True)
class ContainerState:
    """What the engine knows of a container."""

    running: bool
    exit_code: int
    oom_killed: bool


@dataclass(frozen=True)
class ImageFacts:
    """An image that the engine has."""

    id: str
    digests: tuple[str, ...]
    """`name@sha256:…` of each registry that it came from."""
    architecture: str = ""
    """As registries call it: amd64, arm64."""


class Engine:
    """A connection to Docker or Podman."""

    def __init__(self, api: docker.APIClient, facts: EngineFacts, clock: Clock = SYSTEM) -> None:
        self.facts = facts
        self._api = api
        self._clock = clock
        self._dialect: Dialect = PodmanDialect(facts.version) if facts.kind == "podman" else DockerDialect()

    def create(self, request: ContainerRequest) -> str:
        """Create a container and return its id."""
        with self._asking("create", request.labels.get(IMAGE_LABEL, request.image)):
            return self._dialect.create(self._api, request)

    def start(self, container: str, image: str) -> None:
        """Start a container; the image is named where it is at fault."""
        with self._asking("start", image):
            self._api.start(container)

    def wait(self, container: str) -> int:
        """Block until the container has ended, however long that takes, and return its exit status.

        An engine that goes away meanwhile is given time to come back. Raises ContainerVanished when the
        container is gone then, EngineUnavailable when the engine is.
        """
        while True:
            try:
                with self._asking("wait", "the container"):
                    return self._dialect.wait(self._api, container)
            except EngineUnavailable:
                state = self._state_after_absence(container)
                if not state.running:
                    return state.exit_code

    def _state_after_absence(self, container: str) -> ContainerState:
        deadline = self._clock.monotonic() + _RESTART_PATIENCE
        while True:
            try:
                return self.state(container)
            except EngineUnavailable:
                if self._clock.monotonic() >= deadline:
                    raise
                self._clock.sleep(1.0)

    def state(self, container: str) -> ContainerState:
        """Return what the engine knows of the container."""
        with self._asking("inspect", "the container"):
            state: dict[str, Any] = self._api.inspect_container(container)["State"]
        running = state["Status"] in ("created", "running", "paused", "restarting", "stopping")
        return ContainerState(running, int(state["ExitCode"]), bool(state.get("OOMKilled")))

    def logs(self, container: str) -> str:
        """Return the last lines that the container itself (not the task in it) had to say."""
        with self._asking("logs", "the container"):
            text: bytes = self._api.logs(container, tail=_LOG_LINES)
        return text.decode(errors="replace").strip()

    def output(self, container: str) -> Iterator[Said]:
        """Yield what the container says, from its beginning, until it has ended."""
        with self._asking("logs", "the container"):
            yield from self._dialect.output(self._api, container)

    def signal(self, container: str, name: str) -> None:
        """Send a signal to the container's main process; one that has ended, or is gone, is fine."""
        try:
            with self._asking("signal", "the container"):
                self._api.kill(container, name)
        except ContainerVanished:
            pass
        except EngineError as error:
            if "not running" not in str(error) and "container state improper" not in str(error):
                raise

    def remove(self, container: str) -> None:
        """Kill the container if it runs, and remove it with its anonymous volumes; one that is gone is fine."""
        try:
            with self._asking("remove", "the container"):
                self._dialect.remove(self._api, container)
        except ContainerVanished:
            pass  # somebody else removed it

    def labelled(self, label: str, value: str) -> tuple[str, ...]:
        """Return the ids of all containers that carry the label, ended ones too."""
        with self._asking("list", "containers"):
            found: list[dict[str, Any]] = self._api.containers(all=True, filters={"label": f"{label}={value}"})
        return tuple(str(container["Id"]) for container in found)

    def image(self, name: str) -> ImageFacts | None:
        """Return the image if the engine has it."""
        try:
            with self._asking("inspect", name):
                found: dict[str, Any] = self._api.inspect_image(name)
        except ImageNotFound:
            return None
        return ImageFacts(str(found["Id"]), tuple(found.get("RepoDigests") or ()), str(found.get("Architecture") or ""))

    def pull(self, name: str) -> None:
        """Pull the image from its registry."""
        with self._asking("pull", name):
            for line in self._api.pull(name, stream=True, decode=True):
                if line.get("error"):
                    raise decode("pull", name, str(line["error"]))

    def build(self, dockerfile: str, tag: str, log: Path) -> None:
        """Build an image from a Dockerfile that needs no other file, writing what the engine says to the log."""
        with self._asking("build", _BASE_IMAGE), log.open("w", encoding="utf-8") as out:
            for line in self._api.build(
                fileobj=io.BytesIO(dockerfile.encode()), tag=tag, rm=True, forcerm=True, decode=True
            ):
                out.write(line.get("stream", ""))
                if line.get("error"):
                    out.write(line["error"])
                    raise decode("build", _BASE_IMAGE, str(line["error"]))

    def close(self) -> None:
        """Close idle connections."""
        self._api.close()

    @contextmanager
    def _asking(self, operation: Operation, subject: str) -> Iterator[None]:
        """Turn what the `docker` library raises within the block into our errors."""
        import requests
        import urllib3
        from docker.errors import APIError, DockerException

        try:
            yield
        except APIError as error:
            raise _of_answer(operation, subject, error) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError, TimeoutError) as error:
            raise unreachable(self.facts.address, str(error)) from error
        except DockerException as error:
            raise decode(operation, subject, str(error)) from error


def _of_answer(operation: Operation, subject: str, error: Any) -> EngineError:
    status = error.status_code
    message = str(error.explanation or error)
    if status == 409 and operation == "remove":
        return ContainerVanished(message)  # already being removed
    return decode(operation, subject, message)
