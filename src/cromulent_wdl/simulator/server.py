"""The simulator's process: `python -m cromulent_wdl.simulator.server`, with its settings as JSON on stdin.

It says its port as JSON on stdout when it can be reached, and ends when stdin ends, or by SIGTERM or SIGINT.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import msgspec

from ..clock import SYSTEM
from .assembly import Assembly
from .errors import BaseChanged
from .settings import HOST, Settings

__all__ = ["main"]

_KEEP_ALIVE = 75.0
"""Seconds for which an idle connection is kept, as AWS's endpoints are said to do."""
_BACKLOG = 512


def main() -> int:
    """Serve until told to end; return the exit status."""
    settings = msgspec.json.decode(sys.stdin.buffer.readline(), type=Settings)
    listening = socket.create_server((HOST, settings.port), backlog=_BACKLOG)
    logging.getLogger("hypercorn").setLevel(logging.CRITICAL)
    try:
        assembly = Assembly(settings, listening.getsockname()[1], Path.cwd(), SYSTEM)
    except BaseChanged as changed:
        sys.stdout.write(json.dumps({"error": str(changed)}) + "\n")
        return 1
    try:
        asyncio.run(_serve(assembly, listening))
    finally:
        assembly.close()
    return 0


async def _serve(assembly: Assembly, listening: socket.socket) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listening.detach()}"]
    config.keep_alive_timeout = _KEEP_ALIVE
    config.keep_alive_max_requests = sys.maxsize
    config.graceful_timeout = 0.5
    config.errorlog = None
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    loop.add_reader(sys.stdin.fileno(), _end_with_input, over)
    assembly.start()
    sys.stdout.write(json.dumps({"port": assembly.port}) + "\n")
    sys.stdout.flush()
    application: Any = assembly.application  # hypercorn's own types of scopes and events
    await serve(application, config, shutdown_trigger=over.wait)


def _end_with_input(over: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        over.set()


if __name__ == "__main__":
    sys.exit(main())
