"""Rows of cells as aligned lines, and what gives way where a terminal is too narrow for them.

First the texts are folded between their words, those with the most room to give before others. What then does not fit
is shortened, the last column before the others, and in its middle, since both ends tell paths and names apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

__all__ = ["aligned"]

_GAP = 2
_LEAST = 8
"""Below so many places a shortened text tells nothing."""
_LINES = 3
"""Lines of a row: of a long sentence its beginning and its end are shown."""


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int], room: int | None) -> Iterator[list[list[str]]]:
    """Yield for each row its lines, each a list of cells as wide as their columns; without `room` nothing gives way."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    widths = [max(map(cell_len, column)) for column in columns]
    if room is not None:
        space = room - _GAP * (len(widths) - 1)
        words = [max(cell_len(word) for cell in column for word in _words(cell)) for column in columns]
        _narrow(widths, words, space)
        _narrow(widths, [*widths[:-1], min(widths[-1], _LEAST)], space)
        _narrow(widths, [min(width, _LEAST) for width in widths], space)
    for row in rows:
        cells = [_folded(cell, width) for cell, width in zip(row, widths, strict=True)]
        height = max(map(len, cells))
        yield [
            [_justified(cell[line] if line < len(cell) else "", widths[index], index in right)
             for index, cell in enumerate(cells)]
            for line in range(height)
        ]  # fmt: skip


def _narrow(widths: list[int], least: Sequence[int], space: int) -> None:
    """Take from the widths, in place, until they fit or all are at their least: from the one that has most to give."""
    while sum(widths) > space:
        slack = [width - low for width, low in zip(widths, least, strict=True)]
        most = max(slack)
        if most <= 0:
            return
        widths[slack.index(most)] -= 1


def _words(text: str) -> list[str]:
    """Return what stays together: words, and numbers with their units."""
    return re.split(r"(?<!\d) | (?=\()", text)


def _folded(text: str, width: int) -> list[str]:
    """Return the text in a few lines of at most the width."""
    if cell_len(text) <= width:
        return [text]
    lines: list[str] = []
    for word in _words(text):
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(_shortened(word, width) if len(lines) < _LINES - 1 else word)
    return [*lines[: _LINES - 1], *_last(lines[_LINES - 1 :], width)]


def _last(lines: Sequence[str], width: int) -> list[str]:
    return [_shortened(" ".join(lines), width)] if lines else []


def _shortened(word: str, width: int) -> str:
    """Return the word, or its two ends with an ellipsis between them."""
    if cell_len(word) <= width:
        return word
    half = width // 2
    tail = word[::-1]
    return f"{set_cell_size(word, width - half - 1)}…{set_cell_size(tail, half)[::-1]}"


def _justified(text: str, width: int, right: bool) -> str:
    padding = " " * (width - cell_len(text))
    return padding + text if right else text + padding
