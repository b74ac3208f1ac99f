"""Has a head tidy the shared disk: an execution of the run machine like a run's, whose bundle names the errand.

So it needs nothing in the account that runs do not need, and nobody mounts the disk but heads and tasks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import msgspec

from ..aws import executions, objects
from ..aws.access import Access
from ..clock import SYSTEM, Clock
from ..errors import CromulentError
from ..model.cloud_run import RunResult
from ..model.deployment import Deployment
from ..model.tidied import Tidied
from ..storage.bucket import RunKeys
from . import bundle as bundles
from . import launch, uploading
from .environment import environment

__all__ = ["ERRAND", "TidyFailed", "TidyWish", "send"]

ERRAND = "tidy"
_NOTHING = b""
_LOOK_EVERY = 1.0


class TidyFailed(CromulentError):
    """The head that was to tidy the disk did not, or not to the end."""


@dataclass(frozen=True)
class TidyWish:
    """What is to go, for the head."""

    before: float
    """Runs that began before that, and what was not used since."""
    since: float
    """What was used since then stays: it may be what a run needs that goes on."""
    going_on: tuple[str, ...]
    kept: tuple[str, ...]
    """Runs that stay in any case."""
    larger_than: int = 0
    remove: bool = False


def send(
    access: Access, deployment: Deployment, wish: TidyWish, caller: str, clock: Clock = SYSTEM
) -> tuple[str, Tidied]:
    """Have a head do it, wait for it, and return its run's id and what it says. Raises TidyFailed and AwsError."""
    made = environment()
    uploading.send_environment(access, deployment.bucket, made)
    bundle = bundles.Bundle(name=ERRAND, environment=made.digest, inputs={}, errand=ERRAND)
    digest = bundles.write(access, deployment.bucket, bundle, _NOTHING)
    run = launch.run_id(ERRAND, digest)
    given = {**launch.request(digest, caller, launch.Size()), "inputs": {ERRAND: asdict(wish)}}
    launch.start(access, deployment, run, given)
    keys = RunKeys(run)
    while (text := objects.get(access, deployment.bucket, keys.result)) is None:
        execution = executions.find(access, deployment.state_machine, run)
        if execution is not None and not execution.goes_on:
            raise TidyFailed(f"the shared disk was not tidied: {execution.cause or execution.status}")
        clock.sleep(_LOOK_EVERY)
    result = msgspec.json.decode(text, type=RunResult)
    outputs = objects.get(access, deployment.bucket, keys.outputs)
    if result.state != "ok" or outputs is None:
        raise TidyFailed(f"the shared disk was not tidied: {result.message}")
    return run, msgspec.json.decode(outputs, type=Tidied)
