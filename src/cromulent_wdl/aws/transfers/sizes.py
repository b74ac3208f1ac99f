"""How files are cut: pure."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["SMALL", "Cut", "cuts"]

MEBIBYTE = 1 << 20
SMALL = 16 * MEBIBYTE
"""Bytes up to which a file is one request, whichever way it goes."""

_STEPS = 40
"""Into so many parts a file is cut, as far as their sizes stay within what follows: so a bar moves, and little is sent
twice when an upload goes on where it broke off."""
_SMALLEST = 8 * MEBIBYTE
_LARGEST = 50 * MEBIBYTE
_MOST = 10_000
"""Parts that S3 takes of one object; then they become larger than that."""


class Cut(NamedTuple):
    """A piece of a file."""

    number: int
    start: int
    size: int


def cuts(size: int) -> list[Cut]:
    """Return the pieces of a file; the same for the same size, whoever asks."""
    each = max(min(max(size // _STEPS, _SMALLEST), _LARGEST), -(-size // _MOST))
    each = -(-each // MEBIBYTE) * MEBIBYTE
    return [Cut(number, start, min(each, size - start)) for number, start in enumerate(range(0, size, each), start=1)]
