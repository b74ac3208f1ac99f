"""ECS as Fargate has it: our own engine, in memory, knowing nothing of HTTP, of the emulator or of containers.

`EcsService` (`service.py`, read it first) answers the API: `handle(action, request, caller)` takes the JSON of a
request and returns the JSON of its answer, or raises `ApiError` with AWS's code and words. Times in answers are
seconds since the epoch, as AWS JSON 1.1 has them. An answer shares parts with the engine's records: encode it, do
not change it. `AnswerLost` means that the request was carried out, or not, and the connection is to be cut.

What flows out goes through two seams, both in `seam.py`: a `World` is asked what others hold (file systems,
subnets, roles, log groups) and told of task state changes; a `DataPlane` is asked to run a task and reports, from
any thread, to the `Watcher` it was given. `authorization.py` says by which resources and conditions a request is
judged. Each request goes through the same stages: meters, faults, token bucket, shape (botocore's own model), action.

A task's life is a pure state machine (`lifecycle.py`); `driver.py` turns its steps into timers, calls of the data
plane and events. What the engine does cites rows of docs/reference/aws-facts.md as "(facts: row; row)", botocore's
model or an AWS page; what has no source stands in docs/concepts/simulator.md.
"""

from .answers import AnswerLost, ApiError
from .authorization import Authorization
from .fault_plan import Fault, FaultPlan, read_plan
from .seam import (
    AccessPoint,
    Caller,
    ContainerExit,
    ContainerPlan,
    DataPlane,
    FileAccess,
    FileSystem,
    Launch,
    LogTarget,
    Place,
    PullRefused,
    RunningTask,
    SecretUnavailable,
    Subnet,
    TaskStateChange,
    VolumePlan,
    Watcher,
    World,
)
from .service import EcsService
from .settings import NEAR_ZERO, REALISTIC, EcsSettings, Latency, Uniform
from .snapshot import Snapshot
from .timers import Timers

__all__ = [
    "NEAR_ZERO",
    "REALISTIC",
    "AccessPoint",
    "AnswerLost",
    "ApiError",
    "Authorization",
    "Caller",
    "ContainerExit",
    "ContainerPlan",
    "DataPlane",
    "EcsService",
    "EcsSettings",
    "Fault",
    "FaultPlan",
    "FileAccess",
    "FileSystem",
    "Latency",
    "Launch",
    "LogTarget",
    "Place",
    "PullRefused",
    "RunningTask",
    "SecretUnavailable",
    "Snapshot",
    "Subnet",
    "TaskStateChange",
    "Timers",
    "Uniform",
    "VolumePlan",
    "Watcher",
    "World",
    "read_plan",
]
