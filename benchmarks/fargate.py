"""`python -m benchmarks.fargate`: measure the Fargate backend on the simulator, print a row a figure, exit with 1 if
one is short.

The simulator plays the tasks and holds AWS's rates. Calls are those to ECS, EFS and Logs, as its meters count them,
throttled ones and retries included.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from .environments import CACHE, Absent
from .figures import Row, as_json, table
from .goals_fargate import calls, cost, early_plugin, makespan, memory, notice
from .measure import Failed
from .scale import Scale

GOALS: dict[int, tuple[str, Callable[[Scale], list[Row]]]] = {
    1: ("makespan beside the rate of launches", makespan),
    2: ("calls of AWS a task, and the plugin of 2020", lambda scale: [*calls(scale), *early_plugin(scale)]),
    3: ("how soon an end is noticed", notice),
    4: ("the head's CPU a task", cost),
    5: ("memory of many concurrent tasks", memory),
}


def main() -> int:
    """Measure what the arguments ask for; return the exit status."""
    options = _arguments().parse_args()
    scale = Scale(options.repetitions, options.quick)
    rows = [row for goal in sorted(set(options.only)) for row in _measured(goal, scale)]
    print(f"\n{table(rows)}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"quick": scale.quick, "rows": as_json(rows)}, indent=2))
    print(f"\nAlso in {options.json}")
    return 1 if any(row.verdict == "short" for row in rows) else 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fargate", description=__doc__)
    parser.add_argument("--only", type=_goals, default=list(GOALS), metavar="GOAL,…", help="measure these goals")
    parser.add_argument("--repetitions", type=int, default=3, metavar="N", help="of each command (default: 3)")
    parser.add_argument("--quick", action="store_true", help="smaller work: to see that everything works")
    parser.add_argument("--json", type=Path, default=CACHE / "fargate.json", metavar="FILE", help="where to write rows")
    return parser


def _goals(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _measured(goal: int, scale: Scale) -> list[Row]:
    title, measure = GOALS[goal]
    print(f"goal {goal}: {title}", file=sys.stderr, flush=True)
    try:
        return measure(scale)
    except (Absent, Failed) as error:
        return [Row(goal, title, missing=" ".join(str(error).split()))]


if __name__ == "__main__":
    sys.exit(main())
