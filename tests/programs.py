"""Programs that tests start: none is waited for without end, and none outlives the block that started it.

`subprocess.run` needs nothing of this: it kills its program whatever happens. `with subprocess.Popen` waits for it
instead, even where the test has failed already.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from cromulent_wdl.clock import SYSTEM

__all__ = ["PATIENCE", "Terminal", "ended", "kill", "on_a_terminal", "running"]

PATIENCE = 60.0
"""Seconds for anything that a test waits for, ten times what it takes on a busy machine."""


@contextmanager
def running(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a program; at the end of the block it is killed, with all that it started, unless it has ended."""
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        kill(process)


def ended(process: subprocess.Popen[Any], seconds: float = PATIENCE) -> tuple[Any, Any]:
    """Return what a program said on its pipes until it ended; where it does not end in time, kill it and fail."""
    try:
        return process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _kill_all(process)
        said = process.communicate(timeout=PATIENCE)
        raise AssertionError(f"{process.args!r} did not end in {seconds:.0f} s. It said {said!r}") from None


def _kill_all(process: subprocess.Popen[Any]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        below = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for each in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()


def kill(process: subprocess.Popen[Any]) -> None:
    """Kill a program of ours with all that it started, unless it has ended, and close its pipes."""
    if process.poll() is None:
        _kill_all(process)
        process.wait(PATIENCE)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()


@contextmanager
def on_a_terminal(command: Sequence[str | Path], **options: Any) -> Iterator[Terminal]:
    """Start a program on a terminal of its own, but for the streams that the options lead elsewhere."""
    ours, its = pty.openpty()
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), its)
    try:
        try:
            process = subprocess.Popen(command, **{**streams, **options})
        finally:
            os.close(its)
        try:
            yield Terminal(process, ours)
        finally:
            kill(process)
    finally:
        os.close(ours)


class Terminal:
    """What a program says on a terminal, and what is typed there."""

    def __init__(self, process: subprocess.Popen[Any], controller: int) -> None:
        self.process = process
        self._controller = controller
        self._said = b""

    @property
    def said(self) -> str:
        """What has been heard so far."""
        return self._said.decode(errors="replace")

    def type(self, text: str) -> None:
        """Type a text."""
        os.write(self._controller, text.encode())

    def hear(self, text: str, seconds: float = PATIENCE) -> None:
        """Listen until the text has been said; fail when it is not."""
        end = SYSTEM.monotonic() + seconds
        while text.encode() not in self._said:
            if not self._listen(end):
                raise AssertionError(f"{text!r} was not said, but {self.said!r}")

    def rest(self, seconds: float = PATIENCE) -> str:
        """Return all that is said until nobody has the terminal open any more."""
        end = SYSTEM.monotonic() + seconds
        while self._listen(end):
            pass
        assert SYSTEM.monotonic() < end, f"it did not end: {self.said!r}"
        return self.said

    def _listen(self, end: float) -> bool:
        """Hear what comes next; return whether something came."""
        if not select.select([self._controller], [], [], max(0.0, end - SYSTEM.monotonic()))[0]:
            return False
        try:
            heard = os.read(self._controller, 65536)
        except OSError:  # how Linux says that nobody has the terminal open any more
            return False
        self._said += heard
        return bool(heard)
