"""Ctrl-C that is never lost, and never falls into the middle of something.

Python looks at signals between two steps of its own. One that comes after that look and before a system call that
waits is noticed when the wait is over, which may be never; one that comes in a callback of the garbage collector is
raised there and dropped; one that comes while a copy is written down leaves half of it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

__all__ = ["Interrupts", "wait_for_a_line"]


class Interrupts:
    """Notes Ctrl-C while it is entered, and raises KeyboardInterrupt where that is welcome.

    Pressed a second time before the first was heeded, it is raised at once: something takes too long. Where Ctrl-C is
    ignored, as in what a shell starts in the background, it stays so.
    """

    def __init__(self) -> None:
        self._pressed = False
        self._is_welcome = False

    def __enter__(self) -> Interrupts:
        self._before = signal.getsignal(signal.SIGINT)
        if self._before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    @contextmanager
    def welcome(self) -> Iterator[None]:
        """Raise KeyboardInterrupt in the block as soon as Ctrl-C is pressed, or at once where it was before."""
        try:
            self._is_welcome = True
            if self._pressed:
                self._raise()
            yield
        finally:
            self._is_welcome = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._pressed or self._is_welcome:
            self._raise()
        self._pressed = True

    def _raise(self) -> None:
        self._pressed = False
        raise KeyboardInterrupt


def wait_for_a_line() -> None:
    """Wait until there is a line to read from the terminal; a signal ends the wait, however soon it comes."""
    woken, wakes = os.pipe()
    for end in (woken, wakes):
        os.set_blocking(end, False)
    before = signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    try:
        while sys.stdin not in select.select([sys.stdin, woken], [], [])[0]:
            os.read(woken, select.PIPE_BUF)  # its handler has run, and let us go on
    finally:
        signal.set_wakeup_fd(before)
        os.close(woken)
        os.close(wakes)
