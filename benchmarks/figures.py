"""Rows of results: a figure of ours, a peer's, and whether their ratio meets the goal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

__all__ = ["Row", "as_json", "table"]


@dataclass(frozen=True)
class Row:
    """One figure beside its goal."""

    goal: int
    """Its number in the README."""
    what: str
    unit: str = ""
    value: float | None = None
    """None where it could not be measured; `missing` says why."""
    peer: str = ""
    """Whom or what it is compared with; empty where the figure itself has a limit."""
    peer_value: float | None = None
    limit: float | None = None
    """The highest ratio, or without a peer the highest value, that meets the goal; None for information only."""
    missing: str = ""

    @property
    def figure(self) -> float | None:
        """Return what the limit is for: the ratio, or the value where there is no peer."""
        if self.value is None or not self.peer:
            return self.value
        return self.value / self.peer_value if self.peer_value else None

    @property
    def verdict(self) -> str:
        """Return `ok`, `short`, or nothing where there is no goal."""
        if self.missing:
            return "short"
        if self.limit is None:
            return ""
        return "ok" if self.figure is not None and self.figure <= self.limit else "short"


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text in columns, and below them what is missing."""
    lines = [("", "what", "ours", "peer", "", "ratio", "goal", ""), *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(map(_aligned, range(len(line)), line, widths)).rstrip() for line in lines]
    missing = [f"goal {row.goal}, {row.what}: {row.missing}" for row in rows if row.missing]
    return "\n".join([*text, *missing])


_LEFT = (1, 4)
"""The columns of words."""


def _aligned(column: int, cell: str, width: int) -> str:
    return cell.ljust(width) if column in _LEFT else cell.rjust(width)


def _cells(row: Row) -> tuple[str, ...]:
    ratio = f"{row.figure:.2f}" if row.peer and row.figure is not None else ""
    goal = "" if row.limit is None else f"≤ {row.limit:g}{'' if row.peer else ' ' + row.unit}"
    ours, theirs = _number(row.value, row.unit), _number(row.peer_value, row.unit)
    return (str(row.goal), row.what, ours, theirs, row.peer, ratio, goal, row.verdict)


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def as_json(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Return the rows for JSON, each with its ratio and verdict."""
    return [asdict(row) | {"figure": row.figure, "verdict": row.verdict} for row in rows]
