"""From what a user calls a run to its directory."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from ..errors import RunNotFound
from ..storage import layout
from .index import Entry

__all__ = ["find_run"]

_SHOWN = 5


def find_run(name: str, entries: Sequence[Entry]) -> Path:
    """Return the directory of the run: a directory, a run id or the only beginning of one, or `last`.

    `entries` are the runs on this machine's list, the newest first. Raises RunNotFound with what was meant
    perhaps.
    """
    path = Path(name)
    if name and (path / layout.JOURNAL).is_file():
        return path.absolute()
    if not entries:
        raise RunNotFound(_nothing_for(name), hint="start one: `cromulent run hello.wdl name=World`")
    if name == "last":
        return entries[0].directory
    matches = [entry for entry in entries if entry.run_id == name]
    matches = matches or [entry for entry in entries if name and entry.run_id.startswith(name)]
    if len(matches) == 1:
        return matches[0].directory
    if matches:
        raise RunNotFound(
            f"'{name}' fits {len(matches)} runs:\n{_listed(matches)}",
            hint="name one by more letters, or by its directory",
        )
    if name and path.is_dir():
        raise RunNotFound(f"{path} is not the directory of a run: it has no {layout.JOURNAL}", hint=_LIST)
    near = _near(name, entries)
    raise RunNotFound(f"there is no run '{name}'" + (f"; did you mean:\n{_listed(near)}" if near else ""), hint=_LIST)


_LIST = "`cromulent ls` lists the runs"


def _nothing_for(name: str) -> str:
    return "there is no run yet on this machine" if name == "last" else f"there is no run '{name}', nor any other"


def _near(name: str, entries: Sequence[Entry]) -> list[Entry]:
    """Return the runs whose id contains the name or resembles it."""
    alike = difflib.get_close_matches(name, [entry.run_id for entry in entries], n=_SHOWN)
    return [entry for entry in entries if (name and name in entry.run_id) or entry.run_id in alike]


def _listed(entries: Sequence[Entry]) -> str:
    lines = [f"  {entry.run_id}  {entry.directory.parent}" for entry in entries[:_SHOWN]]
    if len(entries) > _SHOWN:
        lines.append(f"  … and {len(entries) - _SHOWN} more")
    return "\n".join(lines)
