"""The only place that prints: stdout carries results (`data`, `raw`, `table`), stderr carries talk (`note`, `fail`).

Colour is for terminals, and `NO_COLOR` is obeyed. rich is imported when a table is wanted, not before.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing's own costs a fifth of `cromulent --help`
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from rich.console import Console

__all__ = [
    "MARKS",
    "coloured",
    "confirm",
    "console",
    "data",
    "fail",
    "folded",
    "item",
    "json_result",
    "note",
    "painted",
    "raw",
    "short_path",
    "table",
]

_ESCAPES = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "2", "bold": "1"}

MARKS = {
    "ok": ("✔", "green"),
    "cached": ("✔", "green"),
    "failed": ("✘", "red"),
    "lost": ("✘", "red"),
    "stopped": ("■", "yellow"),
    "running": ("●", "cyan"),
    "waiting": ("○", "yellow"),
    "queued": ("○", "dim"),
}
"""How a state is marked, and its colour, wherever calls and runs are shown."""


def coloured(stream: TextIO) -> bool:
    """Whether to put colour on the stream."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(text: str, colour: str, stream: TextIO) -> str:
    """Return the text in a colour of `_ESCAPES` where the stream takes colour."""
    return f"\x1b[{_ESCAPES[colour]}m{text}\x1b[0m" if coloured(stream) else text


def data(text: str) -> None:
    """Print a line of the result."""
    try:
        print(text, file=sys.stdout)  # noqa: T201 - this is the place
    except BrokenPipeError:
        raise
    except OSError as error:
        raise named(error) from error


def named(error: OSError) -> OSError:
    """Return the error with the name of the stream that it was about."""
    return OSError(error.errno, error.strerror, "standard output")


def raw(content: bytes) -> None:
    """Print bytes of the result as they are, at once."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def json_result(value: object) -> None:
    """Print the result as JSON."""
    import json

    data(json.dumps(value, indent=2, ensure_ascii=False))


def note(text: str) -> None:
    """Say something to the person at the terminal."""
    print(text, file=sys.stderr)  # noqa: T201 - this is the place


def folded(text: str, stream: TextIO, *, indent: int = 0, hang: int = 0) -> list[str]:
    """Return the text in lines that fit a terminal, the later ones `hang` columns further in; elsewhere it is one line.

    Links, ARNs and paths stay whole, to be copied.
    """
    from textwrap import wrap

    if not stream.isatty():
        return [" " * indent + text]
    begin, further = " " * indent, " " * (indent + hang)
    width = max(console(stream).width, indent + hang + 20)
    return wrap(
        text, width, initial_indent=begin, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )


def item(text: str, hang: int) -> None:
    """Say a line under a heading; on a terminal what does not fit goes on below it, `hang` columns in."""
    for line in folded(text, sys.stderr, indent=2, hang=hang):
        note(line)


def fail(message: str, hint: str | None = None) -> None:
    """Say what went wrong, the first sentence in red, and where there is one, what to do next.

    A hint is not folded: there are commands in it, to be copied.
    """
    first, newline, rest = message.partition("\n")
    lines = [painted(line, "red", sys.stderr) for line in folded(first, sys.stderr)]
    note("\n".join(lines) + newline + rest)
    if hint:
        note(f"{painted('hint:', 'cyan', sys.stderr)} {hint}")


def confirm(question: str) -> bool:
    """Ask for a yes or a no until one is given; nothing is a no. Raises click.Abort on Ctrl-C and where input ends.

    Not click's own, which would not notice a Ctrl-C that is pressed as the question appears.
    """
    import click

    from .interrupts import wait_for_a_line

    try:
        while True:
            print(f"{question} [y/N]: ", end="", file=sys.stderr, flush=True)  # noqa: T201 - this is the place
            if sys.stdin.isatty():
                wait_for_a_line()
            typed = sys.stdin.readline()
            if not typed:
                note("")  # nobody has ended the question's line
                raise click.Abort
            if (answer := typed.strip().lower()) in ("", "y", "yes", "n", "no"):
                return answer in ("y", "yes")
            note("Type y or n.")
    except KeyboardInterrupt:
        note("")
        raise click.Abort from None


def console(stream: TextIO) -> Console:
    """Return a rich console on the stream: as wide as the terminal, else 80 columns, and without magic."""
    from rich.console import Console

    width = None if stream.isatty() else int(os.environ.get("COLUMNS") or 80)
    return Console(
        file=stream,
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
        color_system="auto" if coloured(stream) else None,
    )


def table(
    rows: Sequence[Sequence[str | tuple[str, str]]],
    *,
    head: Sequence[str] = (),
    right: Sequence[int] = (),
    indent: int = 0,
) -> None:
    """Print rows as aligned columns on stdout; a cell is a text, or a text and its colour.

    On a terminal what does not fit is folded or shortened (columns.py); elsewhere nothing is.
    """
    from .columns import aligned

    texts = [[cell if isinstance(cell, str) else cell[0] for cell in row] for row in rows]
    colours = [["" if isinstance(cell, str) else cell[1] for cell in row] for row in rows]
    if head:
        texts, colours = [list(head), *texts], [["dim"] * len(head), *colours]
    room = console(sys.stdout).width - indent if sys.stdout.isatty() else None
    for lines, painting in zip(aligned(texts, right, room), colours, strict=True):
        for line in lines:
            cells = [painted(*each, sys.stdout) if each[1] else each[0] for each in zip(line, painting, strict=True)]
            data(" " * indent + "  ".join(cells).rstrip())


def short_path(path: str) -> str:
    """Return the path as people write it: from `~` where it lies in their home."""
    home = os.path.expanduser("~")
    return "~" + path.removeprefix(home) if path == home or path.startswith(home + os.sep) else path
