"""Whether what a run left was removed, by `gc` or `down`: a fact that no journal knows, noted beside what stays of it.

`gc` notes it on the machine on which it is called. On others a run in the cloud that has ended still has its whole
copy, so its bucket is asked when somebody names the run (mirror.py); the answer that it is gone is for good.
"""

from __future__ import annotations

from pathlib import Path

from ..storage import layout

__all__ = ["note", "noted"]


def note(directory: Path, by: str) -> None:
    """Note by which command what a run left was removed, where something of the run stays."""
    if directory.is_dir():
        (directory / layout.REMOVED).write_text(by, encoding="utf-8")


def noted(directory: Path) -> str:
    """Return by which command what a run left was removed, as far as that was noted; empty where it was not."""
    try:
        return (directory / layout.REMOVED).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
