"""Looks at this machine: engines, the sandbox, programs, and the way to image registries."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata

from ... import __version__
from ...backends.process.sandbox import find_sandbox
from ...config import Settings
from ...engine import connect
from ...engine.facts import Kind
from ...errors import EngineUnavailable
from .facts import Here, Unknown

__all__ = ["REGISTRIES", "look_here", "unreachable"]

REGISTRIES = ("registry-1.docker.io", "public.ecr.aws", "quay.io", "ghcr.io")
_SECONDS = 5.0
_KINDS: tuple[Kind, ...] = ("docker", "podman")


def look_here(settings: Settings, unreachable: Callable[[str], str] | None) -> Here:
    """Return what there is; `unreachable` tells why a registry does not answer, None leaves registries out."""
    with ThreadPoolExecutor() as pool:
        engines = {kind: pool.submit(_engine, kind, settings) for kind in _KINDS}
        hosts = {host: pool.submit(unreachable, host) for host in REGISTRIES} if unreachable is not None else {}
        sandbox = find_sandbox()
        return Here(
            versions=_versions(),
            engines={kind: found.result() for kind, found in engines.items()},
            sandbox=Unknown(sandbox) if isinstance(sandbox, str) else sandbox.program,
            session_plugin=shutil.which("session-manager-plugin") or "",
            registries={host: found.result() for host, found in hosts.items()},
        )


def unreachable(host: str) -> str:
    """Return why a registry does not answer; nothing where it does, whatever it answers."""
    import requests

    try:
        requests.get(f"https://{host}/v2/", timeout=_SECONDS, allow_redirects=False).close()
    except requests.Timeout:
        return "no answer"
    except requests.exceptions.SSLError:
        return "its certificate is not trusted here"
    except requests.RequestException:
        return "no way there"
    return ""


def _versions() -> dict[str, str]:
    return {
        "cromulent": __version__,
        "Python": platform.python_version(),
        **{name: metadata.version(name) for name in ("miniwdl", "boto3")},
    }


def _engine(kind: Kind, settings: Settings) -> str | Unknown:
    try:
        engine = connect(kind, settings.docker_host if kind == "docker" else settings.podman_host)
    except EngineUnavailable as error:
        return Unknown(str(error), error.hint or "")
    try:
        return engine.facts.title
    finally:
        engine.close()
