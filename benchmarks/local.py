"""`python -m benchmarks.local`: measure each goal, print a row a figure, exit with 1 if one is short."""

from __future__ import annotations

import sys

from .goals_docker import many_containers, one_container
from .goals_engine import engine_cost, growth
from .goals_many import thousand
from .goals_processes import processes
from .goals_start import checking, starting
from .goals_waiting import waiting
from .runner import Goals, run

GOALS: Goals = {
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


if __name__ == "__main__":
    sys.exit(run("local", __doc__, GOALS))
