"""`python -m benchmarks.local`: measure each goal, print a row a figure, exit with 1 if one is short."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from cromulent_wdl.clock import SYSTEM, local_time

from .environments import CACHE, Absent
from .figures import Row, as_json, table
from .goals_docker import many_containers, one_container
from .goals_engine import engine_cost, growth
from .goals_many import thousand
from .goals_processes import processes
from .goals_start import checking, starting
from .goals_waiting import waiting
from .measure import Failed
from .scale import Scale

GOALS: dict[int, tuple[str, Callable[[Scale], list[Row]]]] = {
    1: ("help, version and completion", starting),
    2: ("check of a small document", checking),
    3: ("the engine's own cost of a task", engine_cost),
    4: ("its growth with the number of tasks", growth),
    5: ("many tasks on Docker", many_containers),
    6: ("one task on Docker", one_container),
    7: ("tasks as processes", processes),
    8: ("many tasks that wait", waiting),
    9: ("a thousand tasks", thousand),
}


def main() -> int:
    """Measure what the arguments ask for; return the exit status."""
    options = _arguments().parse_args()
    scale = Scale(options.repetitions, options.quick)
    rows = [row for goal in sorted(set(options.only)) for row in _measured(goal, scale)]
    if scale.quick:
        print("\nQuick: smaller work and few repetitions. This shows that things work, not whether goals are met.")
    print(f"\n{table(rows)}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"machine": _machine(), "quick": scale.quick, "rows": as_json(rows)}, indent=2))
    print(f"\nAlso in {options.json}")
    return 1 if any(row.verdict == "short" for row in rows) else 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local", description=__doc__)
    parser.add_argument("--only", type=_goals, default=list(GOALS), metavar="GOAL,…", help="measure these goals")
    parser.add_argument("--repetitions", type=int, default=5, metavar="N", help="of each command (default: 5)")
    parser.add_argument("--quick", action="store_true", help="smaller work, two repetitions")
    parser.add_argument(
        "--json", type=Path, default=CACHE / "local.json", metavar="FILE", help="where to write the rows"
    )
    return parser


def _goals(text: str) -> list[int]:
    goals = [int(part) for part in text.split(",")]
    if unknown := set(goals) - set(GOALS):
        raise argparse.ArgumentTypeError(f"there is no goal {min(unknown)}; there are {min(GOALS)} to {max(GOALS)}")
    return goals


def _measured(goal: int, scale: Scale) -> list[Row]:
    title, measure = GOALS[goal]
    print(f"goal {goal}: {title}", file=sys.stderr, flush=True)
    try:
        return measure(scale)
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


if __name__ == "__main__":
    sys.exit(main())
