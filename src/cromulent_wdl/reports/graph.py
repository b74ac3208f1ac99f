"""The graph of a workflow: calls, the sections around them, and what comes after what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

__all__ = ["Call", "Graph", "Section", "path_of"]


@dataclass(frozen=True)
class Section:
    """A scatter or a conditional."""

    id: str
    kind: str
    """`scatter` or `if`."""
    label: str
    """What it scatters over, or its condition, as the source writes it."""
    parent: str = ""
    """The section around it; empty at the top."""


@dataclass(frozen=True)
class Call:
    """A call as the source has it: once, however often it runs."""

    id: str
    name: str
    callee: str
    subworkflow: bool = False
    parent: str = ""
    """The section around it; empty at the top."""
    needs: str = ""
    """What its task asks for, as the source writes it: `cpu 4, memory "8 GB"`."""


@dataclass(frozen=True)
class Graph:
    """A workflow, or a lone task as a graph of one call."""

    name: str
    calls: tuple[Call, ...]
    sections: tuple[Section, ...] = ()
    after: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Which calls each call waits for, by id, with nothing in between."""

    def around(self, call: Call) -> list[Section]:
        """Return the sections around a call, the innermost last."""
        by_id = {section.id: section for section in self.sections}
        found: list[Section] = []
        parent = call.parent
        while parent:
            found.append(by_id[parent])
            parent = by_id[parent].parent
        return found[::-1]

    def unseen(self, seen: Iterable[str]) -> list[Call]:
        """Return the calls of which no instance is among the paths."""
        names = {path_of(path)[0] for path in seen}
        return [call for call in self.calls if call.name not in names]


def path_of(path: str) -> tuple[str, ...]:
    """Return the names in a call's path without the numbers: `inner`, `count` for `inner[2].count`."""
    return tuple(part.partition("[")[0] for part in path.split("."))
