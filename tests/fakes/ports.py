"""Ports for programs that must be told where to listen: none that the system gives to somebody else meanwhile.

A port that was free a moment ago is one of those that the system hands out, to whoever connects or listens next.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

__all__ = ["own_port"]

_FIRST, _EACH = 20_000, 500
"""Below those that systems hand out, so many for each of the processes among which pytest shares the tests."""


def own_port() -> int:
    """Return a port of loopback that nobody has, and that nobody is given who asks for any."""
    return next(_free)


def _ports() -> Iterator[int]:
    first = _FIRST + _EACH * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 20)
    for port in range(first, first + _EACH):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        yield port


_free = _ports()
