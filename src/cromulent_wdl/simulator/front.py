"""What every request passes: meters, rates, faults; then ECS goes to our engine, the rest to ministack.

Under `/_simulator/` is the admin path, JSON: GET `meters`, POST `meters/reset`, GET and PUT `faults`, GET `tasks/…`.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import psutil

from .admin import Admin
from .ecs import AnswerLost, ApiError
from .ministack.authorization import Judge
from .ministack.door import TARGET, EcsDoor, identify
from .ministack.requests import refusal, request_of
from .others import Others

__all__ = ["Front"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_ADMIN = "/_simulator/"


class Front:
    """The ASGI application."""

    def __init__(self, emulator: App, door: EcsDoor, judge: Judge | None, others: Others, admin: Admin) -> None:
        self._emulator = emulator
        self._door = door
        self._judge = judge
        self._others = others
        self._admin = admin
        self.requests = 0
        """How many there were."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._emulator(scope, receive, send)
            return
        self.requests += 1
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            if headers.get("x-amz-target", "").startswith(TARGET):
                await self._ecs(scope, headers, receive, send)
            elif scope["path"].startswith(_ADMIN):
                path = scope["path"].removeprefix(_ADMIN)
                await _send(send, *self._admin.answer(scope["method"], path, await _body(receive)))
            else:
                await self._other(scope, headers, receive, send)
        except AnswerLost:
            _cut(scope["client"])

    async def _ecs(self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if self._judge is not None:
            self._judge.witness(scope, headers, body)
        key, place = identify(headers.get("authorization", ""))
        action = headers["x-amz-target"].removeprefix(TARGET)
        answer = self._door.answer(action, body, key, place)
        if delay := self._door.delay(action):
            await asyncio.sleep(delay)
        await _send(send, answer.status, answer.headers, answer.body)

    async def _other(self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        body = b""
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            body = await _body(receive)
            receive = _again(body)
        request = request_of(scope["method"], scope["path"], headers, query, body)
        try:
            lost = self._others.admit(request, identify(headers.get("authorization", ""))[1])
        except ApiError as refused:
            await _body(receive)
            await _send(send, *refusal(request, refused))
            return
        if lost:
            await self._emulator(scope, receive, _nowhere)
            raise AnswerLost
        await self._emulator(scope, receive, _late(send, self._others.delay(request)))


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes) -> Receive:
    """Return what gives a body that was read once more."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        return next(messages, {"type": "http.disconnect"})

    return receive


def _late(send: Send, delay: float) -> Send:
    """Return what sends an answer that much later: the request is carried out at once."""
    if not delay:
        return send

    async def later(message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(delay)
        await send(message)

    return later


async def _nowhere(message: Message) -> None:
    """Send nothing."""


async def _send(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    named = {**headers, "content-length": str(len(body))}
    listed = [(name.lower().encode(), value.encode()) for name, value in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})


def _cut(client: tuple[str, int]) -> None:
    """Cut the client's connection: no server interface has that, so it is found among this process's sockets."""
    for connection in psutil.Process().net_connections("tcp4"):
        if connection.raddr and tuple(connection.raddr) == tuple(client):
            with suppress(OSError), socket.socket(fileno=os.dup(connection.fd)) as ours:
                ours.shutdown(socket.SHUT_RDWR)
