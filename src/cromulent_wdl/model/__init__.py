"""The values that cross every seam: frozen, and quick to make (docs/adr/0029-values-as-structs.md).

Read `task.py` for what a backend is asked, `outcome.py` for what it answers, `events.py` for what is
remembered of both in a run's journal, `deployment.py` for what a provisioned stack is made of.
"""

from .deployment import Deployment
from .events import (
    CallCached,
    CallEnded,
    CallQueued,
    CallStarted,
    EcsTaskLaunched,
    EcsTaskStopped,
    Event,
    RunEnded,
    RunStarted,
    TaskEnded,
    TaskImage,
    TaskPlaced,
    TaskStarted,
    TaskWaiting,
    from_json,
    to_json,
)
from .outcome import Ending, Outcome, Usage
from .task import Mount, Resources, Task

__all__ = [
    "CallCached",
    "CallEnded",
    "CallQueued",
    "CallStarted",
    "Deployment",
    "EcsTaskLaunched",
    "EcsTaskStopped",
    "Ending",
    "Event",
    "Mount",
    "Outcome",
    "Resources",
    "RunEnded",
    "RunStarted",
    "Task",
    "TaskEnded",
    "TaskImage",
    "TaskPlaced",
    "TaskStarted",
    "TaskWaiting",
    "Usage",
    "from_json",
    "to_json",
]
