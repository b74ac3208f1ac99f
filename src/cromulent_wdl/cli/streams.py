"""Makes this process's standard streams fit to be written to, whatever they were given to it as."""

from __future__ import annotations

import io
import os
import sys

__all__ = ["make_usable"]


class _Talk(io.TextIOWrapper):
    """Standard error whose listener may leave: a run goes on when nobody hears of it any more."""

    def write(self, text: str) -> int:
        """Write the text if anybody takes it."""
        try:
            return super().write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Send what was written if anybody takes it."""
        try:
            super().flush()
        except OSError:
            return


def make_usable() -> None:
    """Replace streams that were closed before we began, and let no character be unprintable.

    What the terminal's encoding lacks appears as an escape.
    """
    if sys.stdout is None:
        sys.stdout = _nowhere()
    elif (sys.stdout.encoding or "").lower().replace("-", "") != "utf8" and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if sys.stderr is None:
        sys.stderr = _nowhere()
    elif isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _Talk(
            sys.stderr.buffer, encoding=sys.stderr.encoding, errors="backslashreplace", line_buffering=True
        )


def _nowhere() -> io.TextIOWrapper:
    return open(os.devnull, "w", encoding="utf-8")
