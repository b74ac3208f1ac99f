"""Where an engine may be listening. Pure but for reading Docker's own configuration; nothing is connected to."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .facts import Kind

__all__ = ["Address", "addresses"]


@dataclass(frozen=True)
class Address:
    """An address, and who named it: empty for one of the usual places."""

    url: str
    origin: str = ""

    @property
    def socket(self) -> Path | None:
        """Return the socket's path, or None for an address on a network."""
        return Path(self.url.removeprefix("unix://")) if self.url.startswith(("unix://", "/")) else None


def addresses(kind: Kind, setting: str, environ: Mapping[str, str]) -> tuple[Address, ...]:
    """Return where to look, the likeliest first; an address that somebody named is the only one."""
    variable = "DOCKER_HOST" if kind == "docker" else "CONTAINER_HOST"
    if setting:
        return (Address(setting, f"setting {kind}_host"),)
    if environ.get(variable):
        return (Address(environ[variable], f"environment {variable}"),)
    home = Path(environ.get("HOME") or Path.home())
    runtime = Path(environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    if kind == "podman":
        return _sockets(
            runtime / "podman/podman.sock",
            Path("/run/podman/podman.sock"),
            home / ".local/share/containers/podman/machine/podman.sock",
        )
    context = _docker_context(home, environ)
    if context is not None:
        return (context,)
    return _sockets(Path("/var/run/docker.sock"), runtime / "docker.sock", home / ".docker/run/docker.sock")


def _sockets(*paths: Path) -> tuple[Address, ...]:
    return tuple(Address(f"unix://{path}") for path in paths)


def _docker_context(home: Path, environ: Mapping[str, str]) -> Address | None:
    """Return the address of the context that `docker context use` chose, if any."""
    directory = Path(environ.get("DOCKER_CONFIG") or home / ".docker")
    try:
        name = environ.get("DOCKER_CONTEXT") or json.loads((directory / "config.json").read_text())["currentContext"]
        if name == "default":
            return None
        identity = hashlib.sha256(name.encode()).hexdigest()
        context = json.loads((directory / "contexts/meta" / identity / "meta.json").read_text())
        return Address(str(context["Endpoints"]["docker"]["Host"]), f"Docker context {name}")
    except (OSError, ValueError, LookupError, AttributeError, TypeError):
        return None  # none was ever chosen, or it is not one that we can read
