"""A web server on loopback that answers as it is told to, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

__all__ = ["Answer", "Behaviour", "Server", "in_turn", "serving"]


@dataclass
class Answer:
    """What to send."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    """To announce: by default that of the body; less than that breaks the connection off; -1 for none at all."""


Behaviour = Callable[[str, Message], Answer]
"""Makes an answer to a request's path and headers."""


def in_turn(*behaviours: Behaviour | Answer) -> Behaviour:
    """Behave in one way for each request."""
    coming = iter(behaviours)

    def answer(path: str, headers: Message) -> Answer:
        behaviour = next(coming)
        return behaviour if isinstance(behaviour, Answer) else behaviour(path, headers)

    return answer


@dataclass
class Server:
    """Somebody who answers."""

    answer: Behaviour
    url: str = ""
    requests: list[Message] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    posted: list[bytes] = field(default_factory=list)
    """The bodies of what was sent by POST."""
    verbs: list[str] = field(default_factory=list)


@contextmanager
def serving(answer: Behaviour) -> Iterator[Server]:
    """Serve until the end of the block."""
    server = Server(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.requests.append(self.headers)
            server.paths.append(self.path)
            server.verbs.append(self.command)
            answer = server.answer(self.path, self.headers)
            self.send_response(answer.status)
            length = len(answer.body) if answer.length is None else answer.length
            if length >= 0:
                self.send_header("Content-Length", str(length))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)
            self.close_connection = length != len(answer.body)

        do_HEAD = do_PUT = do_GET

        def do_POST(self) -> None:
            server.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{web.server_port}"
    thread = Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        web.shutdown()
        web.server_close()
        thread.join(60)
