"""`python -m benchmarks.fargate`: measure the Fargate backend on the simulator, print a row a figure, exit with 1 if
one is short.

The simulator plays the tasks and holds AWS's rates. Calls are those to ECS, EFS and Logs, as its meters count them,
throttled ones and retries included.
"""

from __future__ import annotations

import sys

from .goals_fargate import calls, cost, early_plugin, makespan, memory, notice
from .runner import Goals, run

GOALS: Goals = {
    1: ("makespan beside the rate of launches", makespan),
    2: ("calls of AWS a task, and the plugin of 2020", lambda scale: [*calls(scale), *early_plugin(scale)]),
    3: ("how soon an end is noticed", notice),
    4: ("the head's CPU a task", cost),
    5: ("memory of many concurrent tasks", memory),
}


if __name__ == "__main__":
    sys.exit(run("fargate", __doc__, GOALS, repetitions=3))
