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
    """Return the rows as text in columns."""
    header = ("", "what", "ours", "peer", "", "ratio", "goal", "")
    lines = [header, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    left = (1, 4)
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at in left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cells(row: Row) -> tuple[str, str, str, str, str, str, str, str]:
    ratio = f"{row.figure:.2f}" if row.peer and row.figure is not None else ""
    goal = "" if row.limit is None else f"≤ {row.limit:g}{'' if row.peer else ' ' + row.unit}"
    verdict = f"{row.verdict}: {row.missing}" if row.missing else row.verdict
    return (
        str(row.goal),
        row.what,
        _number(row.value, row.unit),
        _number(row.peer_value, row.unit),
        row.peer,
        ratio,
        goal,
        verdict,
    )


def _number(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.3g} {unit}".rstrip() if value < 100 else f"{value:.0f} {unit}".rstrip()


def as_json(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Return the rows for JSON, each with its ratio and verdict."""
    return [asdict(row) | {"figure": row.figure, "verdict": row.verdict} for row in rows]
