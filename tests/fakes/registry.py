"""An image registry on loopback, of as much of the protocol as Docker and Podman use to pull.

Docker trusts any registry on loopback without a certificate; Podman wants to be told of the port
(`registries.conf`, see tests/machine), hence a fixed one for each of the processes among which pytest shares the tests.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

__all__ = ["MANIFEST", "PORT", "PORTS", "Registry", "digest", "packed", "serving"]

PORTS = range(5980, 6000)
PORT = PORTS[int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % len(PORTS)]
_PREFIX = "application/vnd.docker."
MANIFEST = f"{_PREFIX}distribution.manifest.v2+json"
_CONFIG = f"{_PREFIX}container.image.v1+json"
_LAYER = f"{_PREFIX}image.rootfs.diff.tar.gzip"
_CODES = {404: "MANIFEST_UNKNOWN", 401: "UNAUTHORIZED", 429: "TOOMANYREQUESTS", 503: "UNAVAILABLE"}


@dataclass
class Registry:
    """The images, by name, and what goes wrong."""

    manifests: dict[str, bytes] = field(default_factory=dict)
    """By `NAME:TAG`, and by `NAME:DIGEST`."""
    blobs: dict[str, bytes] = field(default_factory=dict)
    failures: list[int] = field(default_factory=list)
    """Statuses with which the next questions for a manifest are answered."""
    open: Event = field(default_factory=Event)
    """Blobs are sent while it is set."""
    pulled: list[str] = field(default_factory=list)
    """The digest of each blob that was sent."""

    def __post_init__(self) -> None:
        self.open.set()

    def push(self, name: str, layer: bytes, architecture: str) -> str:
        """Keep an image of one layer and return the digest of its manifest."""
        manifest, blobs = packed(layer, architecture)
        self.blobs |= blobs
        repository = name.rpartition(":")[0]
        self.manifests |= {name: manifest, f"{repository}:{digest(manifest)}": manifest}
        return digest(manifest)


def packed(layer: bytes, architecture: str) -> tuple[bytes, dict[str, bytes]]:
    """Return the manifest of an image of one layer, and its blobs by their digests."""
    compressed = gzip.compress(layer, mtime=0)
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {},
            "history": [{"created_by": "tests"}],
            "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": _CONFIG, "size": len(config), "digest": digest(config)},
            "layers": [{"mediaType": _LAYER, "size": len(compressed), "digest": digest(compressed)}],
        }
    ).encode()
    return manifest, {digest(config): config, digest(compressed): compressed}


def digest(content: bytes) -> str:
    """Return how registries name content."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, registry: Registry) -> None:
        super().__init__(("127.0.0.1", PORT), _Handler)
        self.registry = registry

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up: tests stop pulls."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        name, _, reference = self.path.removeprefix("/v2/").rpartition("/")
        if name.endswith("/manifests"):
            self._manifest(f"{name.removesuffix('/manifests')}:{reference}")
        elif name.endswith("/blobs"):
            self._blob(reference)
        else:
            self._answer(200, b"{}", "application/json")

    def _manifest(self, name: str) -> None:
        registry = self.server.registry
        status = registry.failures.pop(0) if registry.failures else 200 if name in registry.manifests else 404
        if status == 200:
            self._answer(200, registry.manifests[name], MANIFEST)
            return
        error = {"errors": [{"code": _CODES[status], "message": f"{_CODES[status].lower()}: {name}"}]}
        self._answer(status, json.dumps(error).encode(), "application/json")

    def _blob(self, name: str) -> None:
        registry = self.server.registry
        registry.open.wait(60)
        registry.pulled.append(name)
        self._answer(200, registry.blobs[name], "application/octet-stream")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        if status == 200:
            self.send_header("Docker-Content-Digest", digest(body))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Registry]:
    """Serve until the end of the block."""
    registry = Registry()
    with _Server(registry) as web:
        thread = Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield registry
        finally:
            registry.open.set()
            web.shutdown()
            thread.join(60)
