"""Every setting of this project: its type, its default, and what it is for."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

__all__ = ["Settings", "help_of"]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of one run, resolved."""

    backend: Annotated[
        Literal["auto", "docker", "podman", "process"],
        Meta(description="Where tasks run. auto takes the first of docker, podman and process that is there."),
    ] = "auto"
    progress: Annotated[
        Literal["auto", "live", "plain", "json"],
        Meta(description="How a run is shown on standard error. auto is live on a terminal, plain elsewhere."),
    ] = "auto"
    sandbox: Annotated[
        Literal["auto", "always", "never"],
        Meta(description="Whether process tasks run in bubblewrap. auto: where it works; always: refuse otherwise."),
    ] = "auto"
    process_for_images: Annotated[
        bool,
        Meta(description="Let auto run tasks that name an image without a container where there is no engine."),
    ] = False
    docker_host: Annotated[
        str, Meta(description="Address of Docker's engine; empty: DOCKER_HOST, then the usual sockets.")
    ] = ""
    podman_host: Annotated[
        str, Meta(description="Address of Podman's engine; empty: CONTAINER_HOST, then the usual sockets.")
    ] = ""
    pull_attempts: Annotated[
        int, Meta(ge=1, description="How often an image pull that failed for a passing reason is tried.")
    ] = 4
    retry_pause: Annotated[
        float,
        Meta(ge=0, description="Seconds before a failed task is tried again; doubles with each attempt, up to 30."),
    ] = 0.5
    stop_grace: Annotated[
        float, Meta(ge=0, description="Seconds between SIGTERM and SIGKILL when a process task is stopped.")
    ] = 2.0


def help_of(name: str) -> str:
    """Return the description of a setting."""
    for field in msgspec.inspect.type_info(Settings).fields:  # type: ignore[attr-defined]
        if field.name == name:
            return str(field.type.extra_json_schema["description"])
    raise KeyError(name)
