"""Registries of images, asked without an engine: the digest of a name, the machines that it was built for, its size.

This is the pull half of the OCI distribution protocol, by manifests alone, with the two ways of logging in that
registries have: a bearer token, which most give to anybody, and a name with a password.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import EngineUnavailable, ImageDenied, ImageNotFound, ImagePullFailed

__all__ = ["Login", "Manifest", "Reference", "Registry", "parse_reference"]

Login = Callable[[str], "tuple[str, str] | None"]
"""Returns the name and the password for a registry's host, or None for nobody in particular."""

DOCKER_HUB = "docker.io"
_ENDPOINTS = {DOCKER_HUB: "registry-1.docker.io"}
_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_SILENCE = 5.0
"""Seconds for which a registry may be silent, by default: one that does not answer holds up nobody for long."""
_REFUSALS = (401, 403)
_HOST = r"(?:localhost|[\w-]+(?:\.[\w-]+)+|[\w-]+(?=:)|\[[0-9A-Fa-f:]+\])(?::\d+)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_HOST}/)?{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)


@dataclass(frozen=True)
class Reference:
    """An image's name, taken apart."""

    host: str
    repository: str
    tag: str
    digest: str
    name: str
    """As it was written, without tag and digest."""

    def at(self, digest: str) -> str:
        """Return the name of exactly that content."""
        return f"{self.name}@{digest}"


def _in_short(error: Exception) -> str:
    """Return in a few words why there was no answer; what requests says names all the layers that it went through."""
    import requests

    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted here"
    if isinstance(error, requests.Timeout):
        return "it took too long"
    return str(reason or error).rpartition(": ")[2]


def parse_reference(text: str) -> Reference:
    """Take a reference apart as Docker does: without a host it is Docker Hub's, without a tag it is `latest`.

    Raises ImageNotFound for what cannot be an image's name.
    """
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise ImageNotFound(f"'{text}' cannot be the name of an image")
    name, digest = found["name"], found["digest"] or ""
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        host, repository = first, rest
    else:
        host, repository = DOCKER_HUB, name if slash else f"library/{name}"
    return Reference(host, repository, found["tag"] or ("" if digest else "latest"), digest, name)


@dataclass(frozen=True)
class Manifest:
    """What a registry says of an image."""

    digest: str
    architectures: frozenset[str]
    """As `amd64`, `arm64`; none where the registry does not say."""
    size: int = field(default=0, compare=False)
    """Bytes of its layers as they are pulled, compressed; 0 where that has to be asked for (`Registry.size`)."""
    parts: Mapping[str, str] = field(default_factory=dict, compare=False)
    """By architecture the digest of its manifest, where there are several."""


class Registry:
    """One registry, over one connection; for one thread at a time."""

    def __init__(self, host: str, login: Login, silence: float = _SILENCE) -> None:
        import requests

        endpoint = _ENDPOINTS.get(host, host)
        local = endpoint.partition(":")[0] in ("localhost", "127.0.0.1")
        self._host = host
        self._base = f"{'http' if local else 'https'}://{endpoint}/v2"
        self._login = login
        self._session = requests.Session()
        self._silence = silence

    def manifest(self, reference: Reference) -> Manifest:
        """Return what the registry says of an image.

        Raises ImageNotFound where it says that there is none, ImageDenied where it does not say so to us,
        ImagePullFailed where it does not say, and EngineUnavailable where it does not answer.
        """
        wanted = reference.digest or reference.tag
        answer = self._get(reference, f"manifests/{wanted}")
        content = answer.json()
        digest = reference.digest or answer.headers.get("Docker-Content-Digest", "")
        if not digest:
            raise ImagePullFailed(f"{self._host} does not tell the digest of {reference.repository}:{wanted}")
        if "manifests" in content:
            parts = _parts(content["manifests"])
            return Manifest(digest, frozenset(parts), parts=parts)
        config = (content.get("config") or {}).get("digest")
        if not config:
            return Manifest(digest, frozenset(), _size(content))
        architecture = self._get(reference, f"blobs/{config}").json().get("architecture")
        return Manifest(digest, frozenset([architecture] if architecture else []), _size(content))

    def size(self, reference: Reference, manifest: Manifest, architecture: str) -> int:
        """Return the bytes that are pulled for one kind of machine, 0 where nobody says. Raises as `manifest` does."""
        part = manifest.parts.get(architecture)
        return _size(self._get(reference, f"manifests/{part}").json()) if part else manifest.size

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _get(self, reference: Reference, what: str) -> Any:
        import requests

        url = f"{self._base}/{reference.repository}/{what}"
        try:
            answer = self._session.get(url, headers=_accepting(), timeout=self._silence)
            if answer.status_code == 401:
                self._log_in(answer.headers.get("WWW-Authenticate", ""))
                answer = self._session.get(url, headers=_accepting(), timeout=self._silence)
            if answer.status_code == 404:
                raise ImageNotFound(f"{self._host} has no image {reference.repository}:{reference.tag}")
            answer.raise_for_status()
            return answer
        except (requests.ConnectionError, requests.Timeout) as error:
            raise EngineUnavailable(f"registry {self._host} does not answer: {_in_short(error)}") from error
        except (requests.RequestException, ValueError) as error:
            if getattr(getattr(error, "response", None), "status_code", 0) in _REFUSALS:
                raise ImageDenied(f"{self._host} does not show {reference.repository} without a log-in") from error
            raise ImagePullFailed(f"{self._host} does not tell of {reference.repository}: {error}") from error

    def _log_in(self, challenge: str) -> None:
        from requests.utils import parse_dict_header

        scheme, _, rest = challenge.partition(" ")
        credentials = self._login(self._host)
        if scheme.lower() == "basic" and credentials is not None:
            self._session.auth = credentials
        elif scheme.lower() == "bearer":
            asked: Mapping[str, str] = parse_dict_header(rest)  # type: ignore[no-untyped-call]  # as it came to us
            parameters = {name: value for name, value in asked.items() if name in ("service", "scope")}
            answer = self._session.get(
                asked.get("realm", ""), params=parameters, auth=credentials, timeout=self._silence
            )
            answer.raise_for_status()
            content = answer.json()
            self._session.headers["Authorization"] = f"Bearer {content.get('token') or content.get('access_token')}"


def _parts(manifests: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the digests of an index's manifests for Linux by architecture: the first of each, as engines choose."""
    parts: dict[str, str] = {}
    for each in manifests:
        platform = each.get("platform") or {}
        if platform.get("os") == "linux":
            parts.setdefault(platform["architecture"], each.get("digest", ""))
    return parts


def _size(manifest: Mapping[str, Any]) -> int:
    return sum(int(layer.get("size") or 0) for layer in manifest.get("layers") or ())


def _accepting() -> dict[str, str]:
    return {"Accept": ", ".join((*_INDEXES, *_MANIFESTS))}
