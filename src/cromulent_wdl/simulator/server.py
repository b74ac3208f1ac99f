"""The simulator's process: `python -m cromulent_wdl.simulator.server`, with its settings as a line of JSON on stdin.

It says in JSON on stdout which container engine it uses, if it uses one, then its port, when it can be reached, or
{"error", "hint"}. A further line, {"ward": PID}, names a process that is to
end with it. It ends when stdin does, or by SIGTERM or SIGINT.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil

from ..clock import SYSTEM
from ..engine import Engine
from ..errors import CromulentError
from .assembly import Assembly
from .keeping import Keeping, listen
from .ministack import base
from .settings import Settings

__all__ = ["main"]

_KEEP_ALIVE = 75.0
"""Seconds for which an idle connection is kept."""
_BACKLOG = 512
_WARDS_GRACE = 0.5
"""Seconds from SIGTERM to SIGKILL, less than a guardian grants ourselves."""


def main() -> int:
    """Serve until told to end; return the exit status."""
    settings = msgspec.json.decode(_read_line(), type=Settings)
    try:
        keeping = Keeping.open(Path(settings.state), base.VERSION) if settings.state else None
        if keeping is not None and settings.data_plane == "process" and os.geteuid() == 0:
            keeping.require_reachable()
        listening = listen(settings.port, keeping.port if keeping else 0, _BACKLOG)
        assembly = Assembly(settings, listening.getsockname()[1], (Path.cwd(), keeping), SYSTEM, _say_engine)
    except OSError as error:
        _say({"error": error.strerror, "hint": None})
        return 1
    except CromulentError as error:
        _say({"error": str(error), "hint": error.hint})
        return 1
    logging.getLogger("hypercorn").setLevel(logging.CRITICAL)
    wards: list[psutil.Process] = []
    try:
        asyncio.run(_serve(assembly, listening, wards))
    finally:
        _end(wards)
        assembly.close()
    return 0


async def _serve(assembly: Assembly, listening: socket.socket, wards: list[psutil.Process]) -> None:
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
    loop.add_reader(0, _heed, wards, over.set)
    assembly.start()
    _say({"port": assembly.port})
    application: Any = assembly.application  # hypercorn's own types of scopes and events
    await serve(application, config, shutdown_trigger=over.wait)


def _read_line() -> bytes:
    """Read a line of stdin and not a byte more: the event loop reads what follows."""
    line = bytearray()
    while not line.endswith(b"\n") and (byte := os.read(0, 1)):
        line += byte
    return bytes(line)


def _heed(wards: list[psutil.Process], end: Callable[[], None]) -> None:
    """Take a line of stdin for a ward, and the end of it for the end."""
    line = _read_line()
    if line:
        with suppress(psutil.Error):
            wards.append(psutil.Process(json.loads(line)["ward"]))
        return
    asyncio.get_running_loop().remove_reader(0)
    end()


def _end(wards: list[psutil.Process]) -> None:
    """End the wards that live, and their children."""
    living = []
    for ward in wards:
        with suppress(psutil.Error):
            living += [ward, *ward.children(recursive=True)] if ward.is_running() else []
    for process in living:
        with suppress(psutil.Error):
            process.terminate()
    for process in psutil.wait_procs(living, _WARDS_GRACE)[1]:
        with suppress(psutil.Error):
            process.kill()


def _say_engine(engine: Engine) -> None:
    _say({"engine": [engine.facts.kind, engine.facts.address]})


def _say(words: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    status = main()
    # Executions wait for minutes between attempts, on threads that an ordinary exit would wait for.
    os._exit(status)
