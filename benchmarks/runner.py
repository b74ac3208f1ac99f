"""Measures the goals that the arguments name, prints a row a figure, and exits with 1 if one is short."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from cromulent_wdl.clock import SYSTEM, local_time

from .environments import CACHE, Absent
from .figures import Row, as_json, table
from .measure import Failed
from .scale import Scale

__all__ = ["Goals", "run"]

Goals = Mapping[int, tuple[str, Callable[[Scale], Iterable[Row]]]]
"""By number: what a goal is about, and what measures it."""


def run(name: str, about: str | None, goals: Goals, repetitions: int = 5) -> int:
    """Measure what the command's arguments ask for; return its exit status."""
    options = _arguments(name, about, goals, repetitions).parse_args()
    scale = Scale(options.repetitions, options.quick)
    rows = [row for goal in sorted(set(options.only)) for row in _measured(goal, goals, scale)]
    if scale.quick:
        print("\nQuick: smaller work and few repetitions. This shows that things work, not whether goals are met.")
    print(f"\n{table(rows)}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"machine": _machine(), "quick": scale.quick, "rows": as_json(rows)}, indent=2))
    print(f"\nAlso in {options.json}")
    return 1 if any(row.verdict == "short" for row in rows) else 0


def _arguments(name: str, about: str | None, goals: Goals, repetitions: int) -> argparse.ArgumentParser:
    def some(text: str) -> list[int]:
        asked = [int(part) for part in text.split(",")]
        if unknown := set(asked) - set(goals):
            raise argparse.ArgumentTypeError(f"there is no goal {min(unknown)}; there are {', '.join(map(str, goals))}")
        return asked

    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    parser.add_argument("--only", type=some, default=list(goals), metavar="GOAL,…", help="measure these goals")
    parser.add_argument(
        "--repetitions", type=int, default=repetitions, metavar="N", help=f"of each (default: {repetitions})"
    )
    parser.add_argument("--quick", action="store_true", help="smaller work: to see that everything works")
    parser.add_argument("--json", type=Path, default=CACHE / f"{name}.json", metavar="FILE", help="where to write rows")
    return parser


def _measured(goal: int, goals: Goals, scale: Scale) -> list[Row]:
    title, measure = goals[goal]
    print(f"goal {goal}: {title}", file=sys.stderr, flush=True)
    try:
        return list(measure(scale))
    except (Absent, Failed) as error:
        return [Row(goal, title, missing=" ".join(str(error).split()))]


def _machine() -> dict[str, object]:
    return {
        "measured": local_time(SYSTEM.now()).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
    }
