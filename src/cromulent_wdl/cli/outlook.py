"""What is said of a run in the cloud before it starts: what was checked, and what its calls cost an hour.

No total is told: how long calls take, and how often a scatter runs, nobody knows yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..units import counted, format_bytes, format_dollars
from . import ui

if TYPE_CHECKING:
    from .planning import Row

__all__ = ["checked", "costs", "uncached", "warn"]

SILENT = "does not answer"
"""What is said of a registry that does not."""
_SHOWN = 4
"""Calls and images that are named; of the others there are numbers."""


def warn(rows: Iterable[Row]) -> None:
    """Say what may go wrong."""
    for row in rows:
        if row.warning:
            ui.note(f"! {row.call}: {row.warning}")


def checked(rows: Sequence[Row]) -> str:
    """Return what was looked at: `3 calls, 2 images (bwa:1 61 MB amd64, samtools:1: its registry does not answer)`."""
    images = {row.image: _image(row) for row in rows if row.image not in ("", "?")}
    calls = counted(len(rows), "call")
    return f"{calls}, {counted(len(images), 'image')} ({_listed(list(images.values()))})" if images else calls


def uncached(rows: Sequence[Row]) -> str:
    """Return for which images the call cache may not help, and why; nothing where all registries have answered.

    A result is kept under its image's digest, and what a name stands for now only its registry says.
    """
    silent = {row.image: _short(row) for row in rows if row.silence == SILENT}
    if not silent:
        return ""
    registry = "its registry answers" if len(silent) == 1 else "their registries answer"
    return f"no help for {_listed(list(silent.values()))}, unless {registry} the head: results go by digests"


def costs(rows: Sequence[Row]) -> str:
    """Return what calls cost while they run: `align $0.0620 an hour (Spot 4 vCPU 8 GiB), merge ?`."""
    return _listed([_cost(row) for row in rows])


def _image(row: Row) -> str:
    name = _short(row)
    if not row.found:
        return f"{name}: its registry {row.silence}"
    return " ".join(filter(None, (name, format_bytes(row.image_size) if row.image_size else "", row.architecture)))


def _short(row: Row) -> str:
    """Return an image's name without its digest."""
    return row.image.partition("@")[0]


def _cost(row: Row) -> str:
    if row.dollars is None:
        return f"{row.call} ? (depends on data)"
    return f"{row.call} {format_dollars(row.dollars)} an hour ({'Spot' if row.spot else 'on demand'} {row.size})"


def _listed(words: Sequence[str]) -> str:
    rest = len(words) - _SHOWN
    return ", ".join(words[:_SHOWN]) + (f", and {rest} more: cromulent plan shows all" if rest > 0 else "")
