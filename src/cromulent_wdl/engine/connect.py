"""Finds an engine that answers, or says in one sentence why there is none and what to type.

Sockets are tried bare first: where no engine is, that costs no import of the `docker` library and no wait.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..clock import SYSTEM, Clock
from ..errors import EngineUnavailable
from .addresses import Address, addresses
from .client import Engine
from .facts import EngineFacts, Kind, docker_facts, podman_facts

if TYPE_CHECKING:
    import docker

__all__ = ["connect"]

_PROBE_SECONDS = 2.0
_GREETING_SECONDS = 15
_ANY_VERSION = "1.41"
"""For a client that asks nothing which depends on it."""
_REQUEST_SECONDS = 900
"""A loaded engine may take minutes to create or start a container; only waits have no limit at all."""
_CDI_DIRECTORIES = (Path("/etc/cdi"), Path("/var/run/cdi"))


class _Silence(Enum):
    """Why an address does not answer, the most telling reason last."""

    ABSENT = 1
    MUTE = 2
    DENIED = 3


def connect(kind: Kind, setting: str = "", environ: Mapping[str, str] | None = None, clock: Clock = SYSTEM) -> Engine:
    """Connect to the first engine of the kind that answers.

    Raises EngineUnavailable.
    """
    environ = os.environ if environ is None else environ
    silent: list[tuple[_Silence, Address]] = []
    for address in addresses(kind, setting, environ):
        silence = _probe(address)
        if silence is None:
            return _open(address, environ, clock)
        silent.append((silence, address))
    silence, address = max(silent, key=lambda pair: pair[0].value)
    raise _unavailable(kind, silence, address, len(silent))


def _probe(address: Address) -> _Silence | None:
    try:
        if address.socket is not None:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                probe.settimeout(_PROBE_SECONDS)
                probe.connect(str(address.socket))
        else:
            parts = urlsplit(address.url)
            if parts.scheme not in ("tcp", "http", "https") or not parts.hostname:
                raise EngineUnavailable(
                    f"an engine at {address.url} ({address.origin}) cannot be used",
                    hint="tasks need an engine that sees this machine's files: unix:///path or tcp://localhost:port",
                )
            socket.create_connection((parts.hostname, parts.port or 2375), _PROBE_SECONDS).close()
    except FileNotFoundError:
        return _Silence.ABSENT
    except PermissionError:
        return _Silence.DENIED
    except OSError:
        return _Silence.MUTE
    return None


def _open(address: Address, environ: Mapping[str, str], clock: Clock) -> Engine:
    import docker
    import requests
    from docker.errors import DockerException
    from docker.utils import kwargs_from_env

    from .own_connections import OwnConnections

    url = f"unix://{address.socket}" if address.socket is not None else address.url
    tls = kwargs_from_env(dict(environ)).get("tls", False) if address.origin.endswith("DOCKER_HOST") else False
    try:
        with docker.APIClient(url, _ANY_VERSION, _GREETING_SECONDS, tls) as stranger:
            # Its headers say in a millisecond what Podman takes half a second over at /version.
            greeting = stranger.get(f"{stranger.base_url}/_ping", timeout=_GREETING_SECONDS).headers
        api = docker.APIClient(url, greeting["Api-Version"], _REQUEST_SECONDS, tls)
        # Looking for proxies and passwords at each request, of which a socket needs none, is a third of its cost.
        api.trust_env = address.socket is None
        if address.socket is not None:
            api.mount("http+docker://", OwnConnections(url.replace("unix://", "http+unix://"), _REQUEST_SECONDS))
        facts = _facts(url, api, greeting.get("Libpod-Api-Version"))
    except (DockerException, requests.RequestException, LookupError, ValueError) as error:
        raise EngineUnavailable(f"what listens at {address.url} is no container engine ({error})") from error
    return Engine(api, facts, clock)


def _facts(url: str, api: docker.APIClient, podman: str | None) -> EngineFacts:
    if podman is None:
        return docker_facts(url, api.info())
    info = api.get(f"{api.base_url}/v{podman}/libpod/info", timeout=_GREETING_SECONDS).json()
    nvidia = any(next(directory.glob("nvidia*"), None) for directory in _CDI_DIRECTORIES)
    return podman_facts(url, podman, info, nvidia)


def _unavailable(kind: Kind, silence: _Silence, address: Address, tried: int) -> EngineUnavailable:
    name = kind.capitalize()
    place = f"{address.url} ({address.origin})" if address.origin else address.url
    if silence is _Silence.DENIED:
        return EngineUnavailable(
            f"{name} runs here, but {getpass.getuser()} may not use {place}",
            hint="sudo usermod -aG docker $USER, then log in anew" if kind == "docker" else _start(kind),
        )
    if silence is _Silence.MUTE:
        return EngineUnavailable(f"{place} is there, but no {name} answers at it", hint=_start(kind))
    if address.origin:
        return EngineUnavailable(f"there is no {name} at {place}", hint=_start(kind))
    if shutil.which(kind) or shutil.which(f"{kind}d"):
        where = "none of its usual sockets is there" if tried > 1 else f"{place} is not there"
        return EngineUnavailable(f"{name} is installed, but not running ({where})", hint=_start(kind))
    return EngineUnavailable(f"{name} is not installed here", hint="install Docker or Podman, or add --backend process")


def _start(kind: Kind) -> str:
    """Return what to type to have the engine running."""
    if sys.platform == "darwin":
        return "open -a Docker" if kind == "docker" else "podman machine start"
    if kind == "docker":
        return "sudo systemctl start docker"
    return "systemctl start podman.socket" if os.getuid() == 0 else "systemctl --user start podman.socket"
