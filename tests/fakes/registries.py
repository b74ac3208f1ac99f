"""A registry that says what it is told to, on a free port of loopback; engines pull from the one in `registry.py`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

__all__ = ["Scripted", "digest_of", "serving"]


def _encoded(content: object) -> bytes:
    return json.dumps(content, sort_keys=True).encode()


def digest_of(content: object) -> str:
    """Return the digest that the registry gives to this content."""
    return "sha256:" + hashlib.sha256(_encoded(content)).hexdigest()


@dataclass
class Scripted:
    """What is answered at each path: status, body, and the authorization that is wanted for it."""

    host: str = ""
    answers: dict[str, tuple[int, bytes, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, path: str, content: object, *, status: int = 200, wants: str = "") -> None:
        """Answer so from now on."""
        self.answers[path] = (status, _encoded(content), wants)

    def body(self, path: str) -> bytes:
        """Return what is answered at a path."""
        return self.answers[path][1]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, scripted: Scripted) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scripted = scripted


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        scripted = self.server.scripted
        scripted.asked.append(self.path)
        status, body, wants = scripted.answers.get(self.path.partition("?")[0], (404, b"{}", ""))
        challenge = ""
        if wants and self.headers.get("Authorization") != wants:
            status, body = 401, b"{}"
            realm = f'Bearer realm="http://{scripted.host}/token",service="tests",scope="repository:tool:pull"'
            challenge = realm if wants.startswith("Bearer") else 'Basic realm="tests"'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Content-Digest", "sha256:" + hashlib.sha256(body).hexdigest())
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Scripted]:
    """Serve until the end of the block."""
    scripted = Scripted()
    with _Server(scripted) as web:
        scripted.host = f"127.0.0.1:{web.server_address[1]}"
        thread = Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield scripted
        finally:
            web.shutdown()
            thread.join(60)
